-- The statements of this database that took most of the time, as one JSON object. /*from*/ is the view of the extension.
WITH kept AS MATERIALIZED (
    SELECT s.query, s.calls, s.total_exec_time AS millis, s.rows FROM /*from*/ s
    WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
        AND s.query NOT LIKE '%/* advice of shardwise */%'
)
SELECT pg_catalog.json_build_object(
    'calls', coalesce((SELECT sum(k.calls) FROM kept k), 0)::int8,
    'millis', coalesce((SELECT sum(k.millis) FROM kept k), 0),
    'since', /*since*/,
    'top', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'text', CASE WHEN t.query = '<insufficient privilege>' THEN NULL ELSE pg_catalog.left(t.query, 2000) END,
            'calls', t.calls, 'millis', t.millis, 'rows', t.rows
        )), '[]')
        FROM (SELECT * FROM kept ORDER BY millis DESC LIMIT 100) t
    )
)
