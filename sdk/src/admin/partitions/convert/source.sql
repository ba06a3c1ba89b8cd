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
            -- Behind those of the key are those that are only included.
            WHERE a.attrelid = c.oid AND a.attname = $2::text AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
        )))
    ),
    'unfit', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(s.conname, CASE
            WHEN NOT s.convalidated THEN 'is NOT VALID, and its copy would not take rows that break it: VALIDATE it'
            WHEN s.connoinherit THEN 'is NO INHERIT, which no partitioned table can have: make it anew without that'
            ELSE 'is DEFERRABLE, and its copy would be held against it row by row: make it anew without that'
        END) ORDER BY s.conname), '[]')
        FROM pg_catalog.pg_constraint s
        WHERE s.conrelid = c.oid AND s.contype IN ('c', 'f', 'u') AND (
            NOT s.convalidated OR (s.contype = 'c' AND s.connoinherit) OR (s.contype = 'u' AND s.condeferrable)
        )
    ),
    'statistics', (
        SELECT coalesce(pg_catalog.json_agg(s.stxname ORDER BY s.stxname), '[]')
        FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid
    ),
    'storage', coalesce(pg_catalog.to_json(c.reloptions), '[]'),
    'is_unlogged', c.relpersistence = 'u',
    'has_replica_identity', c.relreplident <> 'd',
    'sequences', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(d.objid::regclass::text, a.attname)), '[]')
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'a'
    ),
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
