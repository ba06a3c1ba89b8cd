-- The triggers that keep denormalised columns, found by their comments: with the number of the table whose columns they keep, and none
-- where that table is gone. $1: what the comments begin with, one for each table; $2 and $3: schemas and names of the tables.
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
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_trigger g ON g.oid = d.objoid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
LEFT JOIN unnest($1) WITH ORDINALITY wanted(beginning, nth) ON pg_catalog.starts_with(d.description, wanted.beginning)
WHERE wanted.nth IS NOT NULL
    OR EXISTS (SELECT FROM unnest($2, $3) t(schema, name) WHERE t.schema = n.nspname AND t.name = c.relname)
        AND pg_catalog.to_regclass(pg_catalog.substring(
            d.description, '^shardwise: denormalized columns of (.*), [0-9a-f]{16}'
        )) IS NULL
        AND pg_catalog.starts_with(d.description, 'shardwise: denormalized columns of ')
