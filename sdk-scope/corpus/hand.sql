-- safe: join with both keys
SELECT o.id, w.balance FROM orders o JOIN wallets w ON w.festival_id = o.festival_id AND w.id = o.wallet_id WHERE o.festival_id = :festival_id
-- safe: join with USING
SELECT o.id, w.balance FROM orders o JOIN wallets w USING (festival_id, user_id) WHERE festival_id = :festival_id
-- safe: USING, key of one side
SELECT o.id FROM orders o JOIN wallets w USING (festival_id) WHERE o.festival_id = :festival_id
-- safe: three tables, one key
SELECT o.id, t.id, w.id FROM orders o JOIN tickets t USING (festival_id) JOIN wallets w USING (festival_id) WHERE festival_id = :festival_id AND t.order_id = o.id
-- safe: chain of ON
SELECT count(*) FROM orders o JOIN tickets t ON t.festival_id = o.festival_id AND t.order_id = o.id JOIN wallets w ON w.festival_id = t.festival_id AND w.id = o.wallet_id WHERE w.festival_id = :festival_id
-- safe: comma join
SELECT o.id FROM orders o, tickets t WHERE o.festival_id = :festival_id AND t.festival_id = o.festival_id AND t.order_id = o.id
-- safe: the key for each table
SELECT o.id FROM orders o JOIN tickets t ON t.order_id = o.id WHERE o.festival_id = :festival_id AND t.festival_id = :festival_id
-- safe: LEFT JOIN on both keys
SELECT w.id, sum(t.amount) FROM wallets w LEFT JOIN transactions t ON t.festival_id = w.festival_id AND t.wallet_id = w.id WHERE w.festival_id = :festival_id GROUP BY w.id
-- safe: LEFT JOIN with the parameter
SELECT w.id FROM wallets w LEFT JOIN transactions t ON t.festival_id = :festival_id AND t.wallet_id = w.id WHERE w.festival_id = :festival_id AND t.id IS NULL
-- safe: RIGHT JOIN
SELECT s.name, count(t.id) FROM transactions t RIGHT JOIN stands s ON s.festival_id = t.festival_id AND s.id = t.stand_id WHERE s.festival_id = :festival_id GROUP BY s.name
-- safe: FULL JOIN of two pinned queries
SELECT coalesce(a.user_id, b.user_id) AS user_id FROM (SELECT user_id FROM orders WHERE festival_id = :festival_id) a FULL JOIN (SELECT user_id FROM tickets WHERE festival_id = :festival_id) b ON a.user_id = b.user_id
-- safe: with reference tables
SELECT f.name, u.name, o.total FROM orders o JOIN festivals f ON f.id = o.festival_id JOIN users u ON u.id = o.user_id WHERE o.festival_id = :festival_id
-- safe: reference first
SELECT f.name, o.id FROM festivals f JOIN orders o ON o.festival_id = f.id WHERE f.id = :festival_id
-- safe: unqualified key beside a reference table
SELECT total, name FROM orders, users WHERE festival_id = :festival_id AND users.id = user_id
-- safe: EXISTS by correlation
SELECT id FROM wallets w WHERE w.festival_id = :festival_id AND EXISTS (SELECT 1 FROM orders o WHERE o.festival_id = w.festival_id AND o.wallet_id = w.id)
-- safe: NOT EXISTS by correlation
SELECT id FROM wallets w WHERE festival_id = :festival_id AND NOT EXISTS (SELECT FROM transactions t WHERE t.festival_id = w.festival_id AND t.wallet_id = w.id)
-- safe: IN with its own key
SELECT id FROM users WHERE id IN (SELECT user_id FROM tickets WHERE festival_id = :festival_id)
-- safe: OR around subqueries that are pinned
SELECT id FROM orders o WHERE o.festival_id = :festival_id AND (total > 100 OR EXISTS (SELECT 1 FROM tickets t WHERE t.festival_id = o.festival_id AND t.order_id = o.id))
-- safe: latest row by LATERAL
SELECT w.id, l.at FROM wallets w CROSS JOIN LATERAL (SELECT t.at FROM transactions t WHERE t.festival_id = w.festival_id AND t.wallet_id = w.id ORDER BY t.at DESC LIMIT 1) l WHERE w.festival_id = :festival_id
-- safe: LEFT JOIN LATERAL
SELECT s.id, x.n FROM stands s LEFT JOIN LATERAL (SELECT count(*) AS n FROM transactions t WHERE t.festival_id = :festival_id AND t.stand_id = s.id) x ON true WHERE s.festival_id = :festival_id
-- safe: latest row by DISTINCT ON
SELECT DISTINCT ON (wallet_id) wallet_id, at, amount FROM transactions WHERE festival_id = :festival_id ORDER BY wallet_id, at DESC
-- safe: CTEs
WITH paid AS (SELECT festival_id, id, total FROM orders WHERE festival_id = :festival_id AND state = 'paid') SELECT count(*), sum(total) FROM paid
-- safe: CTE joined by its key
WITH mine AS (SELECT festival_id, id FROM orders WHERE festival_id = :festival_id) SELECT t.id FROM tickets t JOIN mine m ON m.festival_id = t.festival_id AND m.id = t.order_id
-- safe: CTE with a star, joined by its key
WITH mine AS (SELECT * FROM orders WHERE festival_id = :festival_id) SELECT t.id FROM mine JOIN tickets t USING (festival_id) WHERE t.order_id = mine.id
-- safe: CTE that holds the parameter
WITH p AS (SELECT :festival_id::uuid AS festival_id) SELECT w.id FROM wallets w JOIN p ON p.festival_id = w.festival_id
-- safe: CTE that shadows a table
WITH wallets AS (SELECT id, balance FROM wallets WHERE festival_id = :festival_id) SELECT sum(balance) FROM wallets
-- safe: move rows
WITH gone AS (DELETE FROM tickets WHERE festival_id = :festival_id AND order_id = :id RETURNING festival_id, id, kind) INSERT INTO stands (festival_id, id, name) SELECT festival_id, id, kind FROM gone
-- safe: insert two at once
WITH o AS (INSERT INTO orders (festival_id, id, total) VALUES (:festival_id, :id, :total) RETURNING festival_id, id) INSERT INTO tickets (festival_id, id, order_id) SELECT o.festival_id, gen_random_uuid(), o.id FROM o RETURNING id
-- safe: update, then read
WITH u AS (UPDATE wallets SET balance = balance - :amount WHERE festival_id = :festival_id AND id = :id AND balance >= :amount RETURNING balance) SELECT balance FROM u
-- safe: charge a wallet
WITH w AS (UPDATE wallets SET balance = balance - :amount WHERE festival_id = :festival_id AND id = :wallet RETURNING festival_id, id) INSERT INTO transactions (festival_id, id, wallet_id, amount) SELECT w.festival_id, :id, w.id, :amount FROM w
-- safe: skip locked queue
UPDATE orders SET state = 'working' WHERE festival_id = :festival_id AND id = (SELECT id FROM orders WHERE festival_id = :festival_id AND state = 'open' ORDER BY placed_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
-- safe: tree of stands
WITH RECURSIVE tree AS (SELECT festival_id, id, name, 0 AS depth FROM stands WHERE festival_id = :festival_id AND parent_id IS NULL UNION ALL SELECT s.festival_id, s.id, s.name, t.depth + 1 FROM stands s JOIN tree t ON s.festival_id = t.festival_id AND s.parent_id = t.id) SELECT id, name, depth FROM tree ORDER BY depth, name
-- safe: tree, key by parameter in both parts
WITH RECURSIVE up AS (SELECT id, parent_id FROM stands WHERE festival_id = :festival_id AND id = :id UNION SELECT s.id, s.parent_id FROM stands s JOIN up ON s.id = up.parent_id WHERE s.festival_id = :festival_id) SELECT id FROM up
-- safe: tree with a list of columns
WITH RECURSIVE tree(f, id) AS (SELECT festival_id, id FROM stands WHERE festival_id = :festival_id UNION ALL SELECT s.festival_id, s.id FROM stands s, tree WHERE s.festival_id = tree.f AND s.parent_id = tree.id) SELECT count(*) FROM tree
-- safe: tree written with stars
WITH RECURSIVE tree AS (SELECT * FROM stands WHERE festival_id = :festival_id AND id = :id UNION ALL SELECT s.* FROM stands s JOIN tree t ON s.festival_id = t.festival_id AND s.parent_id = t.id) SELECT id FROM tree
-- safe: numbers by recursion
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT n.i, count(t.id) FROM n LEFT JOIN tickets t ON t.festival_id = :festival_id AND t.price = n.i GROUP BY n.i
-- safe: UNION of both kinds
SELECT id, 'order' AS kind FROM orders WHERE festival_id = :festival_id UNION ALL SELECT id, 'ticket' FROM tickets WHERE festival_id = :festival_id ORDER BY kind, id LIMIT 20
-- safe: INTERSECT
SELECT user_id FROM orders WHERE festival_id = :festival_id INTERSECT SELECT user_id FROM tickets WHERE festival_id = :festival_id
-- safe: EXCEPT in parentheses
(SELECT user_id FROM tickets WHERE festival_id = :festival_id) EXCEPT (SELECT user_id FROM orders WHERE festival_id = :festival_id)
-- safe: values to update from
UPDATE wallets AS w SET balance = v.balance FROM (VALUES (:a::uuid, :x::bigint), (:b, :y)) AS v(id, balance) WHERE w.festival_id = :festival_id AND w.id = v.id
-- safe: arrays to update from
UPDATE tickets t SET price = u.price FROM unnest(:ids::uuid[], :prices::bigint[]) AS u(id, price) WHERE t.festival_id = :festival_id AND t.id = u.id
-- safe: update from another table
UPDATE orders o SET total = s.sum FROM (SELECT festival_id, order_id, sum(price) AS sum FROM tickets WHERE festival_id = :festival_id GROUP BY festival_id, order_id) s WHERE o.festival_id = s.festival_id AND o.id = s.order_id
-- safe: update by a subquery
UPDATE orders SET total = (SELECT coalesce(sum(price), 0) FROM tickets t WHERE t.festival_id = orders.festival_id AND t.order_id = orders.id) WHERE festival_id = :festival_id AND id = :id
-- safe: delete using
DELETE FROM tickets t USING orders o WHERE t.festival_id = :festival_id AND o.festival_id = t.festival_id AND o.id = t.order_id AND o.state = 'void'
-- safe: delete old ones in batches
DELETE FROM transactions WHERE festival_id = :festival_id AND id IN (SELECT id FROM transactions WHERE festival_id = :festival_id AND at < now() - interval '30 days' LIMIT 1000)
-- safe: copy within the tenant
INSERT INTO stands (festival_id, id, name) SELECT festival_id, gen_random_uuid(), name || ' (2)' FROM stands WHERE festival_id = :festival_id
-- safe: insert where there is none
INSERT INTO wallets (festival_id, id, user_id) SELECT :festival_id, :id, :user_id WHERE NOT EXISTS (SELECT 1 FROM wallets WHERE festival_id = :festival_id AND user_id = :user_id)
-- safe: add up on conflict
INSERT INTO wallets AS w (festival_id, id, balance) VALUES (:festival_id, :id, :n) ON CONFLICT (festival_id, id) DO UPDATE SET balance = w.balance + excluded.balance WHERE w.state = 'open' RETURNING balance
-- safe: MERGE
MERGE INTO wallets w USING (VALUES (:festival_id, :id, :n)) AS s(festival_id, id, n) ON w.festival_id = s.festival_id AND w.id = s.id WHEN MATCHED THEN UPDATE SET balance = w.balance + s.n WHEN NOT MATCHED THEN INSERT (festival_id, id, balance) VALUES (s.festival_id, s.id, s.n)
-- safe: MERGE from a pinned query
MERGE INTO wallets w USING (SELECT festival_id, wallet_id, sum(amount) AS n FROM transactions WHERE festival_id = :festival_id GROUP BY festival_id, wallet_id) t ON w.festival_id = t.festival_id AND w.id = t.wallet_id WHEN MATCHED THEN UPDATE SET balance = t.n
-- safe: comments everywhere
SELECT /* the id */ id -- of the wallet
FROM wallets -- all of them: no
WHERE festival_id = /* the tenant */ :festival_id
-- safe: signs in constants
SELECT id FROM stands WHERE festival_id = :festival_id AND name <> 'it''s :not -- a /* comment' AND name <> $q$ $1 :x $q$
-- safe: case of words does not matter
sElEcT ID fRoM Wallets WhErE FESTIVAL_ID = :festival_id
-- safe: everything quoted
SELECT "w"."id" FROM "wallets" AS "w" WHERE "w"."festival_id" = :festival_id
-- safe: key on the right
SELECT id FROM wallets WHERE :festival_id = festival_id
-- safe: key in parentheses
SELECT id FROM wallets WHERE ((festival_id) = (:festival_id)) AND (id = :id)
-- safe: key in IN
SELECT id FROM wallets WHERE festival_id IN (:festival_id)
-- safe: key with a cast
SELECT id FROM wallets WHERE festival_id = CAST(:festival_id AS uuid)
-- safe: no table
SELECT now(), 1 + 1
-- safe: a constant list
VALUES (1, 'a'), (2, 'b')
-- safe: analyst, revenue per hour
SELECT date_trunc('hour', at) AS hour, sum(amount) AS revenue, count(DISTINCT wallet_id) AS people FROM transactions WHERE festival_id = :festival_id AND at >= :from AND at < :to GROUP BY 1 ORDER BY 1
-- safe: analyst, running total
SELECT at, amount, sum(amount) OVER (PARTITION BY wallet_id ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS balance FROM transactions WHERE festival_id = :festival_id
-- safe: analyst, best sellers
SELECT name, revenue FROM (SELECT s.name, sum(t.amount) AS revenue, rank() OVER (ORDER BY sum(t.amount) DESC) AS place FROM stands s JOIN transactions t ON t.festival_id = s.festival_id AND t.stand_id = s.id WHERE s.festival_id = :festival_id GROUP BY s.name) r WHERE place <= 10
-- safe: analyst, share of the whole
WITH per_stand AS (SELECT stand_id, sum(amount) AS n FROM transactions WHERE festival_id = :festival_id GROUP BY stand_id), whole AS (SELECT sum(n) AS n FROM per_stand) SELECT p.stand_id, round(100.0 * p.n / nullif(whole.n, 0), 2) FROM per_stand p CROSS JOIN whole
-- safe: analyst, hours without gaps
SELECT h.hour, coalesce(sum(t.amount), 0) FROM generate_series(:from::timestamptz, :to::timestamptz, interval '1 hour') AS h(hour) LEFT JOIN transactions t ON t.festival_id = :festival_id AND t.at >= h.hour AND t.at < h.hour + interval '1 hour' GROUP BY h.hour ORDER BY h.hour
-- safe: analyst, median and percentiles
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS median, percentile_cont(ARRAY[0.9, 0.99]) WITHIN GROUP (ORDER BY total) FROM orders WHERE festival_id = :festival_id
-- safe: analyst, grouping sets
SELECT kind, date_trunc('day', created_at) AS day, count(*), grouping(kind) FROM tickets WHERE festival_id = :festival_id GROUP BY GROUPING SETS ((kind, day), (kind), ())
-- safe: analyst, rollup
SELECT kind, state, sum(amount) FROM (SELECT t.kind, o.state, t.price AS amount FROM tickets t JOIN orders o ON o.festival_id = t.festival_id AND o.id = t.order_id WHERE o.festival_id = :festival_id) x GROUP BY ROLLUP (kind, state)
-- safe: analyst, pivot by FILTER
SELECT count(*) FILTER (WHERE kind = 'day') AS day, count(*) FILTER (WHERE kind = 'camp') AS camp FROM tickets WHERE festival_id = :festival_id
-- safe: analyst, first and last
SELECT DISTINCT first_value(at) OVER w AS first, last_value(at) OVER w AS last FROM transactions WHERE festival_id = :festival_id WINDOW w AS (PARTITION BY wallet_id ORDER BY at RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
-- safe: analyst, histogram
SELECT width_bucket(total, 0, 1000, 10) AS bucket, count(*) FROM orders WHERE festival_id = :festival_id GROUP BY bucket ORDER BY bucket
-- safe: analyst, days since
SELECT id, extract(epoch FROM now() - placed_at) / 86400 AS days FROM orders WHERE festival_id = :festival_id
-- safe: json fields
SELECT data ->> 'color', data #>> '{a,b}', data @> '{"open": true}', data ? 'menu' FROM stands WHERE festival_id = :festival_id
-- safe: json rows
SELECT s.id, e.key, e.value FROM stands s, jsonb_each_text(s.data) AS e WHERE s.festival_id = :festival_id
-- safe: json array
SELECT s.id, m ->> 'price' FROM stands s CROSS JOIN LATERAL jsonb_array_elements(s.data -> 'menu') AS m WHERE s.festival_id = :festival_id
-- safe: json out
SELECT jsonb_build_object('id', o.id, 'tickets', coalesce(jsonb_agg(t.kind) FILTER (WHERE t.id IS NOT NULL), '[]'::jsonb)) FROM orders o LEFT JOIN tickets t ON t.festival_id = o.festival_id AND t.order_id = o.id WHERE o.festival_id = :festival_id GROUP BY o.id
-- safe: row as json
SELECT row_to_json(w) FROM wallets w WHERE w.festival_id = :festival_id
-- safe: full text search
SELECT id, ts_rank(to_tsvector('english', name), q) AS r FROM stands, websearch_to_tsquery('english', :words) q WHERE festival_id = :festival_id AND to_tsvector('english', name) @@ q ORDER BY r DESC
-- safe: regular expressions
SELECT id FROM stands WHERE festival_id = :festival_id AND name ~* :pattern AND regexp_replace(name, '\s+', ' ') <> ''
-- safe: row constructor in the paging
SELECT id FROM transactions WHERE festival_id = :festival_id AND (at, id) > (:at, :id) ORDER BY at, id FETCH FIRST 100 ROWS ONLY
-- safe: self join
SELECT a.id, b.id FROM stands a JOIN stands b ON b.festival_id = a.festival_id AND b.parent_id = a.id WHERE a.festival_id = :festival_id
-- safe: nested derived tables
SELECT max(n) FROM (SELECT count(*) AS n FROM (SELECT user_id FROM tickets WHERE festival_id = :festival_id) t GROUP BY user_id) x
-- safe: condition in CASE beside the key
SELECT CASE WHEN EXISTS (SELECT 1 FROM tickets WHERE festival_id = :festival_id AND user_id = :u) THEN 'guest' ELSE 'none' END
-- safe: ALL over a pinned subquery
SELECT id FROM orders WHERE festival_id = :festival_id AND total >= ALL (SELECT total FROM orders WHERE festival_id = :festival_id)
-- safe: array of a subquery
SELECT o.id, ARRAY(SELECT t.kind FROM tickets t WHERE t.festival_id = o.festival_id AND t.order_id = o.id ORDER BY t.kind) FROM orders o WHERE o.festival_id = :festival_id
-- safe: condition around a simple derived table
SELECT id FROM (SELECT festival_id, id FROM wallets) w WHERE w.festival_id = :festival_id
-- safe: row equality
SELECT id FROM wallets WHERE (festival_id, id) = (:festival_id, :id)
-- safe: a trailing semicolon
SELECT id FROM wallets WHERE festival_id = :festival_id;
