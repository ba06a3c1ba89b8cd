-- What a table has besides its columns, and what hangs on it. $1: the table.
SELECT pg_catalog.json_build_object(
    'owner', pg_catalog.pg_get_userbyid(c.relowner),
    'is_owned', c.relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
    'estimate', greatest(c.reltuples, 0)::int8,
    'key', (
        SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY u.nth), '[]')
        FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey) WITH ORDINALITY u(number, nth)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
        WHERE i.indrelid = c.oid AND i.indisprimary
    ),
    -- Exclusions, and unique keys that do not have the partition column: $2.
    'uniques', (
        SELECT coalesce(pg_catalog.json_agg(r.relname ORDER BY r.relname), '[]')
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND NOT i.indisprimary AND (i.indisexclusion OR (i.indisunique AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attname = $2::text AND a.attnum = ANY (i.indkey)
        )))
    ),
    'unchecked', (
        SELECT coalesce(pg_catalog.json_agg(s.conname ORDER BY s.conname), '[]')
        FROM pg_catalog.pg_constraint s WHERE s.conrelid = c.oid AND NOT s.convalidated
    ),
    'statistics', (
        SELECT coalesce(pg_catalog.json_agg(s.stxname ORDER BY s.stxname), '[]')
        FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid
    ),
    'storage', coalesce(pg_catalog.to_json(c.reloptions), '[]'),
    'views', (
        SELECT coalesce(pg_catalog.json_agg(DISTINCT v.relname), '[]')
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
        WHERE d.refobjid = c.oid AND d.refclassid = 'pg_class'::regclass
    ),
    'publications', (
        SELECT coalesce(pg_catalog.json_agg(p.pubname ORDER BY p.pubname), '[]')
        FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = c.oid
    ),
    'policies', (
        SELECT coalesce(pg_catalog.json_agg(p.polname ORDER BY p.polname), '[]')
        FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid
    ),
    'has_kin', EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid OR (h.inhrelid = c.oid AND NOT c.relispartition)),
    'has_column_grants', EXISTS (
        SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attacl IS NOT NULL
    ),
    -- The triggers of rollups and of denormalised columns, with the table's name left out.
    'followers', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'trigger', g.tgname,
            'comment', pg_catalog.obj_description(g.oid, 'pg_trigger'),
            'definition', pg_catalog.replace(
                pg_catalog.pg_get_triggerdef(g.oid),
                (SELECT pg_catalog.format(' ON %I.%I ', n.nspname, c.relname) FROM pg_catalog.pg_namespace n WHERE n.oid = c.relnamespace),
                ' ON %s '
            )
        ) ORDER BY g.tgname), '[]')
        FROM pg_catalog.pg_trigger g
        WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND (g.tgname LIKE 'shardwise\_rollup\_%' OR g.tgname LIKE 'zz\_shardwise\_copy\_%')
    ),
    'grants', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.format('%s ON TABLE %%s TO %s%s', x.privilege_type,
            CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
            CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)), '[]')
        FROM pg_catalog.aclexplode(c.relacl) x WHERE x.grantee <> c.relowner
    )
)
FROM pg_catalog.pg_class c WHERE c.oid = ($1::text)::regclass
