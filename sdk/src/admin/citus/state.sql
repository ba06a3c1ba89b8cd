-- What Citus knows of the managed tables, and what it would look at before it distributes them.
-- $1: schemas, $2: names, pairwise.
WITH managed AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relpersistence, c.relispartition
    FROM unnest($1, $2) wanted(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    WHERE c.relkind IN ('r', 'p')
),
-- The tables and their partitions: what holds for one must hold for the others.
piece AS (
    SELECT oid AS root, oid AS relation FROM managed
    UNION ALL
    SELECT m.oid, h.inhrelid FROM managed m JOIN pg_catalog.pg_inherits h ON h.inhparent = m.oid WHERE m.relkind = 'p'
)
SELECT pg_catalog.json_build_object(
    -- A server without nodes becomes the coordinator, and takes shards, with its first table.
    'is_coordinator', pg_catalog.citus_is_coordinator() OR NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node),
    'settings', pg_catalog.json_build_object(
        'wal_level', pg_catalog.current_setting('wal_level'),
        -- New in the minor versions of PostgreSQL of 2026. NULL as well where the role may not read it.
        'output_plugins', (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'),
        'replication_factor', pg_catalog.current_setting('citus.shard_replication_factor')::int,
        'has_coordinator', EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0),
        'has_room', EXISTS (
            SELECT FROM pg_catalog.pg_dist_node WHERE isactive AND noderole = 'primary' AND shouldhaveshards
        ) OR NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node)
    ),
    'tenant_schemas', (
        SELECT coalesce(pg_catalog.json_agg(n.nspname), '[]')
        FROM pg_catalog.pg_dist_schema s JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
        WHERE n.nspname = ANY ($1)
    ),
    'catalog', pg_catalog.json_build_object(
        'comment', CASE WHEN (
            SELECT pg_catalog.count(*) = 2 FROM pg_catalog.pg_dist_partition
            WHERE logicalrelid IN (
                pg_catalog.to_regclass('shardwise.node_regions'), pg_catalog.to_regclass('shardwise.directories')
            )
        ) THEN pg_catalog.obj_description(pg_catalog.to_regnamespace('shardwise'), 'pg_namespace') END,
        'foreign_owner', (
            SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace
            WHERE nspname = 'shardwise' AND NOT pg_catalog.pg_has_role(nspowner, 'USAGE')
        ),
        'may_create', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
        'may_register', CASE WHEN pg_catalog.to_regclass('shardwise.directories') IS NOT NULL
            THEN pg_catalog.has_table_privilege('shardwise.directories', 'INSERT')
                AND pg_catalog.has_table_privilege('shardwise.directories', 'UPDATE')
                AND pg_catalog.has_table_privilege('shardwise.directories', 'DELETE')
            ELSE true END
    ),
    'tables', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', m.nspname,
            'name', m.relname,
            'placement', (
                SELECT pg_catalog.json_build_object(
                    'method', d.partmethod,
                    'model', d.repmodel,
                    'colocation', d.colocationid,
                    'column', pg_catalog.column_to_column_name(d.logicalrelid, d.partkey)
                )
                FROM pg_catalog.pg_dist_partition d WHERE d.logicalrelid = m.oid
            ),
            'foreign_owner', CASE WHEN NOT pg_catalog.pg_has_role(m.relowner, 'USAGE')
                THEN pg_catalog.pg_get_userbyid(m.relowner) END,
            'logged', m.relpersistence = 'p',
            'inherits', m.relispartition OR EXISTS (
                SELECT FROM pg_catalog.pg_inherits h
                WHERE h.inhrelid = m.oid OR (h.inhparent = m.oid AND m.relkind <> 'p')
            ),
            'triggers', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT t.tgname), '[]')
                FROM piece JOIN pg_catalog.pg_trigger t ON t.tgrelid = piece.relation
                WHERE piece.root = m.oid AND NOT t.tgisinternal
                    -- The plan drops those of denormalised columns before, and makes them again.
                    AND t.tgname NOT LIKE 'zz\_shardwise\_copy\_%'
                    AND pg_catalog.current_setting('citus.enable_unsafe_triggers', true) IS DISTINCT FROM 'on'
            ),
            'policies', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT p.polname), '[]')
                FROM piece JOIN pg_catalog.pg_policy p ON p.polrelid = piece.relation
                WHERE piece.root = m.oid AND pg_catalog.concat(p.polqual::text, p.polwithcheck::text) LIKE '%{SUBLINK %'
            ),
            -- Unique keys, unique indexes and exclusions, with the columns that each compares for equality.
            'keys', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', r.relname,
                    'constraint', k.oid IS NOT NULL,
                    'primary', i.indisprimary AND piece.relation = m.oid,
                    'partition', CASE WHEN piece.relation <> m.oid THEN piece.relation::regclass::text END,
                    'columns', (
                        SELECT coalesce(pg_catalog.json_agg(a.attname), '[]')
                        FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY u(number, nth)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
                        WHERE k.contype IS DISTINCT FROM 'x' OR EXISTS (
                            SELECT FROM pg_catalog.pg_amop o JOIN pg_catalog.pg_am m ON m.oid = o.amopmethod
                            WHERE o.amopopr = k.conexclop[u.nth]
                                AND (m.amname, o.amopstrategy) IN (('btree', 3), ('hash', 1))
                        )
                    )
                ) ORDER BY r.relname), '[]')
                FROM piece
                JOIN pg_catalog.pg_index i ON i.indrelid = piece.relation
                JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
                LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
                WHERE piece.root = m.oid AND (i.indisunique OR i.indisexclusion) AND NOT r.relispartition
                    AND pg_catalog.current_setting('citus.allow_unsafe_constraints', true) IS DISTINCT FROM 'on'
            ),
            -- Whether an UPDATE can be replicated.
            'identifies_rows', NOT EXISTS (
                SELECT FROM piece JOIN pg_catalog.pg_class c ON c.oid = piece.relation
                WHERE piece.root = m.oid AND c.relkind = 'r' AND NOT CASE c.relreplident
                    WHEN 'd' THEN EXISTS (
                        SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
                    )
                    ELSE c.relreplident <> 'n'
                END
            )
        ) ORDER BY m.nspname, m.relname), '[]')
        FROM managed m
    ),
    -- Each foreign key of a managed table, and each that points at one. Those of partitions are copies of the parent's.
    'foreign_keys', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', k.conname,
            'schema', n.nspname,
            'table', c.relname,
            'columns', (
                SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
                FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, nth)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
            ),
            'target_schema', fn.nspname,
            'target', f.relname,
            'target_columns', (
                SELECT pg_catalog.json_agg(a.attname ORDER BY u.nth)
                FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, nth)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
            ),
            -- The other side, where it is no entity's: whether Citus has it on every node.
            'target_is_reference', EXISTS (
                SELECT FROM pg_catalog.pg_dist_partition d
                WHERE d.logicalrelid = k.confrelid AND d.partmethod = 'n' AND d.repmodel = 't'
            ),
            'overwrites', k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('c', 'n', 'd'),
            'definition', pg_catalog.pg_get_constraintdef(k.oid)
        ) ORDER BY n.nspname, c.relname, k.conname), '[]')
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
        JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
        WHERE k.contype = 'f' AND k.conparentid = 0
            AND (k.conrelid IN (SELECT relation FROM piece) OR k.confrelid IN (SELECT relation FROM piece))
    )
)
