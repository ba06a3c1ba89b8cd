-- What all clients of a Citus cluster have to agree on. Run on the coordinator; running it again changes nothing.
--
-- A change of this file goes with one of the version in catalog.rs, and must bring older versions up as well: CREATE OR
-- REPLACE, ADD COLUMN IF NOT EXISTS. Each paragraph is one statement, without an empty line in it.
CREATE SCHEMA IF NOT EXISTS shardwise;

GRANT USAGE ON SCHEMA shardwise TO PUBLIC;

-- The region that a node stands in, by pg_dist_node.nodeid: a node keeps it when its address changes.
CREATE TABLE IF NOT EXISTS shardwise.node_regions (
    node_id integer PRIMARY KEY,
    region text NOT NULL CHECK (region ~ '^[a-z0-9-]{1,31}$')
);

-- Where a tenant's home region is written: the reference table whose key is the distribution key, one per type of key.
CREATE TABLE IF NOT EXISTS shardwise.directories (
    key_type text PRIMARY KEY,
    table_schema text NOT NULL,
    table_name text NOT NULL,
    key_column text NOT NULL,
    region_column text NOT NULL
);

GRANT SELECT ON shardwise.node_regions, shardwise.directories TO PUBLIC;

SELECT pg_catalog.create_reference_table(name::regclass)
FROM unnest(ARRAY['shardwise.node_regions', 'shardwise.directories']) AS name
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = name::regclass);

-- Fails unless all placements of the shard are in these groups of nodes, and keeps the shard there until the caller's
-- transaction ends: by the lock under which Citus moves a shard (5 is ShareLock). That lock is for a table's owner, so
-- this runs as whoever made it.
CREATE OR REPLACE FUNCTION shardwise.require_placement(shard bigint, groups integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM lock_shard_metadata(5, ARRAY[shard]);
    IF (SELECT bool_and(groupid = ANY (groups)) FROM pg_dist_placement WHERE shardid = shard) IS DISTINCT FROM true THEN
        RAISE EXCEPTION 'the tenant''s shard % lies outside the region that it has to stay in; nothing was run', shard
            USING ERRCODE = 'SW001';
    END IF;
END
$$;
