-- What a side has of the tables with these names, in their order, as one JSON array with null for those that are not there. For PostgreSQL 11 to 18.
SELECT coalesce(pg_catalog.json_agg(CASE WHEN c.oid IS NOT NULL THEN pg_catalog.json_build_object(
    'kind', c.relkind,
    'persistence', c.relpersistence,
    'columns', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', a.attname,
            'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'is_float', a.atttypid IN ('pg_catalog.float4'::pg_catalog.regtype, 'pg_catalog.float8'::pg_catalog.regtype),
            'generated', coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', ''),
            'identity', a.attidentity
        ) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    'keys', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'index', o.relname,
            'columns', k.columns,
            'ordered', k.columns
        ) ORDER BY i.indisprimary DESC, o.relname), '[]')
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class o ON o.oid = i.indexrelid
        JOIN pg_catalog.pg_am m ON m.oid = o.relam AND m.amname = 'btree'
        CROSS JOIN LATERAL (
            SELECT pg_catalog.json_agg(a.attname ORDER BY n.nth) AS columns, bool_and(a.attnotnull AND NOT EXISTS (
                -- From PostgreSQL 18 on, it may be NOT NULL for new rows alone.
                SELECT FROM pg_catalog.pg_constraint l
                WHERE l.conrelid = c.oid AND l.contype = 'n' AND NOT l.convalidated AND a.attnum = ANY (l.conkey)
            )) AS not_null
            FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS n (attnum, nth)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.attnum WHERE n.nth <= i.indnkeyatts
        ) k
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate AND i.indpred IS NULL
            AND i.indexprs IS NULL AND k.not_null
    ),
    'identities', (
        WITH RECURSIVE tree AS (
            SELECT c.oid, c.relkind, c.relreplident, c.relname, c.relnamespace
            UNION ALL
            SELECT p.oid, p.relkind, p.relreplident, p.relname, p.relnamespace
            FROM tree JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.oid JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid
            WHERE tree.relkind = 'p'
        )
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'table', pg_catalog.format('%I.%I', n.nspname, t.relname),
            'kind', t.relreplident,
            'columns', (
                SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_index i
                JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
                    AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                WHERE i.indrelid = t.oid AND CASE t.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
            )
        ) ORDER BY n.nspname, t.relname), '[]')
        FROM tree t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace WHERE t.relkind = 'r' OR t.oid = c.oid
    ),
    'uniques', (
        SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
    ),
    'always', (
        SELECT coalesce(pg_catalog.json_agg(g.tgname ORDER BY g.tgname), '[]') FROM pg_catalog.pg_trigger g
        WHERE g.tgrelid = c.oid AND g.tgenabled = 'A' AND NOT g.tgisinternal
    ),
    'fires', EXISTS (
        SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled <> 'D' AND NOT g.tgisinternal
    ) OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND c.oid IN (k.conrelid, k.confrelid)),
    'rows', greatest(c.reltuples, 0)::int8,
    'bytes', (
        WITH RECURSIVE tree AS (
            SELECT c.oid, c.relkind
            UNION ALL
            SELECT p.oid, p.relkind FROM tree JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.oid
            JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid WHERE tree.relkind = 'p'
        )
        SELECT sum(CASE WHEN relkind = 'r' THEN pg_catalog.pg_total_relation_size(oid) ELSE 0 END)::int8 FROM tree
    )
) END ORDER BY wanted.nth), '[]')
FROM pg_catalog.unnest($1) WITH ORDINALITY AS wanted (name, nth)
LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(wanted.name)
