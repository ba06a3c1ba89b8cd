-- The triggers that keep denormalised columns, found by what their comments begin with. $1: these beginnings, one for each table.
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'table', wanted.nth - 1,
    'on', pg_catalog.json_build_array(n.nspname, c.relname),
    'trigger', g.tgname,
    'mark', d.description,
    'fires', g.tgenabled IN ('O', 'A'),
    'function', pg_catalog.json_build_array(fn.nspname, f.proname),
    'body', f.prosrc,
    'is_definers', f.prosecdef,
    'is_open', pg_catalog.has_function_privilege('public', f.oid, 'EXECUTE'),
    'settings', coalesce(pg_catalog.to_json(f.proconfig), '[]')
) ORDER BY wanted.nth, g.tgname), '[]')
FROM unnest($1) WITH ORDINALITY wanted(beginning, nth)
JOIN pg_catalog.pg_description d ON pg_catalog.starts_with(d.description, wanted.beginning)
JOIN pg_catalog.pg_trigger g ON g.oid = d.objoid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
