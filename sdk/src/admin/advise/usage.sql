-- What a node has of each table, and how it was used, by the counters that PostgreSQL keeps anyway, as one JSON object. Shards and
-- partitions are told under the name of their table, and so are their indexes, by what stands behind the table's name.
-- Which relations are shards, and how sizes are found out, is put in by the one who asks.
WITH shard AS MATERIALIZED (/*shards*/),
block AS MATERIALIZED (SELECT pg_catalog.current_setting('block_size')::int8 AS size),
relation AS MATERIALIZED (
    SELECT
        c.oid, n.nspname, c.relname, c.relpages::int8 * b.size AS paged, c.reltuples, s.colocation, s.low,
        coalesce(s.is_everywhere, false) AS is_everywhere,
        coalesce('_' || s.shardid, '') AS suffix,
        coalesce(pg_catalog.pg_partition_root(coalesce(s.logical, c.oid)), coalesce(s.logical, c.oid)) AS root,
        coalesce(substring(pg_catalog.array_to_string(c.reloptions, ' ') FROM 'fillfactor=([0-9]+)')::float8, 100) AS fillfactor,
        pg_catalog.pg_stat_get_live_tuples(c.oid) AS live,
        pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
        pg_catalog.pg_stat_get_numscans(c.oid) AS scans,
        pg_catalog.pg_stat_get_tuples_returned(c.oid) AS scanned,
        pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS inserted,
        pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS deleted,
        /*size*/ AS bytes
    FROM pg_catalog.pg_class c
    CROSS JOIN block b
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN shard s ON s.oid = c.oid
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND n.nspname !~ '^(pg_.*|information_schema|citus|citus_internal|columnar|columnar_internal|shardwise|shardwise_old)$'
),
-- The width of a row as ANALYZE saw it; of tables all of whose columns it saw, and that the role may read.
width AS (
    SELECT r.oid, 24 + sum((1 - s.null_frac) * s.avg_width) AS bytes
    FROM relation r
    JOIN pg_catalog.pg_stats s ON s.schemaname = r.nspname AND s.tablename = r.relname AND NOT s.inherited
    WHERE r.paged >= 524288 AND r.reltuples > 0
    GROUP BY r.oid
    HAVING count(*) = (
        SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    )
),
-- Rows start at each eighth byte, with 4 bytes in the page that tell where; a page has 24 bytes for itself.
expected AS (
    SELECT w.oid, pg_catalog.ceil(r.reltuples / greatest(pg_catalog.floor(
        (b.size - 24) * r.fillfactor / 100 / (pg_catalog.ceil(w.bytes / 8) * 8 + 4)), 1)) * b.size AS bytes
    FROM width w JOIN relation r USING (oid) CROSS JOIN block b
),
index AS MATERIALIZED (
    SELECT
        r.root, i.indrelid,
        -- Of a partition's index, the one on its table: on a node with shards, of the shard of that.
        coalesce(p.relname, x.relname) AS name,
        coalesce('_' || ps.shardid, r.suffix) AS name_suffix,
        i.indisvalid AS is_valid,
        pg_catalog.pg_stat_get_numscans(i.indexrelid) AS scans,
        (pg_catalog.to_jsonb(u) ->> 'last_idx_scan')::timestamptz AS last_scan,
        /*index size*/ AS bytes
    FROM relation r
    CROSS JOIN block b
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_stat_all_indexes u ON u.indexrelid = i.indexrelid
    LEFT JOIN pg_catalog.pg_class p ON p.oid = pg_catalog.pg_partition_root(i.indexrelid) AND p.oid <> i.indexrelid
    LEFT JOIN pg_catalog.pg_index pi ON pi.indexrelid = p.oid
    LEFT JOIN shard ps ON ps.oid = pi.indrelid
),
indexed AS MATERIALIZED (SELECT indrelid AS oid, sum(scans) AS scans, sum(bytes) AS bytes FROM index GROUP BY indrelid)
SELECT pg_catalog.json_build_object(
    'tables', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t)), '[]') FROM (
            SELECT
                rn.nspname AS schema, rc.relname AS name,
                pg_catalog.bool_or(r.is_everywhere) AS is_everywhere,
                sum(CASE WHEN r.reltuples >= 0 THEN r.reltuples ELSE r.live END)::int8 AS rows,
                -- Shards and partitions that have anything: each is scanned by itself.
                count(*) FILTER (WHERE r.paged > 0 OR r.live > 0) AS parts,
                sum(r.live)::int8 AS live, sum(r.dead)::int8 AS dead,
                sum(r.scans)::int8 AS scans, sum(r.scanned)::int8 AS scanned,
                sum(r.inserted)::int8 AS inserted, sum(r.deleted)::int8 AS deleted,
                sum(r.bytes)::int8 AS bytes,
                coalesce(sum(x.scans), 0)::int8 AS index_scans, coalesce(sum(x.bytes), 0)::int8 AS index_bytes,
                -- Of what could be estimated.
                coalesce(sum(r.paged) FILTER (WHERE e.bytes IS NOT NULL), 0)::int8 AS estimated,
                coalesce(sum(greatest(r.paged - e.bytes, 0)), 0)::int8 AS free
            FROM relation r
            JOIN pg_catalog.pg_class rc ON rc.oid = r.root
            JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
            LEFT JOIN expected e ON e.oid = r.oid
            LEFT JOIN indexed x ON x.oid = r.oid
            GROUP BY r.root, rn.nspname, rc.relname
        ) t
    ),
    'indexes', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t)), '[]') FROM (
            SELECT
                rn.nspname AS schema, rc.relname AS "table",
                -- A shard's index has the shard's number behind its name.
                CASE WHEN i.name_suffix <> '' AND pg_catalog.right(i.name, pg_catalog.length(i.name_suffix)) = i.name_suffix
                    THEN pg_catalog.left(i.name, -pg_catalog.length(i.name_suffix)) ELSE i.name END AS name,
                sum(i.scans)::int8 AS scans, sum(i.bytes)::int8 AS bytes,
                extract(epoch FROM pg_catalog.now() - max(i.last_scan))::float8 AS last_scan,
                pg_catalog.bool_and(i.is_valid) AS is_valid
            FROM index i
            JOIN pg_catalog.pg_class rc ON rc.oid = i.root
            JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
            GROUP BY 1, 2, 3
        ) t
    ),
    -- Co-located shards as one: they move as one.
    'shards', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(t.colocation, t.low, t.bytes)), '[]') FROM (
            SELECT r.colocation, r.low, sum(r.bytes + coalesce(x.bytes, 0))::int8 AS bytes
            FROM relation r LEFT JOIN indexed x ON x.oid = r.oid
            WHERE r.low IS NOT NULL
            GROUP BY 1, 2
        ) t
    )
)
