//! Accepted, with exactly these pins. What is not pinned here is what `verify` refuses.

use super::check;

#[test]
fn conditions() {
    check(&[
        ("SELECT id FROM w WHERE k = :k", "w{k=k}"),
        ("SELECT id FROM w WHERE :k = k", "w{k=k}"),
        ("SELECT id FROM w WHERE ((k) = (:k))", "w{k=k}"),
        ("SELECT id FROM w WHERE k = :k::uuid", "w{k=k}"),
        ("SELECT id FROM w WHERE k = CAST(:k AS bigint)", "w{k=k}"),
        ("SELECT id FROM w WHERE k = (:k)::integer", "w{k=k}"),
        ("SELECT id FROM w WHERE k = :k::varchar", "w{}"),
        ("SELECT id FROM w WHERE k = :k::text(3)", "w{}"),
        ("SELECT id FROM w WHERE k = :k::text::uuid", "w{}"),
        ("SELECT id FROM w WHERE k = :k::int[]", "w{}"),
        ("SELECT id FROM w WHERE k::text = :k", "w{}"),
        ("SELECT id FROM w WHERE k = ANY(:k)", "w{}"),
        ("SELECT id FROM w WHERE k IN (:k)", "w{k=k}"),
        ("SELECT id FROM w WHERE k IN (:k, :j)", "w{}"),
        ("SELECT id FROM w WHERE k NOT IN (:k)", "w{}"),
        ("SELECT id FROM w WHERE k OPERATOR(pg_catalog.=) :k", "w{k=k}"),
        ("SELECT id FROM w WHERE k OPERATOR(pg_catalog.<>) :k", "w{}"),
        ("SELECT id FROM w WHERE k = :k AND a = 1 AND (b = 2 OR c = 3)", "w{k=k}"),
        ("SELECT id FROM w WHERE a = 1 AND (b = 2 AND k = :k)", "w{k=k}"),
        ("SELECT id FROM w WHERE k = :k OR a = 1", "w{}"),
        ("SELECT id FROM w WHERE a = 1 OR b = 2 AND k = :k", "w{}"),
        ("SELECT id FROM w WHERE NOT k = :k", "w{}"),
        ("SELECT id FROM w WHERE NOT (k <> :k)", "w{}"),
        ("SELECT id FROM w WHERE (k = :k) IS NOT FALSE", "w{}"),
        ("SELECT id FROM w WHERE (k = :k) = true", "w{}"),
        ("SELECT id FROM w WHERE CASE WHEN a THEN k = :k END", "w{}"),
        ("SELECT id FROM w WHERE k IS NOT DISTINCT FROM :k", "w{}"),
        ("SELECT id FROM w WHERE k <> :k", "w{}"),
        ("SELECT id FROM w WHERE k >= :k AND k <= :k", "w{}"),
        ("SELECT id FROM w WHERE k BETWEEN :k AND :k", "w{}"),
        ("SELECT id FROM w WHERE k LIKE :k", "w{}"),
        ("SELECT id FROM w WHERE k = coalesce(:k, k)", "w{}"),
        ("SELECT id FROM w WHERE coalesce(k = :k, true)", "w{}"),
        ("SELECT id FROM w WHERE k COLLATE \"C\" = :k", "w{}"),
        ("SELECT id FROM w WHERE (k, a) = (:k, :a)", "w{a=a,k=k}"),
        ("SELECT id FROM w WHERE ROW(k, a) = ROW(:k, 1)", "w{k=k}"),
        ("SELECT id FROM w WHERE (k, a) IN ((:k, :a))", "w{a=a,k=k}"),
        ("SELECT id FROM w WHERE (k, a) IN ((:k, :a), (:j, :a))", "w{}"),
        ("SELECT w.id FROM w, u WHERE (u.*, w.k, u.a) = (u.b, :k, w.*)", "w{} u{}"),
        ("SELECT id FROM w WHERE (k, a) >= (:k, :a)", "w{}"),
        ("SELECT id FROM w WHERE (k, a) = (SELECT :k, :a)", "w{}"),
        ("SELECT id FROM w WHERE k = :a AND a = :k", "w{a=k,k=a}"),
        ("SELECT id FROM w WHERE k = a AND a = :k", "w{a=k,k=k}"),
        ("SELECT id FROM w WHERE k = :k AND k = :j", "w{k=j,k=k}"),
        ("SELECT id FROM w", "w{}"),
        ("SELECT id FROM w WHERE k = k", "w{}"),
        (
            "SELECT id FROM w WHERE k = :k = true",
            "refused: [Refusal { at: 30..31, message: \"this is no SQL that PostgreSQL understands\" }]",
        ),
        ("SELECT count(*) FROM w HAVING max(k) = :k", "w{}"),
        ("SELECT count(*) FROM w GROUP BY k HAVING k = :k", "w{}"),
        ("SELECT a[k] FROM w WHERE a[1] = :k", "w{}"),
        ("SELECT id FROM w WHERE k = :k /* OR */ -- OR true\n AND a = 1", "w{k=k}"),
        ("SELECT id FROM w WHERE a <>-- k = :k AND\n 1", "w{}"),
    ]);
}

#[test]
fn names() {
    check(&[
        ("SELECT id FROM W WHERE K = :k", "w{k=k}"),
        ("SELECT id FROM \"W\" WHERE \"K\" = :k", "W{K=k}"),
        ("SELECT id FROM s.w WHERE w.k = :k", "s.w{k=k}"),
        ("SELECT id FROM s.w WHERE s.w.k = :k", "s.w{k=k}"),
        ("SELECT id FROM w AS x WHERE x.k = :k", "w{k=k}"),
        ("SELECT id FROM ONLY w x WHERE k = :k", "w{k=k}"),
        ("SELECT a.id FROM w a, w b WHERE a.k = :k", "w{k=k} w{}"),
        ("SELECT a.id FROM w b, w a WHERE a.k = :k", "w{} w{k=k}"),
        ("SELECT w.id FROM t w, w t WHERE w.k = :k", "t{k=k} w{}"),
        // Only one of them can have a column of this name: of the other it says nothing.
        ("SELECT 1 FROM w, u WHERE k = :k", "w{k=k} u{k=k}"),
        // But nothing follows from a guess beyond its scope.
        ("SELECT 1 FROM w, u, x WHERE k = :k AND x.k = w.k", "w{k=k} u{k=k} x{k=k}"),
        ("SELECT 1 FROM w, (u JOIN x ON k = x.j) WHERE k = :k", "w{k=k} u{k=k} x{k=k}"),
        ("SELECT 1 FROM w, u, x WHERE k = :k AND k = x.j", "w{k=k} u{k=k} x{j=k,k=k}"),
    ]);
}

/// A record brings columns whose names are in no text, and some columns of a result are called as only the server knows. They
/// must not be taken for columns that are pinned.
#[test]
fn names_that_only_the_server_knows() {
    check(&[
        (
            "SELECT 1 FROM o WHERE o.k = :k AND EXISTS (SELECT 1 FROM (SELECT k AS f FROM json_populate_record(NULL::o, :r) r) d JOIN b ON b.k = d.f)",
            "o{k=k} b{}",
        ),
        (
            "SELECT 1 FROM o WHERE o.k = :k AND EXISTS (SELECT 1 FROM (SELECT k AS f FROM unnest(:rows::o[]) r) d JOIN b ON b.k = d.f)",
            "o{k=k} b{}",
        ),
        (
            "SELECT 1 FROM o WHERE o.k = :k AND EXISTS (SELECT 1 FROM (SELECT k AS f FROM coalesce(:r::o) r) d JOIN b ON b.k = d.f)",
            "o{k=k} b{}",
        ),
        (
            "SELECT 1 FROM o WHERE o.k = :k AND EXISTS (SELECT 1 FROM (SELECT k AS f FROM unnest(:ids::bigint[]) r) d JOIN b ON b.k = d.f)",
            "o{k=k} b{k=k}",
        ),
        (
            "SELECT 1 FROM (SELECT u.*, (SELECT :j::uuid AS k) FROM u, o WHERE k = :k) d JOIN b USING (k)",
            "u{k=k} o{k=k} b{}",
        ),
        (
            "SELECT 1 FROM (SELECT u.*, CASE WHEN true THEN :j ELSE k END FROM u, o WHERE k = :k) d JOIN b USING (k)",
            "u{k=k} o{k=k} b{}",
        ),
        ("SELECT 1 FROM (SELECT o.k, x::text FROM o WHERE o.k = :k) d JOIN b USING (k)", "o{k=k} b{k=k}"),
    ]);
}

#[test]
fn joins() {
    check(&[
        ("SELECT 1 FROM a JOIN b ON b.k = a.k WHERE a.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b ON b.k = a.k AND a.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b ON b.id = a.id WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a, b WHERE a.k = b.k AND b.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a CROSS JOIN b WHERE a.k = :k AND b.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b USING (k) WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b USING (k, id) WHERE a.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b USING (k) JOIN c USING (k) WHERE k = :k", "a{k=k} b{k=k} c{k=k}"),
        ("SELECT 1 FROM a JOIN b USING (id) WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.k = a.k WHERE a.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.k = :k", "a{} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON a.k = :k AND b.k = a.k", "a{} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON a.k = :k", "a{} b{}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.k = a.k WHERE b.k = :k", "a{} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.k = a.k AND b.k = :k", "a{} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b USING (k) WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b USING (k) WHERE b.k = :k", "a{} b{k=k}"),
        ("SELECT 1 FROM a RIGHT JOIN b ON b.k = a.k WHERE b.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a RIGHT JOIN b ON b.k = a.k WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a RIGHT JOIN b ON b.k = :k AND a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a RIGHT JOIN b USING (k) WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a FULL JOIN b ON a.k = b.k AND a.k = :k", "a{} b{}"),
        ("SELECT 1 FROM a FULL JOIN b ON a.k = b.k WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a FULL JOIN b USING (k) WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a FULL JOIN b USING (k) WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a LEFT JOIN (b JOIN c ON c.k = b.k) ON b.k = a.k WHERE a.k = :k", "a{k=k} b{k=k} c{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.k = a.k LEFT JOIN c ON c.k = b.k WHERE a.k = :k", "a{k=k} b{k=k} c{k=k}"),
        ("SELECT 1 FROM a LEFT JOIN b ON b.id = a.id LEFT JOIN c ON c.k = b.k WHERE a.k = :k", "a{k=k} b{} c{}"),
        ("SELECT 1 FROM (a JOIN b ON a.k = :k AND b.k = a.k) FULL JOIN c ON true", "a{k=k} b{k=k} c{}"),
        ("SELECT 1 FROM a JOIN b ON b.k = a.k OR a.k = :k WHERE a.k = :k", "a{k=k} b{}"),
    ]);
}

#[test]
fn subqueries() {
    check(&[
        ("SELECT 1 FROM a WHERE k = :k AND EXISTS (SELECT 1 FROM b WHERE b.k = a.k)", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a WHERE k = :k AND EXISTS (SELECT 1 FROM b WHERE b.id = a.id)", "a{k=k} b{}"),
        ("SELECT 1 FROM a WHERE k = :k AND id IN (SELECT a_id FROM b WHERE k = :k)", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a WHERE k = :k AND id = ANY (SELECT a_id FROM b)", "a{k=k} b{}"),
        // The pin of the subquery is not one of the query around.
        ("SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND a.k = :k AND b.k = :k)", "a{} b{k=k}"),
        ("SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)", "a{} b{}"),
        ("SELECT 1 FROM a WHERE k IN (SELECT k FROM b WHERE k = :k)", "a{} b{k=k}"),
        ("SELECT 1 FROM a WHERE k = (SELECT :k)", "a{}"),
        ("SELECT (SELECT max(x) FROM b WHERE b.k = a.k) FROM a WHERE a.k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a WHERE k = :k ORDER BY (SELECT max(x) FROM b WHERE b.k = a.k)", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a WHERE k = :k LIMIT (SELECT n FROM b WHERE k = :k)", "a{k=k} b{k=k}"),
        ("SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM b)) FROM a WHERE k = :k", "a{k=k} b{}"),
        ("SELECT sum(x) OVER (ORDER BY (SELECT 1 FROM b)) FROM a WHERE k = :k", "a{k=k} b{}"),
        ("SELECT ARRAY(SELECT id FROM b WHERE b.k = a.k) FROM a WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM a JOIN b ON EXISTS (SELECT 1 FROM c) AND b.k = a.k WHERE a.k = :k", "a{k=k} b{k=k} c{}"),
        ("SELECT d.x FROM (SELECT x FROM a WHERE k = :k) d", "a{k=k}"),
        ("SELECT d.x FROM (SELECT k, x FROM a) d WHERE d.k = :k", "a{}"),
        ("SELECT 1 FROM (SELECT k FROM a WHERE k = :k) d JOIN b ON b.k = d.k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM (SELECT k AS j, j AS k FROM a WHERE k = :k) d JOIN b ON b.k = d.k", "a{k=k} b{}"),
        ("SELECT 1 FROM (SELECT k AS j FROM a WHERE k = :k) d JOIN b ON b.k = d.j", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM (SELECT k, id FROM a WHERE k = :k) d(id, k) JOIN b ON b.k = d.k", "a{k=k} b{}"),
        ("SELECT 1 FROM (SELECT k, id FROM a WHERE k = :k) d(id, k) JOIN b USING (k)", "a{k=k} b{}"),
        ("SELECT 1 FROM (SELECT * FROM a WHERE k = :k) d JOIN b ON b.k = d.k", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM (SELECT a.* FROM a, u WHERE a.k = :k) d JOIN b ON b.k = d.k", "a{k=k} u{} b{k=k}"),
        ("SELECT 1 FROM (SELECT * FROM a, u WHERE a.k = :k) d JOIN b ON b.k = d.k", "a{k=k} u{} b{}"),
        ("SELECT 1 FROM (SELECT * FROM a JOIN u USING (k) WHERE k = :k) d JOIN b ON b.k = d.k", "a{k=k} u{k=k} b{k=k}"),
        ("SELECT 1 FROM (SELECT k FROM a WHERE k = :k GROUP BY k) d JOIN b USING (k)", "a{k=k} b{k=k}"),
        ("SELECT 1 FROM (VALUES (:k, 1), (:k, 2)) v(k, n) JOIN b ON b.k = v.k", "b{k=k}"),
        ("SELECT 1 FROM (VALUES (:k, 1), (:j, 2)) v(k, n) JOIN b ON b.k = v.k", "b{}"),
        ("SELECT 1 FROM (SELECT :k AS k) v JOIN b ON b.k = v.k", "b{k=k}"),
        ("SELECT 1 FROM a, LATERAL (SELECT 1 FROM b WHERE b.k = a.k) l WHERE a.k = :k", "a{k=k} b{k=k}"),
        (
            "SELECT 1 FROM a LEFT JOIN LATERAL (SELECT * FROM b WHERE b.k = a.k LIMIT 1) l ON true WHERE a.k = :k",
            "a{k=k} b{k=k}",
        ),
        ("SELECT 1 FROM a, LATERAL (SELECT 1 FROM b LIMIT 1) l WHERE a.k = :k", "a{k=k} b{}"),
        ("SELECT 1 FROM a, LATERAL (SELECT a.k AS k) l WHERE a.k = l.k", "a{}"),
        ("SELECT 1 FROM a x WHERE x.k = :k AND EXISTS (SELECT 1 FROM b x WHERE x.id = 1)", "a{k=k} b{}"),
        (
            "SELECT x.id FROM a WHERE k = :k",
            "refused: [Refusal { at: 7..11, message: \"there is no table `x` here\" }]",
        ),
        // A join's condition sees its own sides and what is around, not its neighbours.
        (
            "SELECT 1 FROM o WHERE EXISTS (SELECT 1 FROM a, (b JOIN c ON x = c.k) WHERE x = :k)",
            "o{} a{x=k} b{x=k} c{x=k}",
        ),
    ]);
}

#[test]
fn common_tables_and_set_operations() {
    check(&[
        ("WITH d AS (SELECT k, id FROM a WHERE k = :k) SELECT 1 FROM d JOIN b ON b.k = d.k", "a{k=k} b{k=k}"),
        ("WITH d AS (SELECT k, id FROM a) SELECT 1 FROM d WHERE k = :k", "a{}"),
        ("WITH d(x, y) AS (SELECT k, id FROM a WHERE k = :k) SELECT 1 FROM d JOIN b ON b.k = d.x", "a{k=k} b{k=k}"),
        ("WITH d(x, y) AS (SELECT k, id FROM a WHERE k = :k) SELECT 1 FROM d JOIN b ON b.k = d.y", "a{k=k} b{}"),
        ("WITH a AS (SELECT 1 AS k) SELECT 1 FROM a WHERE k = :k", ""),
        ("WITH a AS (SELECT k FROM a WHERE id = 1) SELECT 1 FROM a WHERE k = :k", "a{}"),
        ("WITH a AS (SELECT k FROM a WHERE k = :k) SELECT 1 FROM a", "a{k=k}"),
        ("WITH a AS (SELECT 1 AS k) SELECT 1 FROM s.a", "s.a{}"),
        ("WITH d AS MATERIALIZED (SELECT 1 FROM a WHERE k = :k), e AS (SELECT 1 FROM d) SELECT 1 FROM e", "a{k=k}"),
        (
            "WITH d AS (WITH d AS (SELECT k FROM a WHERE k = :k) SELECT k FROM d) SELECT 1 FROM d JOIN b USING (k)",
            "a{k=k} b{k=k}",
        ),
        ("SELECT id FROM a WHERE k = :k UNION ALL SELECT id FROM b WHERE k = :k", "a{k=k} b{k=k}"),
        ("SELECT id FROM a WHERE k = :k UNION SELECT id FROM b", "a{k=k} b{}"),
        ("SELECT id FROM a INTERSECT SELECT id FROM b WHERE k = :k", "a{} b{k=k}"),
        ("(SELECT id FROM a WHERE k = :k) EXCEPT (SELECT id FROM b WHERE k = :k) ORDER BY id LIMIT 3", "a{k=k} b{k=k}"),
        (
            "SELECT 1 FROM (SELECT k FROM a WHERE k = :k UNION SELECT k FROM b WHERE k = :k) d JOIN c ON c.k = d.k",
            "a{k=k} b{k=k} c{k=k}",
        ),
        (
            "SELECT 1 FROM (SELECT k FROM a WHERE k = :k UNION SELECT id FROM b WHERE k = :k) d JOIN c ON c.k = d.k",
            "a{k=k} b{k=k} c{}",
        ),
        (
            "SELECT 1 FROM (SELECT k FROM a WHERE k = :k EXCEPT SELECT id FROM b WHERE k = :k) d JOIN c ON c.k = d.k",
            "a{k=k} b{k=k} c{k=k}",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM a WHERE k = :k UNION SELECT * FROM a WHERE k = :k AND x) d JOIN c ON c.k = d.k",
            "a{k=k} a{k=k} c{k=k}",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM a WHERE k = :k UNION SELECT * FROM b WHERE k = :k) d JOIN c ON c.k = :k",
            "a{k=k} b{k=k} c{k=k}",
        ),
        (
            "WITH RECURSIVE t AS (SELECT k, id FROM a WHERE k = :k UNION ALL SELECT b.k, b.id FROM b JOIN t ON b.k = t.k AND b.up = t.id) SELECT id FROM t",
            "a{k=k} b{k=k}",
        ),
        (
            "WITH RECURSIVE t(k, id) AS (SELECT k, id FROM a WHERE k = :k UNION SELECT b.j, b.id FROM b JOIN t ON b.k = t.k) SELECT id FROM t",
            "a{k=k} b{}",
        ),
        (
            "WITH RECURSIVE t AS (SELECT k, id FROM a WHERE k = :k UNION ALL SELECT b.k, b.id FROM b JOIN t ON b.up = t.id) SELECT id FROM t",
            "a{k=k} b{}",
        ),
        (
            "WITH RECURSIVE t AS (SELECT k, id FROM a UNION ALL SELECT b.k, b.id FROM b JOIN t ON b.k = t.k) SELECT id FROM t WHERE k = :k",
            "a{} b{}",
        ),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t", ""),
        (
            "WITH gone AS (DELETE FROM a WHERE k = :k RETURNING k, id) SELECT 1 FROM gone JOIN b ON b.k = gone.k",
            "a{k=k} b{k=k} -a()",
        ),
        (
            "WITH new AS (INSERT INTO a (k, id) VALUES (:k, 1) RETURNING k, id) INSERT INTO b (k, a_id) SELECT k, id FROM new",
            "a{k=k} b{k=k} +a(k=:k,id) +b(k≈:k,a_id)",
        ),
        (
            "WITH new AS (UPDATE a SET j = 5 WHERE k = :k AND j = :k RETURNING k, j) SELECT 1 FROM b, c, new WHERE b.k = new.j AND c.k = new.k",
            "a{j=k,k=k} b{} c{k=k} ~a(j)",
        ),
    ]);
}

#[test]
fn functions_and_values() {
    check(&[
        ("SELECT 1", ""),
        ("VALUES (1, :a), (2, :b)", ""),
        ("SELECT x.n FROM generate_series(1, 3) AS x(n)", ""),
        ("SELECT x FROM generate_series(1, 3) x", ""),
        ("SELECT e.key, e.value FROM a, jsonb_each(a.data) e WHERE a.k = :k", "a{k=k}"),
        ("SELECT r.id FROM jsonb_to_recordset(:rows) AS r(id int, n text)", ""),
        ("SELECT u.id, u.ordinality FROM unnest(:ids::bigint[]) WITH ORDINALITY AS u(id)", ""),
        ("SELECT a.id FROM a, unnest(:ids::bigint[]) AS u(id) WHERE a.id = u.id AND a.k = :k", "a{k=k}"),
        (
            "SELECT pg_catalog.lower(x), extract(year FROM y), now() AT TIME ZONE 'UTC', date_trunc('day', y) FROM a WHERE k = :k",
            "a{k=k}",
        ),
        (
            "SELECT x::\"state\", interval '1 day', date '2024-01-01', CURRENT_DATE, x ->> 'a', y @> :y FROM a WHERE k = :k",
            "a{k=k}",
        ),
        (
            "SELECT sum(x) OVER w, rank() OVER (PARTITION BY y ORDER BY z DESC NULLS LAST ROWS 3 PRECEDING) FROM a WHERE k = :k WINDOW w AS (ORDER BY z)",
            "a{k=k}",
        ),
        ("SELECT x, count(*) FROM a WHERE k = :k GROUP BY GROUPING SETS ((x), ()) HAVING count(*) > 1", "a{k=k}"),
        ("SELECT DISTINCT ON (x) x, y FROM a WHERE k = :k ORDER BY x, y FETCH FIRST 3 ROWS ONLY", "a{k=k}"),
        (
            "SELECT string_agg(x, ',' ORDER BY x), percentile_cont(0.5) WITHIN GROUP (ORDER BY y) FROM a WHERE k = :k",
            "a{k=k}",
        ),
        ("SELECT json_object('a': x, 'b': y RETURNING jsonb), json_value(z, '$.a') FROM a WHERE k = :k", "a{k=k}"),
        ("SELECT row_to_json(a), a, count(a.*), a.* FROM a WHERE k = :k GROUP BY a.id", "a{k=k}"),
        ("SELECT make_interval(days => :d), make_interval(hours := 1)", ""),
        (
            "SELECT x[1], y[2:3], CASE x WHEN 1 THEN 2 ELSE 3 END, x IS NULL, x BETWEEN 1 AND 2, (x, y) OVERLAPS (z, z) FROM a WHERE k = :k",
            "a{k=k}",
        ),
        ("SELECT 1 FROM a WHERE k = :k FOR NO KEY UPDATE OF a SKIP LOCKED", "a{k=k}"),
    ]);
}

#[test]
fn writes() {
    check(&[
        ("INSERT INTO a (k, x) VALUES (:k, :x)", "a{k=k,x=x} +a(k=:k,x=:x)"),
        ("INSERT INTO a (k, x) VALUES (:k, 1), (:k, 2)", "a{k=k} +a(k=:k,x)"),
        ("INSERT INTO a (k, x) VALUES (:k, 1), (:j, 2)", "a{} +a(k,x)"),
        ("INSERT INTO a (k, x) VALUES (:k::uuid, DEFAULT)", "a{k=k} +a(k=:k,x)"),
        ("INSERT INTO a (x) VALUES (1)", "a{} +a(x)"),
        ("INSERT INTO s.a AS z (k) VALUES (:k) RETURNING z.k, x AS y", "s.a{k=k} +a(k=:k)"),
        ("INSERT INTO a (k, x) SELECT k, x FROM b WHERE k = :k", "a{k=k} b{k=k} +a(k≈:k,x)"),
        ("INSERT INTO a (k, x) SELECT :k, x FROM b WHERE k = :k", "a{k=k} b{k=k} +a(k≈:k,x)"),
        ("INSERT INTO a (k, x) SELECT x, k FROM b WHERE k = :k", "a{x=k} b{k=k} +a(k,x≈:k)"),
        ("INSERT INTO a (k, x) SELECT k, x FROM b", "a{} b{} +a(k,x)"),
        ("INSERT INTO a (k, x) SELECT :k, u.* FROM unnest(:x::int[]) u", "a{k=k} +a(k≈:k,x)"),
        ("INSERT INTO a (x, k, y) SELECT :x, u.*, :k FROM u", "a{x=x} u{} +a(x≈:x,k,y)"),
        (
            "INSERT INTO a (k, id, x) VALUES (:k, :id, 1) ON CONFLICT (k, id) DO UPDATE SET x = excluded.x + a.x WHERE a.x > 0",
            "a{id=id,k=k} +a(k=:k,id=:id,x) ~a(x)",
        ),
        ("INSERT INTO a (k, id) VALUES (:k, 1) ON CONFLICT DO NOTHING", "a{k=k} +a(k=:k,id)"),
        ("INSERT INTO a (k) VALUES (:k) ON CONFLICT (k) DO UPDATE SET k = excluded.k", "a{k=k} +a(k=:k) ~a(k≈:k)"),
        ("INSERT INTO a (k) VALUES (:k) ON CONFLICT (k) DO UPDATE SET k = :j", "a{k=k} +a(k=:k) ~a(k=:j)"),
        (
            "INSERT INTO a (k, x) VALUES (:k, 1) ON CONFLICT (k) DO UPDATE SET x = (SELECT max(x) FROM b WHERE b.k = a.k)",
            "a{k=k} b{k=k} +a(k=:k,x) ~a(x)",
        ),
        (
            "WITH n AS (INSERT INTO a (k, j) VALUES (:k, :k) ON CONFLICT (k) DO UPDATE SET x = 1 RETURNING j, k) SELECT 1 FROM n JOIN b ON b.k = n.j JOIN c ON c.k = n.k",
            "a{j=k,k=k} b{} c{k=k} +a(k=:k,j=:k) ~a(x)",
        ),
        ("UPDATE a SET x = x + :n, y = DEFAULT WHERE k = :k AND id = :id RETURNING *", "a{id=id,k=k} ~a(x,y)"),
        ("UPDATE a SET (x, k) = (1, :k) WHERE k = :k", "a{k=k} ~a(x,k=:k)"),
        ("UPDATE a SET (x, k) = (SELECT 1, :k) WHERE k = :k", "a{k=k} ~a(x,k)"),
        ("UPDATE a SET k = :j WHERE k = :k", "a{k=k} ~a(k=:j)"),
        ("UPDATE a SET x[1] = 2, y.z = 3 WHERE k = :k", "a{k=k} ~a(x,y)"),
        ("UPDATE a AS t SET x = b.x FROM b WHERE b.k = t.k AND t.k = :k", "a{k=k} b{k=k} ~a(x)"),
        ("UPDATE a SET x = b.x FROM b WHERE b.id = a.id AND a.k = :k", "a{k=k} b{} ~a(x)"),
        ("UPDATE a SET x = (SELECT sum(y) FROM b WHERE b.k = a.k) WHERE k = :k", "a{k=k} b{k=k} ~a(x)"),
        ("UPDATE a SET x = 1", "a{} ~a(x)"),
        ("DELETE FROM a WHERE k = :k AND id = ANY(:ids)", "a{k=k} -a()"),
        ("DELETE FROM a USING b WHERE a.k = b.k AND b.k = :k RETURNING a.id", "a{k=k} b{k=k} -a()"),
        ("DELETE FROM a", "a{} -a()"),
        (
            "MERGE INTO a USING (SELECT :k AS k, :x AS x) s ON a.k = s.k AND a.id = :id WHEN MATCHED THEN UPDATE SET x = s.x WHEN NOT MATCHED THEN INSERT (k, id, x) VALUES (s.k, :id, s.x)",
            "a{id=id,k=k} ~a(x≈:x) +a(k≈:k,id=:id,x≈:x)",
        ),
        ("MERGE INTO a USING b ON a.k = b.k AND b.k = :k WHEN MATCHED THEN DELETE", "a{k=k} b{} -a()"),
        (
            "MERGE INTO a USING (SELECT k FROM b WHERE k = :k) b ON a.k = b.k WHEN MATCHED THEN DO NOTHING",
            "a{k=k} b{k=k}",
        ),
    ]);
}
