-- What the table $1 has and its copy $2, which was made from the entity, has not; as statements that give it to the copy, those
-- apart that lock other tables. Where the copy has something of the same name, that is the entity's, and stays.
WITH tables AS (
    SELECT c.oid, c.relname, c.oid = ($2::text)::regclass AS is_copy
    FROM pg_catalog.pg_class c WHERE c.oid IN (($1::text)::regclass, ($2::text)::regclass)
), indexes AS (
    SELECT t.is_copy, r.relname AS name, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END AS kind,
        -- From the method on.
        pg_catalog.substr(
            pg_catalog.pg_get_indexdef(r.oid),
            position(pg_catalog.format('.%I USING ', t.relname) IN pg_catalog.pg_get_indexdef(r.oid))
                + pg_catalog.length(pg_catalog.format('.%I USING ', t.relname))
        ) AS definition,
        EXISTS (SELECT FROM pg_catalog.pg_constraint s WHERE s.conindid = r.oid AND s.conrelid = t.oid) AS is_constraint
    FROM tables t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
    WHERE i.indisvalid
), constraints AS (
    SELECT t.is_copy, s.conname AS name, s.contype AS kind, pg_catalog.pg_get_constraintdef(s.oid) AS definition
    FROM tables t JOIN pg_catalog.pg_constraint s ON s.conrelid = t.oid WHERE s.contype IN ('c', 'f', 'u')
        -- One that points at a partitioned table has hidden copies for the partitions.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p WHERE p.oid = s.conparentid AND p.conrelid = s.conrelid)
), columns AS (
    SELECT t.is_copy, a.attname AS name, a.attidentity, a.attgenerated, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS value,
        pg_catalog.col_description(t.oid, a.attnum) AS comment
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
)
SELECT turn = 5 AS locks_others, statement FROM (
    SELECT 1 AS turn, o.name, pg_catalog.format('CREATE %sINDEX %I ON %s USING %s', o.kind, o.name, $2::text, o.definition) AS statement
    FROM indexes o WHERE NOT o.is_copy AND NOT o.is_constraint AND NOT EXISTS (
        SELECT FROM indexes n WHERE n.is_copy AND (n.name = o.name OR (n.kind = o.kind AND n.definition = o.definition))
    )
    UNION ALL
    SELECT CASE WHEN o.kind = 'f' THEN 5 ELSE 2 END, o.name, pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::text, o.name, o.definition)
    FROM constraints o WHERE NOT o.is_copy AND NOT EXISTS (
        SELECT FROM constraints n WHERE n.is_copy AND (n.name = o.name OR (n.kind = o.kind AND n.definition = o.definition))
    )
    UNION ALL
    SELECT 3, o.name, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', $2::text, o.name, o.value)
    FROM columns o JOIN columns n ON n.is_copy AND n.name = o.name
    WHERE NOT o.is_copy AND o.attgenerated = '' AND o.value IS NOT NULL
        AND n.value IS NULL AND n.attidentity = '' AND n.attgenerated = ''
    UNION ALL
    SELECT 4, o.name, pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', $2::text, o.name, o.comment)
    FROM columns o JOIN columns n ON n.is_copy AND n.name = o.name
    WHERE NOT o.is_copy AND o.comment IS NOT NULL AND n.comment IS NULL
    UNION ALL
    SELECT 4, '', pg_catalog.format('COMMENT ON TABLE %s IS %L', $2::text, pg_catalog.obj_description(($1::text)::regclass, 'pg_class'))
    WHERE pg_catalog.obj_description(($1::text)::regclass, 'pg_class') IS NOT NULL
        AND pg_catalog.obj_description(($2::text)::regclass, 'pg_class') IS NULL
) lacking ORDER BY turn, name
