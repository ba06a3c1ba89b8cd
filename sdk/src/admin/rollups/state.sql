-- What there is of each rollup, in the order in which they are asked for. $1: schemas, $2: tables behind them, $3: views, $4: functions,
-- $5 and $6: schemas and names of the sources; $7: the roles that are to read them.
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'mark', pg_catalog.obj_description(p.oid, 'pg_class'),
    'view', (
        SELECT pg_catalog.json_build_object(
            'kind', v.relkind,
            'definition', CASE WHEN v.relkind = 'v' THEN pg_catalog.pg_get_viewdef(v.oid) END,
            'as_reader', coalesce('security_invoker=true' = ANY (v.reloptions), false),
            'readers', (
                SELECT coalesce(pg_catalog.json_agg(r.rolname), '[]') FROM pg_catalog.pg_roles r
                WHERE r.rolname = ANY ($7) AND pg_catalog.has_table_privilege(r.oid, v.oid, 'SELECT')
            )
        )
        FROM pg_catalog.pg_class v WHERE v.relnamespace = n.oid AND v.relname = wanted.view
    ),
    'function', (
        SELECT pg_catalog.json_build_object(
            'body', f.prosrc,
            'is_definers', f.prosecdef,
            'is_open', pg_catalog.has_function_privilege('public', f.oid, 'EXECUTE'),
            'settings', coalesce(pg_catalog.to_json(f.proconfig), '[]')
        )
        FROM pg_catalog.pg_proc f WHERE f.pronamespace = n.oid AND f.proname = wanted.function AND f.pronargs = 0
    ),
    'triggers', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', g.tgname,
            'fires', g.tgenabled IN ('O', 'A'),
            'events', g.tgtype,
            'calls', g.tgfoid = (
                SELECT f.oid FROM pg_catalog.pg_proc f
                WHERE f.pronamespace = n.oid AND f.proname = wanted.function AND f.pronargs = 0
            )
        )), '[]')
        FROM pg_catalog.pg_trigger g WHERE g.tgrelid = s.oid AND NOT g.tgisinternal
    )
) ORDER BY wanted.nth), '[]')
FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY wanted(schema, parts, view, function, source_schema, source, nth)
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
LEFT JOIN pg_catalog.pg_class p ON p.relnamespace = n.oid AND p.relname = wanted.parts
LEFT JOIN pg_catalog.pg_namespace sn ON sn.nspname = wanted.source_schema
LEFT JOIN pg_catalog.pg_class s ON s.relnamespace = sn.oid AND s.relname = wanted.source
