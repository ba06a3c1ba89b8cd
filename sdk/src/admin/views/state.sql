-- What has the names of the views. $1: schemas, $2: names, pairwise; $3: the names of their indexes.
SELECT coalesce(pg_catalog.json_agg(CASE WHEN c.oid IS NOT NULL THEN pg_catalog.json_build_object(
    'kind', c.relkind,
    'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
    'is_populated', c.relispopulated,
    'bytes', CASE WHEN c.relkind = 'm' THEN pg_catalog.pg_total_relation_size(c.oid) ELSE 0 END,
    -- What was granted on it, with its name left out.
    'grants', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.format('%s ON TABLE %%s TO %s%s', x.privilege_type,
            CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
            CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)), '[]')
        FROM pg_catalog.aclexplode(c.relacl) x WHERE x.grantee <> c.relowner
    ),
    'other_owner', (SELECT o.rolname FROM pg_catalog.pg_roles o WHERE o.oid = c.relowner AND o.rolname <> current_user),
    'rows', greatest(c.reltuples, 0)::int8,
    'key', (
        SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid AND x.relname = wanted.index
        CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY u(number, nth)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
    )
) END ORDER BY wanted.nth), '[]')
FROM unnest($1, $2, $3) WITH ORDINALITY wanted(schema, name, index, nth)
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
