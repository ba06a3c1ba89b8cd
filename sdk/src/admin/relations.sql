-- The named relations as one JSON array. $1: schemas, $2: names, pairwise.
-- Functions and catalogs by their schema, here and wherever the owner of the tables asks: whoever may make a function in a
-- schema of the search path could have one of his own run in their place. (`unnest` of several is the parser's own.)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(relation)), '[]') FROM (
    SELECT
        c.oid::int8 AS oid,
        n.nspname AS schema,
        c.relname AS name,
        c.relkind AS kind,
        pg_catalog.pg_get_partkeydef(c.oid) AS partition_key,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', a.attname,
                'type', pg_catalog.format_type(a.atttypid, a.atttypmod)
                    || CASE WHEN a.attcollation <> t.typcollation
                        THEN ' COLLATE ' || pg_catalog.quote_ident(l.collname) ELSE '' END,
                'base_type', pg_catalog.format_type(a.atttypid, NULL),
                'not_null', a.attnotnull,
                'identity', a.attidentity,
                'generated', a.attgenerated,
                'expression', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                -- Whether two servers that evaluate it may get two values.
                'varies', d.adbin::text ~ '[{](SQLVALUEFUNCTION|NEXTVALUEEXPR) ' OR EXISTS (
                    SELECT FROM pg_catalog.regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS called
                    JOIN pg_catalog.pg_proc f ON f.oid = called[1]::oid
                    WHERE f.provolatile <> 'i'
                )
            ) ORDER BY a.attnum), '[]')
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
            LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ) AS columns,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', k.conname,
                'kind', k.contype,
                'definition', pg_catalog.pg_get_constraintdef(k.oid),
                'reference', CASE WHEN k.contype = 'f' THEN pg_catalog.json_build_object(
                    'columns', (
                        SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
                        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, nth)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
                    ),
                    'target_schema', fn.nspname,
                    'target', f.relname,
                    'target_columns', (
                        SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
                        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, nth)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
                    ),
                    'on_delete', k.confdeltype,
                    -- The catalog has this column since PostgreSQL 15.
                    'cleared', CASE WHEN pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(k) -> 'confdelsetcols') = 'array' THEN (
                        SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
                        FROM pg_catalog.jsonb_array_elements_text(pg_catalog.to_jsonb(k) -> 'confdelsetcols') u(number)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number::int
                    ) END,
                    'on_update', k.confupdtype,
                    'match', k.confmatchtype,
                    'deferrable', k.condeferrable,
                    'validated', k.convalidated
                ) END
            ) ORDER BY k.conname), '[]')
            FROM pg_catalog.pg_constraint k
            LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
            LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
            -- A key that points at a partitioned table has hidden copies for the partitions.
            WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x')
                AND (k.contype <> 'f' OR k.conparentid = 0)
        ) AS constraints,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', r.relname,
                -- What stands behind the table's name: the names before it differ at a scratch place.
                'definition', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                    || pg_catalog.substr(
                        pg_catalog.pg_get_indexdef(i.indexrelid),
                        position(pg_catalog.format('.%I USING ', c.relname) IN pg_catalog.pg_get_indexdef(i.indexrelid))
                            + pg_catalog.length(pg_catalog.format('.%I USING ', c.relname))
                    )
                    || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
            ) ORDER BY r.relname), '[]')
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_constraint k
                WHERE k.conrelid = c.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
            )
        ) AS indexes,
        (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'oid', p.oid::int8,
                'schema', s.nspname,
                'name', p.relname,
                'is_default', pg_catalog.pg_get_expr(p.relpartbound, p.oid) = 'DEFAULT',
                'is_partitioned', p.relkind = 'p',
                -- The catalog has this column since PostgreSQL 14.
                'is_detaching', coalesce((pg_catalog.to_jsonb(h) ->> 'inhdetachpending')::bool, false),
                'from', b.moment[1],
                'to', b.moment[2]
            ) ORDER BY p.relname), '[]')
            FROM pg_catalog.pg_inherits h
            JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid
            JOIN pg_catalog.pg_namespace s ON s.oid = p.relnamespace
            LEFT JOIN pg_catalog.pg_partitioned_table y ON y.partrelid = c.oid AND y.partnatts = 1
            LEFT JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attnum = y.partattrs[0]
                AND k.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
            -- The bounds in microseconds since 1970, in UTC; the least and the greatest number where they are open.
            LEFT JOIN LATERAL (
                SELECT pg_catalog.array_agg(CASE
                    WHEN m.text IN ('MINVALUE', '''-infinity''') THEN -9223372036854775808
                    WHEN m.text IN ('MAXVALUE', '''infinity''') THEN 9223372036854775807
                    ELSE (extract(epoch FROM pg_catalog.btrim(m.text, '''')::timestamptz) * 1000000)::int8
                END ORDER BY m.nth) AS moment
                FROM pg_catalog.unnest(pg_catalog.regexp_match(
                    pg_catalog.pg_get_expr(p.relpartbound, p.oid),
                    '^FOR VALUES FROM [(](MINVALUE|MAXVALUE|''[^'']*'')[)] TO [(](MINVALUE|MAXVALUE|''[^'']*'')[)]$'
                )) WITH ORDINALITY m(text, nth)
                WHERE k.attnum IS NOT NULL
            ) b ON true
            WHERE h.inhparent = c.oid AND p.relispartition
        ) AS partitions,
        (
            SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.format('%I.%I', rn.nspname, r.relname)), '[]')
            FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class r ON r.oid = k.conrelid
            JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
            WHERE k.contype = 'f' AND k.confrelid = c.oid AND k.conparentid = 0
        ) AS referenced_by,
        (
            SELECT coalesce(pg_catalog.json_agg(g.tgname ORDER BY g.tgname), '[]')
            FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
                -- Those of rollups and of denormalised columns see to rows that are written, and not to those that change places.
                AND g.tgname NOT LIKE 'shardwise\_rollup\_%' AND g.tgname NOT LIKE 'zz\_shardwise\_copy\_%'
        ) AS triggers
    FROM unnest($1, $2) wanted(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    ORDER BY n.nspname, c.relname
) relation
