-- A whole database as one JSON document, from the catalogs of PostgreSQL 11 to 18: what people made, and nothing of extensions,
-- of the server itself, or of the SDK. Columns that only some of these releases have are read by way of to_jsonb.
WITH schemas AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'citus', 'citus_internal', 'columnar', 'columnar_internal')
        AND n.nspname !~ '^shardwise(_|$)'
), of_extensions AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), relations AS (
    -- By name, as c.* has no oid in PostgreSQL 11.
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relowner, c.reltuples, c.relispartition, c.relpartbound, c.relrowsecurity,
        c.relreplident, c.relacl, s.nspname
    FROM pg_catalog.pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE NOT EXISTS (
        SELECT FROM of_extensions e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
    )
)
SELECT pg_catalog.json_build_object(
    'version', pg_catalog.current_setting('server_version_num')::int4,
    'database', pg_catalog.current_database(),
    'current_schema', pg_catalog.current_schema(),
    'wal_level', pg_catalog.current_setting('wal_level'),
    'output_plugins', (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'),
    'extensions', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', x.extname, 'version', x.extversion) ORDER BY x.extname), '[]')
        FROM pg_catalog.pg_extension x WHERE x.extname <> 'plpgsql'
    ),
    'enums', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('schema', s.nspname, 'name', t.typname, 'labels', (
            SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
        )) ORDER BY s.nspname, t.typname), '[]')
        FROM pg_catalog.pg_type t JOIN schemas s ON s.oid = t.typnamespace
        WHERE t.typtype = 'e' AND NOT EXISTS (
            SELECT FROM of_extensions e WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = t.oid
        )
    ),
    'domains', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', s.nspname, 'name', t.typname,
            'base', pg_catalog.format_type(t.typbasetype, t.typtypmod), 'not_null', t.typnotnull,
            'checks', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.pg_get_constraintdef(k.oid) ORDER BY k.conname), '[]')
                FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'
            )
        ) ORDER BY s.nspname, t.typname), '[]')
        FROM pg_catalog.pg_type t JOIN schemas s ON s.oid = t.typnamespace
        WHERE t.typtype = 'd' AND NOT EXISTS (
            SELECT FROM of_extensions e WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = t.oid
        )
    ),
    'functions', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', s.nspname, 'name', p.proname, 'arguments', pg_catalog.pg_get_function_identity_arguments(p.oid),
            'language', l.lanname, 'kind', p.prokind, 'is_trigger', p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype,
            'returns', pg_catalog.pg_get_function_result(p.oid),
            -- One that is written BEGIN ATOMIC or RETURN has no text of its own (PostgreSQL 14 and newer).
            'source', CASE WHEN p.prosrc = '' AND p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE p.prosrc END,
            'needs_keys', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_array(r.nspname, r.relname)), '[]')
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint k ON k.oid = d.refobjid
                JOIN relations r ON r.oid = k.conrelid
                WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                    AND d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            )
        ) ORDER BY s.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), '[]')
        FROM pg_catalog.pg_proc p JOIN schemas s ON s.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE NOT EXISTS (
            SELECT FROM of_extensions e WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid
        )
    ),
    'sequences', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', c.nspname, 'name', c.relname,
            'type', pg_catalog.format_type(q.seqtypid, NULL),
            'owner', (
                SELECT pg_catalog.json_build_object('schema', o.nspname, 'table', o.relname, 'column', a.attname)
                FROM pg_catalog.pg_depend d JOIN relations o ON o.oid = d.refobjid
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
            )
        ) ORDER BY c.nspname, c.relname), '[]')
        FROM relations c JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid
    ),
    'views', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', c.nspname, 'name', c.relname, 'is_materialized', c.relkind = 'm',
            'definition', pg_catalog.pg_get_viewdef(c.oid),
            'reads', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_array(r.nspname, r.relname)), '[]')
                FROM pg_catalog.pg_rewrite w
                JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                JOIN relations r ON r.oid = d.refobjid
                WHERE w.ev_class = c.oid AND r.oid <> c.oid
            ),
            'needs_keys', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_array(r.nspname, r.relname)), '[]')
                FROM pg_catalog.pg_rewrite w
                JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
                    AND d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                JOIN pg_catalog.pg_constraint k ON k.oid = d.refobjid JOIN relations r ON r.oid = k.conrelid
                WHERE w.ev_class = c.oid
            )
        ) ORDER BY c.nspname, c.relname), '[]')
        FROM relations c WHERE c.relkind IN ('v', 'm')
    ),
    'tables', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', c.nspname,
            'name', c.relname,
            'kind', c.relkind,
            'is_unlogged', c.relpersistence = 'u',
            'owner', pg_catalog.pg_get_userbyid(c.relowner),
            'rows', greatest(c.reltuples, 0)::int8,
            'bytes', CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_total_relation_size(c.oid) ELSE 0 END,
            'partition_key', pg_catalog.pg_get_partkeydef(c.oid),
            'parents', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(p.nspname, p.relname) ORDER BY h.inhseqno), '[]')
                FROM pg_catalog.pg_inherits h JOIN relations p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid
            ),
            'is_partition', c.relispartition,
            'bounds', pg_catalog.pg_get_expr(c.relpartbound, c.oid),
            'has_row_security', c.relrowsecurity,
            'replica_identity', c.relreplident,
            'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
            'columns', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', a.attname,
                    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                    -- What a domain stands for.
                    'base_type', pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END, NULL),
                    'kind', t.typtype,
                    'collation', CASE WHEN a.attcollation <> t.typcollation THEN l.collname END,
                    -- From PostgreSQL 18 on, it may be NOT NULL for new rows alone.
                    'not_null', a.attnotnull AND NOT EXISTS (
                        SELECT FROM pg_catalog.pg_constraint k
                        WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated AND a.attnum = ANY (k.conkey)
                    ),
                    'identity', a.attidentity,
                    'generated', coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', ''),
                    'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                    'comment', pg_catalog.col_description(c.oid, a.attnum)
                ) ORDER BY a.attnum), '[]')
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
                LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ),
            'constraints', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', k.conname,
                    -- A key WITHOUT OVERLAPS (PostgreSQL 18) excludes, as by a range, and tells no row apart by equality alone.
                    'kind', CASE WHEN e.is_temporal AND k.contype <> 'f' THEN 'x' ELSE k.contype END,
                    'definition', pg_catalog.pg_get_constraintdef(k.oid),
                    'columns', (
                        SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY u.nth), '[]')
                        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, nth)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
                    ),
                    'is_validated', k.convalidated,
                    'is_deferrable', k.condeferrable,
                    -- One of a PERIOD points at several rows, together.
                    'reference', CASE WHEN k.contype = 'f' AND NOT e.is_temporal THEN pg_catalog.json_build_object(
                        'schema', f.nspname, 'table', f.relname,
                        'columns', (
                            SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
                            FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, nth)
                            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
                        ),
                        'on_delete', k.confdeltype, 'on_update', k.confupdtype, 'match', k.confmatchtype
                    ) END
                ) ORDER BY k.conname), '[]')
                FROM pg_catalog.pg_constraint k LEFT JOIN relations f ON f.oid = k.confrelid
                CROSS JOIN LATERAL (SELECT coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::bool, false) AS is_temporal) e
                WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x') AND (k.contype <> 'f' OR k.conparentid = 0)
            ),
            'indexes', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', r.relname,
                    'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
                    'is_unique', i.indisunique,
                    'is_valid', i.indisvalid,
                    -- Of an expression there is no column.
                    'columns', (
                        SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY u.nth), '[]')
                        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY u(number, nth)
                        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number AND u.number > 0
                        WHERE u.nth <= i.indnkeyatts
                    ),
                    'is_partial', i.indpred IS NOT NULL,
                    'bytes', pg_catalog.pg_relation_size(i.indexrelid)
                ) ORDER BY r.relname), '[]')
                FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
                WHERE i.indrelid = c.oid AND NOT EXISTS (
                    SELECT FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid = c.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
                )
            ),
            'triggers', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', g.tgname, 'definition', pg_catalog.pg_get_triggerdef(g.oid), 'is_on', g.tgenabled <> 'D',
                    'function_schema', fn.nspname, 'function', f.proname
                ) ORDER BY g.tgname), '[]')
                FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
                JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
                WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
            ),
            'policies', (
                SELECT coalesce(pg_catalog.json_agg(p.polname ORDER BY p.polname), '[]')
                FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid
            ),
            'grants', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.format('%s TO %s', x.privilege_type,
                    CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END)), '[]')
                FROM pg_catalog.aclexplode(c.relacl) x WHERE x.grantee <> c.relowner
            )
        ) ORDER BY c.nspname, c.relname), '[]')
        FROM relations c WHERE c.relkind IN ('r', 'p', 'f')
    )
)
