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

-- Before version 3 it took the caller's word for which nodes stand in the region.
DROP FUNCTION IF EXISTS shardwise.require_placement(bigint, integer[]);

-- Fails unless all placements of the shard are on nodes of this region, and keeps the shard there until the caller's
-- transaction ends: by the lock under which Citus moves a shard (5 is ShareLock). That lock is for a table's owner, so
-- this runs as whoever made it. A shard that was split is gone, and can't be locked.
CREATE OR REPLACE FUNCTION shardwise.require_placement(shard bigint, home text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_placement WHERE shardid = shard) THEN
        PERFORM lock_shard_metadata(5, ARRAY[shard]);
    END IF;
    IF (
        SELECT bool_and(coalesce(r.region = home, false)) FROM pg_dist_placement p
        LEFT JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
        LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid
        WHERE p.shardid = shard
    ) IS DISTINCT FROM true THEN
        RAISE EXCEPTION 'the tenant''s shard % lies outside the region that it has to stay in; nothing was run', shard
            USING ERRCODE = 'SW001';
    END IF;
END
$$;

-- Tells this node, and each node that it passes statements of the transaction on to, whose rows the policies of row level
-- security let through: until the transaction ends. Citus passes on what `SET LOCAL` sets, and nothing that set_config() does.
CREATE OR REPLACE FUNCTION shardwise.hold_to_tenant(key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET citus.propagate_set_commands = 'local' AS $$
BEGIN
    EXECUTE format('SET LOCAL shardwise.tenant = %L', key);
END
$$;

-- Whether the rebalancer may move a shard to a node: only within the region that it lies in. A node whose region is not
-- known takes none from a region, and the other way round.
CREATE OR REPLACE FUNCTION shardwise.shard_allowed_on_node(shard bigint, node integer) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM pg_dist_placement p
        JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
        LEFT JOIN shardwise.node_regions lies ON lies.node_id = n.nodeid
        LEFT JOIN shardwise.node_regions goes ON goes.node_id = node
        WHERE p.shardid = shard AND lies.region IS DISTINCT FROM goes.region
    );
END
$$;

-- How much of the rebalancer's cost belongs on a node: an equal part of what its region has. With the same for all nodes, a
-- region that has less than others would count as empty, and stay uneven within. The cost is that of
-- citus_shard_cost_by_disk_size; shardwise.colocation names the co-location group to reckon for, all where it is not set.
CREATE OR REPLACE FUNCTION shardwise.node_capacity(node integer) RETURNS real
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted integer := nullif(current_setting('shardwise.colocation', true), '')::integer;
    base bigint := coalesce(pg_size_bytes(current_setting('citus.rebalancer_by_disk_size_base_cost', true)), 0);
    place text := (SELECT region FROM shardwise.node_regions WHERE node_id = node);
BEGIN
    RETURN (
        WITH peers AS (
            SELECT n.nodename, n.nodeport, n.isactive AND n.shouldhaveshards AS takes FROM pg_dist_node n
            LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid
            WHERE n.noderole = 'primary' AND r.region IS NOT DISTINCT FROM place
        ), held AS (
            SELECT base + sum(s.shard_size) AS cost FROM citus_shards s JOIN pg_dist_shard d ON d.shardid = s.shardid
            JOIN peers ON peers.nodename = s.nodename AND peers.nodeport = s.nodeport
            WHERE s.citus_table_type = 'distributed' AND (wanted IS NULL OR s.colocation_id = wanted)
            GROUP BY s.colocation_id, d.shardminvalue
        )
        SELECT greatest(coalesce((SELECT sum(cost) FROM held), 0) / greatest((SELECT count(*) FROM peers WHERE takes), 1), 1)
    );
END
$$;
