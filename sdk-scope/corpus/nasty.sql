-- unsafe: OR widens
SELECT id FROM wallets WHERE festival_id = :festival_id OR true
-- unsafe: OR behind BETWEEN
SELECT id FROM wallets WHERE festival_id = :festival_id AND balance BETWEEN 1 AND 2 OR true
-- unsafe: OR in parentheses
SELECT id FROM wallets WHERE (festival_id = :festival_id OR balance > 0)
-- unsafe: NOT
SELECT id FROM wallets WHERE NOT (festival_id = :festival_id)
-- unsafe: NOT in front of AND
SELECT id FROM wallets WHERE NOT festival_id = :festival_id AND balance > 0
-- unsafe: IS NOT TRUE
SELECT id FROM wallets WHERE (festival_id = :festival_id) IS NOT TRUE
-- unsafe: IS NULL over the comparison
SELECT id FROM wallets WHERE festival_id = :festival_id IS NULL
-- unsafe: compared with false
SELECT id FROM wallets WHERE (festival_id = :festival_id) = false
-- unsafe: in a CASE
SELECT id FROM wallets WHERE CASE WHEN balance > 0 THEN festival_id = :festival_id ELSE true END
-- unsafe: in a function
SELECT id FROM wallets WHERE coalesce(festival_id = :festival_id, true)
-- unsafe: in an argument
SELECT id FROM wallets WHERE bool(festival_id = :festival_id)
-- unsafe: an operator of another name
SELECT id FROM wallets WHERE festival_id <> :festival_id
-- unsafe: an operator that begins alike
SELECT id FROM wallets WHERE festival_id == :festival_id
-- unsafe: an operator with a sign stuck to it
SELECT id FROM wallets WHERE festival_id =@ :festival_id
-- unsafe: somebody else's operator
SELECT id FROM wallets WHERE festival_id OPERATOR(mine.=) :festival_id
-- unsafe: a comment eats the condition
SELECT id FROM wallets WHERE balance > -- festival_id = :festival_id AND
 0
-- unsafe: a block comment eats the condition
SELECT id FROM wallets WHERE balance > 0 /* AND festival_id = :festival_id */
-- unsafe: a nested comment eats the condition
SELECT id FROM wallets /* /* */ WHERE festival_id = :festival_id -- */
-- unsafe: an operator that a comment ends
SELECT id FROM wallets WHERE balance <=/* */ festival_id AND :festival_id = :festival_id
-- unsafe: a string eats the condition
SELECT id FROM wallets WHERE user_id <> ' AND festival_id = :festival_id'
-- unsafe: dollar quotes eat the condition
SELECT id FROM wallets WHERE user_id <> $$ AND festival_id = :festival_id $$
-- unsafe: E'' and its backslash
SELECT id FROM wallets WHERE user_id <> E'\' AND festival_id = :festival_id OR user_id <> '
-- unsafe: a carriage return ends the comment
SELECT id FROM wallets WHERE festival_id = :festival_id -- safe OR true
-- unsafe: quoted name of another case
SELECT id FROM wallets WHERE "Festival_ID" = :festival_id
-- unsafe: quoted name with a blank
SELECT id FROM wallets WHERE "festival_id " = :festival_id
-- unsafe: name written with U&
SELECT id FROM wallets WHERE U&"festival\005fid" = :festival_id
-- unsafe: quoted table of another case
SELECT id FROM "Wallets" WHERE festival_id = :festival_id
-- unsafe: parameter of another case
SELECT id FROM wallets WHERE festival_id = :Festival_id
-- unsafe: another parameter
SELECT id FROM wallets WHERE festival_id = :user_id
-- unsafe: another column
SELECT id FROM wallets WHERE user_id = :festival_id
-- unsafe: alias swap
SELECT a.id FROM wallets a, tickets b WHERE b.festival_id = :festival_id AND a.user_id = b.user_id
-- unsafe: aliases called as each other
SELECT wallets.id FROM tickets wallets, wallets tickets WHERE wallets.festival_id = :festival_id
-- unsafe: alias that looks like the key
SELECT w.id FROM wallets w CROSS JOIN users festival_id WHERE festival_id.id = :festival_id
-- unsafe: result alias that looks like the key
SELECT id AS festival_id FROM wallets ORDER BY festival_id = :festival_id
-- unsafe: left side of a LEFT JOIN
SELECT o.id FROM orders o LEFT JOIN tickets t ON t.festival_id = o.festival_id AND o.festival_id = :festival_id
-- unsafe: nothing but the ON of a LEFT JOIN
SELECT o.id FROM orders o LEFT JOIN tickets t ON o.festival_id = :festival_id
-- unsafe: right side only
SELECT o.id FROM orders o LEFT JOIN tickets t ON t.festival_id = :festival_id
-- unsafe: right side of a RIGHT JOIN
SELECT o.id FROM orders o RIGHT JOIN tickets t ON t.festival_id = :festival_id AND o.festival_id = :festival_id
-- unsafe: FULL JOIN
SELECT o.id FROM orders o FULL JOIN tickets t ON t.festival_id = :festival_id AND o.festival_id = :festival_id
-- unsafe: FULL JOIN, one side in WHERE
SELECT o.id FROM orders o FULL JOIN tickets t ON t.festival_id = o.festival_id WHERE o.festival_id = :festival_id
-- unsafe: CROSS JOIN, one side
SELECT o.id FROM orders o CROSS JOIN tickets t WHERE o.festival_id = :festival_id
-- unsafe: comma join, one side
SELECT o.id FROM orders o, tickets t WHERE o.festival_id = :festival_id AND t.order_id = o.id
-- unsafe: NATURAL JOIN
SELECT id FROM orders NATURAL JOIN tickets WHERE festival_id = :festival_id
-- unsafe: USING another column
SELECT o.id FROM orders o JOIN tickets t USING (user_id) WHERE o.festival_id = :festival_id
-- unsafe: USING with a derived table that is not pinned
SELECT o.id FROM orders o JOIN (SELECT festival_id, id FROM tickets) t USING (festival_id) WHERE o.festival_id = :festival_id
-- unsafe: USING renamed by a list of columns
SELECT o.id FROM orders o JOIN (SELECT festival_id, user_id FROM tickets WHERE festival_id = :festival_id) t(user_id, festival_id) USING (festival_id)
-- unsafe: table's columns renamed
SELECT w.id FROM wallets w(id, festival_id) WHERE w.festival_id = :festival_id
-- unsafe: derived table's column of another origin
SELECT w.id FROM (SELECT user_id AS festival_id FROM tickets WHERE festival_id = :festival_id) t JOIN wallets w ON w.festival_id = t.festival_id
-- unsafe: key compared with a column of a table that is not pinned
SELECT w.id FROM wallets w JOIN tickets t ON t.festival_id = w.festival_id
-- unsafe: key compared with a reference table
SELECT w.id FROM wallets w JOIN festivals f ON f.id = w.festival_id WHERE f.name = :name
-- unsafe: key compared with itself
SELECT id FROM wallets WHERE festival_id = festival_id AND :festival_id = :festival_id
-- unsafe: two values
SELECT id FROM wallets WHERE festival_id IN (:festival_id, :other)
-- unsafe: NOT IN
SELECT id FROM wallets WHERE festival_id NOT IN (:festival_id)
-- unsafe: any of an array
SELECT id FROM wallets WHERE festival_id = ANY(ARRAY[:festival_id, :other])
-- unsafe: row comparison that is smaller
SELECT id FROM wallets WHERE (festival_id, id) >= (:festival_id, :id)
-- unsafe: range
SELECT id FROM wallets WHERE festival_id >= :festival_id AND festival_id < :other
-- unsafe: LIKE
SELECT id FROM wallets WHERE festival_id::text LIKE :festival_id
-- unsafe: lossy cast of the column
SELECT id FROM wallets WHERE festival_id::varchar(1) = :festival_id
-- unsafe: lossy cast of the parameter
SELECT id FROM wallets WHERE festival_id = :festival_id::char(1)
-- unsafe: coalesce over the parameter
SELECT id FROM wallets WHERE festival_id = coalesce(:festival_id, festival_id)
-- unsafe: nullif
SELECT id FROM wallets WHERE nullif(festival_id, :festival_id) IS NULL
-- unsafe: HAVING comes too late
SELECT festival_id, count(*) FROM wallets GROUP BY festival_id HAVING festival_id = :festival_id
-- unsafe: FILTER is not WHERE
SELECT sum(balance) FILTER (WHERE festival_id = :festival_id), count(*) FROM wallets
-- unsafe: condition around an aggregate
SELECT n FROM (SELECT festival_id, count(*) AS n FROM wallets GROUP BY festival_id) w WHERE festival_id = :festival_id
-- unsafe: condition around a LIMIT
SELECT id FROM (SELECT festival_id, id FROM wallets ORDER BY id LIMIT 10) w WHERE w.festival_id = :festival_id
-- unsafe: condition around a window
SELECT r FROM (SELECT festival_id, rank() OVER (ORDER BY balance) AS r FROM wallets) w WHERE w.festival_id = :festival_id
-- unsafe: UNION's second arm
SELECT id FROM wallets WHERE festival_id = :festival_id UNION ALL SELECT id FROM tickets
-- unsafe: UNION's first arm
SELECT id FROM wallets UNION SELECT id FROM tickets WHERE festival_id = :festival_id
-- unsafe: EXCEPT's second arm
SELECT id FROM wallets WHERE festival_id = :festival_id EXCEPT SELECT wallet_id FROM orders
-- unsafe: arms that differ in position
SELECT w.id FROM (SELECT festival_id, id FROM tickets WHERE festival_id = :festival_id UNION SELECT id, festival_id FROM tickets WHERE festival_id = :festival_id) t JOIN wallets w ON w.festival_id = t.festival_id
-- unsafe: subquery in WHERE
SELECT id FROM wallets WHERE festival_id = :festival_id AND user_id IN (SELECT user_id FROM orders)
-- unsafe: subquery in EXISTS
SELECT id FROM wallets w WHERE festival_id = :festival_id AND EXISTS (SELECT 1 FROM orders o WHERE o.wallet_id = w.id)
-- unsafe: subquery in NOT EXISTS
SELECT id FROM wallets w WHERE festival_id = :festival_id AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.wallet_id = w.id)
-- unsafe: subquery in the list
SELECT id, (SELECT count(*) FROM orders) FROM wallets WHERE festival_id = :festival_id
-- unsafe: subquery in ORDER BY
SELECT id FROM wallets WHERE festival_id = :festival_id ORDER BY (SELECT max(total) FROM orders)
-- unsafe: subquery in LIMIT
SELECT id FROM wallets WHERE festival_id = :festival_id LIMIT (SELECT count(*) FROM orders)
-- unsafe: subquery in ON
SELECT o.id FROM orders o JOIN users u ON u.id = (SELECT max(user_id) FROM tickets) WHERE o.festival_id = :festival_id
-- unsafe: subquery in VALUES
INSERT INTO wallets (festival_id, id, balance) VALUES (:festival_id, :id, (SELECT max(balance) FROM wallets))
-- unsafe: subquery in RETURNING
INSERT INTO wallets (festival_id, id) VALUES (:festival_id, :id) RETURNING (SELECT count(*) FROM wallets)
-- unsafe: subquery in SET
UPDATE wallets SET balance = (SELECT max(balance) FROM wallets) WHERE festival_id = :festival_id
-- unsafe: subquery in FILTER
SELECT count(*) FILTER (WHERE id IN (SELECT wallet_id FROM orders)) FROM wallets WHERE festival_id = :festival_id
-- unsafe: subquery in a window
SELECT sum(balance) OVER (PARTITION BY (SELECT max(total) FROM orders)) FROM wallets WHERE festival_id = :festival_id
-- unsafe: subquery in an array's index
SELECT (ARRAY[1, 2])[(SELECT count(*) FROM orders)] FROM wallets WHERE festival_id = :festival_id
-- unsafe: subquery in a function of FROM
SELECT g FROM generate_series(1, (SELECT count(*) FROM orders)) g
-- unsafe: subquery in ON CONFLICT
INSERT INTO wallets (festival_id, id) VALUES (:festival_id, :id) ON CONFLICT (festival_id, id) DO UPDATE SET balance = (SELECT max(total) FROM orders)
-- unsafe: the subquery's condition is not the outer one
SELECT id FROM wallets w WHERE EXISTS (SELECT 1 FROM orders o WHERE o.festival_id = w.festival_id AND w.festival_id = :festival_id AND o.festival_id = :festival_id)
-- unsafe: correlation with a query that is not pinned
SELECT id FROM wallets w WHERE user_id = :user_id AND EXISTS (SELECT 1 FROM orders o WHERE o.festival_id = w.festival_id)
-- unsafe: shadowed alias in the subquery
SELECT w.id FROM wallets w WHERE w.festival_id = :festival_id AND EXISTS (SELECT 1 FROM orders w WHERE w.festival_id = w.festival_id)
-- unsafe: LATERAL without the key
SELECT w.id, l.id FROM wallets w, LATERAL (SELECT o.id FROM orders o WHERE o.wallet_id = w.id LIMIT 1) l WHERE w.festival_id = :festival_id
-- unsafe: LATERAL circle
SELECT w.id FROM wallets w, LATERAL (SELECT w.festival_id AS f) l WHERE l.f = w.festival_id
-- unsafe: CTE that is not pinned
WITH mine AS (SELECT * FROM wallets) SELECT id FROM mine WHERE festival_id = :festival_id
-- unsafe: CTE that nobody uses
WITH all_of_them AS (SELECT * FROM wallets) SELECT 1
-- unsafe: CTE that shadows a table, and reads it
WITH wallets AS (SELECT * FROM wallets WHERE user_id = :user_id) SELECT id FROM wallets WHERE festival_id = :festival_id
-- unsafe: CTE beside the table of the same name in a schema
WITH wallets AS (SELECT festival_id, id FROM tickets WHERE festival_id = :festival_id) SELECT id FROM public.wallets
-- unsafe: inner CTE is out of force
SELECT id FROM (WITH orders AS (SELECT 1 AS id) SELECT id FROM orders) a UNION ALL SELECT id FROM orders
-- unsafe: recursive CTE, second part
WITH RECURSIVE t AS (SELECT festival_id, id FROM stands WHERE festival_id = :festival_id UNION ALL SELECT s.festival_id, s.id FROM stands s JOIN t ON s.parent_id = t.id) SELECT id FROM t
-- unsafe: recursive CTE, first part
WITH RECURSIVE t AS (SELECT festival_id, id FROM stands WHERE parent_id IS NULL UNION ALL SELECT s.festival_id, s.id FROM stands s JOIN t ON s.parent_id = t.id AND s.festival_id = t.festival_id) SELECT id FROM t WHERE festival_id = :festival_id
-- unsafe: recursive CTE that loses the key on the way
WITH RECURSIVE t(festival_id, id) AS (SELECT festival_id, id FROM stands WHERE festival_id = :festival_id UNION ALL SELECT s.parent_id, s.id FROM stands s JOIN t ON s.festival_id = t.festival_id) SELECT id FROM t
-- unsafe: star through two relations
SELECT w.id FROM (SELECT * FROM tickets t, users u WHERE t.festival_id = :festival_id) d JOIN wallets w ON w.festival_id = d.festival_id
-- unsafe: TABLE
TABLE wallets
-- unsafe: TABLE in a UNION
SELECT * FROM wallets WHERE festival_id = :festival_id UNION ALL TABLE wallets
-- unsafe: insert from everybody
INSERT INTO wallets (festival_id, id) SELECT festival_id, id FROM wallets
-- unsafe: insert with columns swapped
INSERT INTO wallets (id, festival_id) SELECT festival_id, id FROM tickets WHERE festival_id = :festival_id
-- unsafe: insert, one row of another tenant
INSERT INTO wallets (festival_id, id) VALUES (:festival_id, 1), (:other, 2)
-- unsafe: insert of a computed key
INSERT INTO wallets (festival_id, id) VALUES (:festival_id + 1, 1)
-- unsafe: insert with the default key
INSERT INTO wallets (festival_id, id) VALUES (DEFAULT, 1)
-- unsafe: insert without columns
INSERT INTO wallets VALUES (:festival_id, 1)
-- unsafe: conflict changes the key
INSERT INTO wallets (festival_id, id) VALUES (:festival_id, 1) ON CONFLICT (festival_id, id) DO UPDATE SET festival_id = :other
-- unsafe: update of the key
UPDATE wallets SET festival_id = :other WHERE festival_id = :festival_id AND id = :id
-- unsafe: update of the key in a row
UPDATE wallets SET (balance, festival_id) = (1, :other) WHERE festival_id = :festival_id
-- unsafe: update of the key from a query
UPDATE wallets SET (balance, festival_id) = (SELECT 1, :festival_id) WHERE festival_id = :festival_id
-- unsafe: update of all
UPDATE wallets SET balance = 0
-- unsafe: update from a table that is not pinned
UPDATE wallets SET balance = o.total FROM orders o WHERE o.wallet_id = wallets.id AND wallets.festival_id = :festival_id
-- unsafe: update where only the other table is pinned
UPDATE wallets SET balance = o.total FROM orders o WHERE o.wallet_id = wallets.id AND o.festival_id = :festival_id
-- unsafe: delete of all
DELETE FROM wallets
-- unsafe: delete using a table that is not pinned
DELETE FROM wallets w USING orders o WHERE w.festival_id = :festival_id AND o.wallet_id = w.id
-- unsafe: delete in a CTE
WITH gone AS (DELETE FROM wallets RETURNING id) SELECT count(*) FROM gone
-- unsafe: value after an update is not the one before
WITH moved AS (UPDATE tickets SET user_id = :u WHERE festival_id = :festival_id AND user_id = :festival_id RETURNING user_id) SELECT w.id FROM moved m JOIN wallets w ON w.festival_id = m.user_id
-- unsafe: MERGE with an open source
MERGE INTO wallets w USING orders o ON w.festival_id = o.festival_id AND w.festival_id = :festival_id WHEN MATCHED THEN DELETE
-- unsafe: MERGE inserts for somebody else
MERGE INTO wallets w USING (SELECT :other AS f, :id AS id) s ON w.festival_id = :festival_id AND w.id = s.id WHEN NOT MATCHED THEN INSERT (festival_id, id) VALUES (s.f, s.id)
-- unsafe: MERGE by source
MERGE INTO wallets w USING (SELECT :festival_id AS f) s ON w.festival_id = s.f WHEN NOT MATCHED BY SOURCE THEN DELETE
-- unsafe: two statements
SELECT id FROM wallets WHERE festival_id = :festival_id; DELETE FROM wallets
-- unsafe: a positional parameter
SELECT id FROM wallets WHERE festival_id = $1
-- unsafe: SELECT INTO
SELECT id INTO TEMP x FROM wallets WHERE festival_id = :festival_id
-- unsafe: CREATE TABLE AS
CREATE TEMP TABLE x AS SELECT id FROM wallets WHERE festival_id = :festival_id
-- unsafe: COPY
COPY wallets TO STDOUT
-- unsafe: EXPLAIN ANALYZE
EXPLAIN ANALYZE DELETE FROM wallets WHERE festival_id = :festival_id
-- unsafe: PREPARE
PREPARE x AS SELECT id FROM wallets
-- unsafe: a cursor
DECLARE c CURSOR FOR SELECT id FROM wallets
-- unsafe: DO
DO $$ BEGIN DELETE FROM wallets; END $$
-- unsafe: a setting
SELECT set_config('search_path', 'other', false)
-- unsafe: a function that runs text
SELECT query_to_xml('SELECT * FROM wallets', true, true, '')
-- unsafe: dblink
SELECT * FROM dblink('', 'SELECT id FROM wallets') AS d(id int)
-- unsafe: a function of the user's
SELECT all_wallets()
-- unsafe: a call written as a column
SELECT w.all_of_them FROM wallets w WHERE w.festival_id = :festival_id
-- unsafe: a call written as a part
SELECT (w).all_of_them FROM wallets w WHERE w.festival_id = :festival_id
-- unsafe: the catalogs
SELECT relname FROM pg_class
-- unsafe: statistics hold values
SELECT most_common_vals FROM pg_catalog.pg_stats
-- unsafe: a sequence of all
SELECT nextval('wallet_ids')
-- unsafe: sleeping
SELECT pg_sleep(10) FROM wallets WHERE festival_id = :festival_id
-- unsafe: a lock beside the rows
SELECT pg_advisory_lock(1)
-- unsafe: a table that nobody described
SELECT id FROM secrets WHERE festival_id = :festival_id
-- unsafe: a join's condition means a name from around
SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM tickets t, (users u JOIN wallets w ON festival_id = w.festival_id) WHERE t.festival_id = :festival_id)
-- unsafe: sampling in place of a condition
SELECT id FROM wallets TABLESAMPLE system(1)
-- unsafe: a text in pieces
SELECT id FROM wallets WHERE user_id <> 'a' --
 ' AND festival_id = :festival_id'
-- unsafe: ROW comparison with two tenants
SELECT id FROM wallets WHERE (festival_id, id) IN ((:festival_id, 1), (:other, 2))
-- unsafe: JSON_TABLE
SELECT j.a FROM wallets w, JSON_TABLE(w.data, '$' COLUMNS (a int PATH '$.a')) j
