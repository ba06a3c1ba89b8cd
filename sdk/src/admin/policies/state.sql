-- What the database has of row level security and of rights on the managed tables.
-- $1: schemas, $2: names, pairwise; $3: the application role; $4: the role for analytics, NULL without one.
WITH managed AS (
    SELECT c.oid, n.nspname, c.relname, c.relowner
    FROM unnest($1, $2) wanted(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    WHERE c.relkind IN ('r', 'p')
),
role AS (
    SELECT r.* FROM pg_catalog.pg_roles r WHERE r.rolname IN ($3, $4)
),
-- The tables and all that they are partitioned into.
piece AS (
    SELECT oid AS root, oid AS relation FROM managed
    UNION
    SELECT m.oid, t.relid FROM managed m, pg_catalog.pg_partition_tree(m.oid) t
)
SELECT json_build_object(
    'runner', (
        SELECT json_build_object(
            'name', r.rolname,
            'is_superuser', r.rolsuper,
            'makes_roles', r.rolcreaterole OR r.rolsuper,
            'bypasses', r.rolsuper OR r.rolbypassrls
        )
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
    ),
    'roles', (
        SELECT coalesce(json_agg(json_build_object(
            'name', r.rolname,
            'excess', (
                SELECT coalesce(json_agg(attribute ORDER BY nth), '[]')
                FROM unnest(
                    ARRAY['SUPERUSER', 'BYPASSRLS', 'CREATEDB', 'CREATEROLE', 'REPLICATION'],
                    ARRAY[r.rolsuper, r.rolbypassrls, r.rolcreatedb, r.rolcreaterole, r.rolreplication]
                ) WITH ORDINALITY has(attribute, it, nth)
                WHERE it
            ),
            'memberships', (
                SELECT coalesce(json_agg(DISTINCT g.rolname), '[]')
                FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
                WHERE m.member = r.oid
            )
        ) ORDER BY r.rolname), '[]')
        FROM role r
    ),
    'schemas', (
        SELECT coalesce(json_agg(json_build_object(
            'name', n.nspname,
            'users', (
                SELECT coalesce(json_agg(wanted.name), '[]') FROM unnest(ARRAY[$3, $4]) wanted(name)
                LEFT JOIN role r ON r.rolname = wanted.name
                WHERE wanted.name IS NOT NULL AND coalesce(
                    has_schema_privilege(r.oid, n.oid, 'USAGE'), has_schema_privilege('public', n.oid, 'USAGE')
                )
            )
        ) ORDER BY n.nspname), '[]')
        FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1)
    ),
    'pieces', (
        SELECT coalesce(json_agg(json_build_object(
            'root_schema', m.nspname,
            'root', m.relname,
            'schema', n.nspname,
            'name', c.relname,
            'owner', o.rolname,
            'owner_bypasses', o.rolsuper OR o.rolbypassrls,
            'enabled', c.relrowsecurity,
            'forced', c.relforcerowsecurity,
            'policies', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', p.polname,
                    'permissive', p.polpermissive,
                    'command', p.polcmd,
                    -- NULL is everybody.
                    'roles', (
                        SELECT json_agg(r.rolname ORDER BY r.rolname) FROM unnest(p.polroles) member(oid)
                        LEFT JOIN pg_catalog.pg_roles r ON r.oid = member.oid
                    ),
                    'using', pg_get_expr(p.polqual, p.polrelid),
                    'check', pg_get_expr(p.polwithcheck, p.polrelid)
                ) ORDER BY p.polname), '[]')
                FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid
            ),
            -- Those of everybody have no grantee.
            'rights', (
                SELECT coalesce(json_agg(json_build_object('grantee', r.rolname, 'right', a.privilege_type)), '[]')
                FROM aclexplode(c.relacl) a LEFT JOIN role r ON r.oid = a.grantee
                WHERE a.grantee = 0 OR r.oid IS NOT NULL
            ),
            -- What its defaults count with, where that is no identity column.
            'sequences', (
                SELECT coalesce(json_agg(DISTINCT jsonb_build_object(
                    'schema', sn.nspname,
                    'name', s.relname,
                    'usable', coalesce((
                        SELECT has_sequence_privilege(r.oid, s.oid, 'USAGE') FROM role r WHERE r.rolname = $3
                    ), false)
                )), '[]')
                FROM pg_catalog.pg_attrdef d
                JOIN pg_catalog.pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid
                    AND x.refclassid = 'pg_class'::regclass
                JOIN pg_catalog.pg_class s ON s.oid = x.refobjid AND s.relkind = 'S'
                JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
                WHERE d.adrelid = c.oid AND c.oid = m.oid
            )
        ) ORDER BY m.nspname, m.relname, c.oid <> m.oid, c.relname), '[]')
        FROM piece
        JOIN managed m ON m.oid = piece.root
        JOIN pg_catalog.pg_class c ON c.oid = piece.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
    )
)
