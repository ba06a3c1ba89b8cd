-- What lies around the managed tables. $1: managed schemas, $2 and $3: the managed tables' schemas and names,
-- $4: enum types.
SELECT json_build_object(
    'schemas', (SELECT coalesce(json_agg(nspname), '[]') FROM pg_namespace WHERE nspname = ANY ($1)),
    'enums', (
        SELECT coalesce(json_object_agg(t.typname, (
            SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
            FROM pg_enum e WHERE e.enumtypid = t.oid
        )), '{}')
        FROM pg_type t
        WHERE t.typname = ANY ($4) AND t.typtype = 'e' AND pg_type_is_visible(t.oid)
    ),
    'unmanaged', (
        SELECT coalesce(json_agg(json_build_array(n.nspname, c.relname) ORDER BY n.nspname, c.relname), '[]')
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
            AND NOT EXISTS (
                SELECT FROM unnest($2, $3) managed(schema, name)
                WHERE managed.schema = n.nspname AND managed.name = c.relname
            )
            -- An extension's own tables are no one's to manage.
            AND NOT EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            )
    )
)
