-- What a server tells of itself, as one JSON object. $1: after how many seconds an idle transaction is told of. Nothing of it reads a table of a user's.
SELECT pg_catalog.json_build_object(
    'is_standby', pg_catalog.pg_is_in_recovery(),
    -- Who is no such member sees of others' sessions, standbys and statements that they are there, and no more.
    'sees_all', pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
    'settings', (
        SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings s
        WHERE s.name IN ('max_connections', 'wal_level', 'citus.stat_tenants_track', 'shared_preload_libraries')
    ),
    'shared_buffers', (SELECT s.setting::int8 * pg_catalog.current_setting('block_size')::int8 FROM pg_catalog.pg_settings s WHERE s.name = 'shared_buffers'),
    -- initdb writes 128 MB into the file.
    'buffers_are_default', pg_catalog.current_setting('shared_buffers') = '128MB',
    -- By the name of the schema that they are in.
    'extensions', (
        SELECT pg_catalog.json_object_agg(e.extname, n.nspname)
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    ),
    'offers_citus', EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = 'citus'),
    -- Since when it counts. From PostgreSQL 15 on a database has no such time before the first reset: then no counter is older
    -- than the server's own.
    'since', (
        SELECT extract(epoch FROM pg_catalog.now() - coalesce(d.stats_reset, least(
            (SELECT b.stats_reset FROM pg_catalog.pg_stat_bgwriter b), (SELECT a.stats_reset FROM pg_catalog.pg_stat_archiver a)
        )))::float8
    ),
    'since_is_known', d.stats_reset IS NOT NULL,
    'active_millis', (pg_catalog.to_jsonb(d) ->> 'active_time')::float8,
    'blocks_hit', d.blks_hit,
    'blocks_read', d.blks_read,
    'transactions', d.xact_commit + d.xact_rollback,
    'database_bytes', pg_catalog.pg_database_size(d.datid),
    'sessions', (
        SELECT pg_catalog.json_build_object(
            'clients', count(*),
            'hidden', count(*) FILTER (WHERE a.backend_type IS NULL),
            'active', count(*) FILTER (WHERE a.state = 'active'),
            'idle', count(*) FILTER (WHERE a.state = 'idle'),
            'stuck', count(*) FILTER (WHERE a.state LIKE 'idle in transaction%'
                AND a.state_change <= pg_catalog.clock_timestamp() - interval '1 second' * $1)
        )
        FROM pg_catalog.pg_stat_activity a
        -- What a role may not see has no type; background processes are in no database.
        WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.datid IS NOT NULL
            AND coalesce(a.backend_type, 'client backend') = 'client backend'
            -- The other nodes of Citus are no clients.
            AND coalesce(a.application_name, '') NOT LIKE 'citus_internal%' AND coalesce(a.application_name, '') NOT LIKE 'citus_rebalancer%'
    ),
    'standbys', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', r.application_name, 'state', coalesce(r.state, 'hidden')
        )), '[]')
        FROM pg_catalog.pg_stat_replication r
        -- Logical replication has a slot with a plugin; so has a move of a shard.
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
            AND coalesce(r.state, '') <> 'backup' AND coalesce(r.application_name, '') NOT LIKE 'pg_basebackup%'
    ),
    'logical_slots', (
        SELECT coalesce(pg_catalog.json_agg(s.slot_name), '[]') FROM pg_catalog.pg_replication_slots s
        WHERE s.slot_type = 'logical' AND s.database = d.datname AND s.slot_name NOT LIKE 'citus\_%'
    ),
    'publications', (
        SELECT coalesce(pg_catalog.json_agg(p.pubname), '[]') FROM pg_catalog.pg_publication p WHERE p.pubname NOT LIKE 'citus\_%'
    )
)
FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()
