-- What lies around the managed tables. $1: managed schemas, $2 and $3: the managed tables' schemas and names,
-- $4: enum types.
SELECT pg_catalog.json_build_object(
    'schemas', (SELECT coalesce(pg_catalog.json_agg(nspname), '[]') FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1)),
    'enums', (
        SELECT coalesce(pg_catalog.json_object_agg(t.typname, (
            SELECT coalesce(pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
        )), '{}')
        FROM pg_catalog.pg_type t
        WHERE t.typname = ANY ($4) AND t.typtype = 'e' AND pg_catalog.pg_type_is_visible(t.oid)
    ),
    'unmanaged', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(n.nspname, c.relname) ORDER BY n.nspname, c.relname), '[]')
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
            AND NOT EXISTS (
                SELECT FROM unnest($2, $3) managed(schema, name)
                WHERE managed.schema = n.nspname AND managed.name = c.relname
            )
            -- An extension's own tables are no one's to manage.
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            )
    )
)
