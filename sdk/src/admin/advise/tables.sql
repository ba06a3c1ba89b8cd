-- The tables of users as their owner sees them, partitions left out, as one JSON array: their keys and indexes. How expressions are
-- told is put in by the one who asks: PostgreSQL locks the table to write one out.
SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(described)), '[]') FROM (
    SELECT
        n.nspname AS schema,
        c.relname AS name,
        -- Where tables without a schema lie.
        n.nspname = pg_catalog.current_schema() AS is_usual,
        c.relkind AS kind,
        (SELECT count(*) FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND t.relid <> c.oid) AS partitions,
        -- Rollups of it: each has a function that its triggers call.
        (
            SELECT count(DISTINCT g.tgfoid) FROM pg_catalog.pg_trigger g
            WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND pg_catalog.starts_with(g.tgname, '/*rollup*/')
        ) AS rollups,
        -- Columns of time, by which it could be partitioned.
        (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
        ) AS times,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', k.conname,
                'columns', (
                    SELECT pg_catalog.json_agg(pg_catalog.quote_ident(a.attname) ORDER BY u.nth)
                    FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, nth)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
                ),
                'target', pg_catalog.format('%I.%I', tn.nspname, t.relname)
            ) ORDER BY k.conname), '[]')
            FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
            JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
            WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
        ) AS foreign_keys,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', r.relname,
                'method', m.amname,
                -- Each with what orders it: two are alike where all of that is.
                'keys', (
                    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                        'text', CASE WHEN i.indkey[k.nth - 1] <> 0 THEN (
                            SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid = c.oid AND a.attnum = i.indkey[k.nth - 1]
                        ) ELSE /*expression*/ END,
                        'order', pg_catalog.format('%s %s %s', i.indclass[k.nth - 1], i.indcollation[k.nth - 1], i.indoption[k.nth - 1])
                    ) ORDER BY k.nth)
                    FROM pg_catalog.generate_series(1, i.indnkeyatts::int8) k(nth)
                ),
                'included', (
                    SELECT coalesce(pg_catalog.json_agg(pg_catalog.quote_ident(a.attname) ORDER BY k.nth), '[]')
                    FROM pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int8) k(nth)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k.nth - 1]
                ),
                'predicate', CASE WHEN i.indpred IS NOT NULL THEN /*predicate*/ END,
                'is_unique', i.indisunique,
                -- A constraint's own, or what tells replication which row is meant, or what the table is clustered by.
                'is_kept', i.indisreplident OR i.indisclustered OR EXISTS (
                    SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
                ),
                'is_valid', i.indisvalid
            ) ORDER BY r.relname), '[]')
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
            JOIN pg_catalog.pg_am m ON m.oid = r.relam
            WHERE i.indrelid = c.oid
        ) AS indexes
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
        AND n.nspname !~ '^(pg_.*|information_schema|citus|citus_internal|columnar|columnar_internal|shardwise|shardwise_old)$'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    ORDER BY n.nspname, c.relname
) described
