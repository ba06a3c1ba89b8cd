-- What pgstattuple finds in the tables with these names ($1: schemas, $2: names, pairwise), shards and partitions under their table's
-- name, as one JSON array. It reads the pages that VACUUM has left something in. The function is put in by the one who asks.
WITH shard AS MATERIALIZED (/*shards*/),
relation AS (
    SELECT c.oid, coalesce(pg_catalog.pg_partition_root(coalesce(s.logical, c.oid)), coalesce(s.logical, c.oid)) AS root
    FROM pg_catalog.pg_class c LEFT JOIN shard s ON s.oid = c.oid
    WHERE c.relkind = 'r' AND c.relpages > 0 AND c.relam = (SELECT a.oid FROM pg_catalog.pg_am a WHERE a.amname = 'heap')
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(t.schema, t.name, t.bytes, t.waste)), '[]') FROM (
    SELECT n.nspname AS schema, c.relname AS name, sum(m.table_len)::int8 AS bytes,
        sum(m.dead_tuple_len + m.approx_free_space)::int8 AS waste
    FROM unnest($1, $2) wanted(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    JOIN relation r ON r.root = c.oid
    CROSS JOIN LATERAL /*measure*/(r.oid::regclass) m
    GROUP BY 1, 2
) t
