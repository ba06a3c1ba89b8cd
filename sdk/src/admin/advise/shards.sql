    -- Those of this node.
    SELECT
        pg_catalog.to_regclass(CASE WHEN n.nspname = 'public' AND NOT pg_catalog.starts_with(b.name, 'public.')
            THEN 'public.' || b.name ELSE b.name END)::oid AS oid,
        s.logicalrelid::oid AS logical, s.shardid, t.colocationid AS colocation, s.shardminvalue AS low,
        t.partmethod = 'n' AND t.repmodel = 't' AS is_everywhere
    FROM pg_catalog.pg_dist_local_group l
    JOIN pg_catalog.pg_dist_placement p ON p.groupid = l.groupid
    JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid
    JOIN pg_catalog.pg_dist_partition t ON t.logicalrelid = s.logicalrelid
    JOIN pg_catalog.pg_class c ON c.oid = s.logicalrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT pg_catalog.shard_name(s.logicalrelid, s.shardid) AS name) b
