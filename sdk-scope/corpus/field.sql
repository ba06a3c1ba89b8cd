-- safe: Rails, find_by with two columns
SELECT "tickets".* FROM "tickets" WHERE "tickets"."festival_id" = :festival_id AND "tickets"."user_id" = :user_id AND "tickets"."kind" = :kind LIMIT 1
-- safe: Rails, where.missing
SELECT "orders".* FROM "orders" LEFT OUTER JOIN "tickets" ON "tickets"."festival_id" = "orders"."festival_id" AND "tickets"."order_id" = "orders"."id" WHERE "tickets"."id" IS NULL AND "orders"."festival_id" = :festival_id
-- safe: Rails, eager_load with aliased columns
SELECT "orders"."id" AS t0_r0, "orders"."total" AS t0_r1, "tickets"."id" AS t1_r0, "tickets"."kind" AS t1_r1 FROM "orders" LEFT OUTER JOIN "tickets" ON "tickets"."festival_id" = "orders"."festival_id" AND "tickets"."order_id" = "orders"."id" WHERE "orders"."festival_id" = :festival_id AND "tickets"."kind" IN ('day', 'camp') ORDER BY "orders"."placed_at" DESC
-- safe: Rails, find_each
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" > :last ORDER BY "wallets"."id" ASC LIMIT 1000
-- safe: Rails, group and having
SELECT "tickets"."user_id", COUNT(*) AS count_all FROM "tickets" WHERE "tickets"."festival_id" = :festival_id GROUP BY "tickets"."user_id" HAVING (COUNT(*) > 2)
-- safe: Rails, or within a scope
SELECT "orders".* FROM "orders" WHERE "orders"."festival_id" = :festival_id AND ("orders"."state" = 'open' OR "orders"."state" = 'paid' AND "orders"."total" > 100)
-- safe: Rails, composite keys in where
SELECT "orders".* FROM "orders" WHERE ("orders"."festival_id" = :festival_id AND "orders"."id" = :id OR FALSE)
-- safe: Rails, lock
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" = :id LIMIT 1 FOR UPDATE
-- safe: Rails, touch
UPDATE "orders" SET "placed_at" = CURRENT_TIMESTAMP WHERE "orders"."festival_id" = :festival_id AND "orders"."id" = :id
-- safe: Rails, pick with average
SELECT AVG("tickets"."price"), MIN("tickets"."created_at") FROM "tickets" WHERE "tickets"."festival_id" = :festival_id LIMIT 1
-- safe: Rails, delete_all through a subquery
DELETE FROM "tickets" WHERE ("tickets"."festival_id", "tickets"."id") IN (SELECT "tickets"."festival_id", "tickets"."id" FROM "tickets" INNER JOIN "orders" ON "orders"."festival_id" = "tickets"."festival_id" AND "orders"."id" = "tickets"."order_id" WHERE "tickets"."festival_id" = :festival_id AND "orders"."state" = 'void') AND "tickets"."festival_id" = :festival_id
-- safe: Django, annotate with a count
SELECT "orders"."id", "orders"."total", COUNT("tickets"."id") AS "tickets__count" FROM "orders" LEFT OUTER JOIN "tickets" ON ("orders"."festival_id" = "tickets"."festival_id" AND "orders"."id" = "tickets"."order_id") WHERE "orders"."festival_id" = :festival_id GROUP BY "orders"."id", "orders"."total"
-- safe: Django, Exists as an annotation
SELECT "wallets"."id", EXISTS(SELECT 1 AS "a" FROM "orders" U0 WHERE (U0."festival_id" = "wallets"."festival_id" AND U0."wallet_id" = "wallets"."id") LIMIT 1) AS "has_orders" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id
-- safe: Django, exclude across a relation
SELECT "orders"."id" FROM "orders" WHERE ("orders"."festival_id" = :festival_id AND NOT (EXISTS(SELECT 1 AS "a" FROM "tickets" U1 WHERE (U1."kind" = 'crew' AND U1."festival_id" = "orders"."festival_id" AND U1."order_id" = "orders"."id") LIMIT 1)))
-- safe: Django, Window
SELECT "transactions"."id", SUM("transactions"."amount") OVER (PARTITION BY "transactions"."wallet_id" ORDER BY "transactions"."at" ASC) AS "running" FROM "transactions" WHERE "transactions"."festival_id" = :festival_id ORDER BY "transactions"."at" ASC
-- safe: Django, TruncMonth
SELECT DATE_TRUNC('month', "orders"."placed_at" AT TIME ZONE 'Europe/Berlin') AS "month", COUNT("orders"."id") AS "n" FROM "orders" WHERE ("orders"."festival_id" = :festival_id AND "orders"."placed_at" BETWEEN :from AND :to) GROUP BY 1 ORDER BY 1 ASC
-- safe: Django, union of querysets
(SELECT "tickets"."user_id" AS "col1" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id) UNION (SELECT "orders"."user_id" AS "col1" FROM "orders" WHERE "orders"."festival_id" = :festival_id) ORDER BY (1) ASC LIMIT 50
-- safe: Django, Case and When
SELECT "tickets"."id", CASE WHEN "tickets"."scanned_at" IS NOT NULL THEN 'in' WHEN "tickets"."price" = 0 THEN 'free' ELSE 'out' END AS "where" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id
-- safe: Django, JSON key transform
SELECT "stands"."id" FROM "stands" WHERE ("stands"."festival_id" = :festival_id AND ("stands"."data" #> ARRAY['menu','0']) = '"beer"'::jsonb)
-- safe: Django, ArrayAgg distinct
SELECT "tickets"."user_id", ARRAY_AGG(DISTINCT "tickets"."kind" ORDER BY "tickets"."kind") AS "kinds" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id GROUP BY "tickets"."user_id"
-- safe: Django, search vector
SELECT "stands"."id", ts_rank(setweight(to_tsvector('english'::regconfig, COALESCE("stands"."name", '')), 'A'), plainto_tsquery('english'::regconfig, :words)) AS "rank" FROM "stands" WHERE "stands"."festival_id" = :festival_id
-- safe: Django, update with a subquery
UPDATE "wallets" SET "balance" = (SELECT SUM(U0."amount") AS "s" FROM "transactions" U0 WHERE (U0."festival_id" = ("wallets"."festival_id") AND U0."wallet_id" = ("wallets"."id")) GROUP BY U0."wallet_id") WHERE "wallets"."festival_id" = :festival_id
-- safe: Hibernate 6, polymorphic tuple
select t1_0.id,t1_0.kind from tickets t1_0 where t1_0.festival_id=:festival_id and (t1_0.kind,t1_0.price) in (('day',10),('camp',20))
-- safe: Hibernate 6, count of page
select count(*) from (select distinct o1_0.user_id c0 from orders o1_0 where o1_0.festival_id=:festival_id) d1_0
-- safe: Hibernate 6, CTE
with per_user (uid, n) as (select o1_0.user_id, sum(o1_0.total) from orders o1_0 where o1_0.festival_id=:festival_id group by o1_0.user_id) select p1_0.uid,p1_0.n from per_user p1_0 where p1_0.n>:min
-- safe: Hibernate 6, row lock of one alias
select o1_0.id,w1_0.balance from orders o1_0 join wallets w1_0 on w1_0.festival_id=o1_0.festival_id and w1_0.id=o1_0.wallet_id where o1_0.festival_id=:festival_id and o1_0.id=:id for no key update of o1_0
-- safe: Hibernate 6, collection size
select w1_0.id from wallets w1_0 where w1_0.festival_id=:festival_id and (select count(1) from orders o1_0 where w1_0.festival_id=o1_0.festival_id and w1_0.id=o1_0.wallet_id)>=3
-- safe: Hibernate 6, insert from a query
insert into tickets(festival_id,id,user_id,order_id,kind,price) select o1_0.festival_id,gen_random_uuid(),o1_0.user_id,o1_0.id,'day',o1_0.total from orders o1_0 where o1_0.festival_id=:festival_id and o1_0.state='paid'
-- safe: Prisma, unique by a compound key
SELECT "public"."orders"."festival_id", "public"."orders"."id", "public"."orders"."total" FROM "public"."orders" WHERE (("public"."orders"."festival_id" = :festival_id AND "public"."orders"."id" = :id) AND 1=1) LIMIT :limit OFFSET :offset
-- safe: Prisma, some relation filter
SELECT "public"."orders"."id" FROM "public"."orders" WHERE ("public"."orders"."festival_id" = :festival_id AND ("public"."orders"."id") IN (SELECT "t1"."order_id" FROM "public"."tickets" AS "t1" WHERE ("t1"."kind" = :kind AND "t1"."festival_id" = :festival_id AND "t1"."order_id" IS NOT NULL)))
-- safe: Prisma, upsert
INSERT INTO "public"."wallets" ("festival_id","id","balance") VALUES (:festival_id,:id,:balance) ON CONFLICT ("festival_id","id") DO UPDATE SET "balance" = :balance WHERE ("public"."wallets"."festival_id" = :festival_id AND 1=1) RETURNING "public"."wallets"."id", "public"."wallets"."balance"
-- safe: Prisma, nested JSON relation
SELECT "t0"."id", (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t2"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('kind', "t1"."kind", 'id', "t1"."id") AS "__prisma_data__" FROM (SELECT "t3".* FROM "public"."tickets" AS "t3" WHERE "t0"."festival_id" = "t3"."festival_id" AND "t0"."id" = "t3"."order_id") AS "t1") AS "t2") AS "t4") AS "tickets" FROM "public"."orders" AS "t0" WHERE "t0"."festival_id" = :festival_id
-- safe: Prisma, cursor
SELECT "public"."tickets"."id" FROM "public"."tickets" WHERE ("public"."tickets"."festival_id" = :festival_id AND "public"."tickets"."id" >= (SELECT "public"."tickets"."id" FROM "public"."tickets" WHERE ("public"."tickets"."festival_id" = :festival_id AND "public"."tickets"."id" = :cursor))) ORDER BY "public"."tickets"."id" ASC LIMIT :limit
-- safe: SQLAlchemy, select
SELECT wallets.id AS wallets_id, wallets.balance AS wallets_balance FROM wallets WHERE wallets.festival_id = :festival_id AND wallets.balance >= :balance_1 ORDER BY wallets.id
-- safe: SQLAlchemy, joinedload
SELECT orders.id, orders.total, tickets_1.id AS id_1, tickets_1.kind FROM orders LEFT OUTER JOIN tickets AS tickets_1 ON orders.festival_id = tickets_1.festival_id AND orders.id = tickets_1.order_id WHERE orders.festival_id = :festival_id
-- safe: SQLAlchemy, joinedload over a limit
SELECT anon_1.id, anon_1.total, tickets_1.id AS id_1 FROM (SELECT orders.festival_id AS festival_id, orders.id AS id, orders.total AS total FROM orders WHERE orders.festival_id = :festival_id ORDER BY orders.placed_at DESC LIMIT :param_1) AS anon_1 LEFT OUTER JOIN tickets AS tickets_1 ON anon_1.festival_id = tickets_1.festival_id AND anon_1.id = tickets_1.order_id ORDER BY anon_1.id
-- safe: SQLAlchemy, selectinload
SELECT tickets.order_id AS tickets_order_id, tickets.id AS tickets_id FROM tickets WHERE tickets.festival_id = :festival_id AND tickets.order_id IN (:pk_1, :pk_2, :pk_3)
-- safe: SQLAlchemy, correlated scalar subquery
SELECT wallets.id, (SELECT max(transactions.at) AS max_1 FROM transactions WHERE transactions.festival_id = wallets.festival_id AND transactions.wallet_id = wallets.id) AS last_seen FROM wallets WHERE wallets.festival_id = :festival_id
-- safe: SQLAlchemy, filter aggregate with a cast
SELECT count(*) FILTER (WHERE CAST(tickets.scanned_at AS DATE) = :day) AS scanned, count(*) AS whole FROM tickets WHERE tickets.festival_id = :festival_id
-- safe: SQLAlchemy, on_conflict_do_update
INSERT INTO stands (festival_id, id, name) VALUES (:festival_id, :id, :name) ON CONFLICT (festival_id, id) DO UPDATE SET name = excluded.name, data = coalesce(excluded.data, stands.data) RETURNING stands.id
-- safe: SQLAlchemy, insertmanyvalues
INSERT INTO transactions (festival_id, id, wallet_id, amount) SELECT p0::UUID, p1::UUID, p2::UUID, p3::BIGINT FROM (VALUES (:festival_id, :id__0, :wallet_id__0, :amount__0, 0), (:festival_id, :id__1, :wallet_id__1, :amount__1, 1)) AS imp_sen(p0, p1, p2, p3, sen_counter) ORDER BY sen_counter RETURNING transactions.id
-- safe: SQLAlchemy, values construct
SELECT v.id, v.n FROM (VALUES (:a, 1), (:b, 2)) AS v (id, n) JOIN tickets ON tickets.id = v.id WHERE tickets.festival_id = :festival_id
-- safe: SQLAlchemy, aliased self join
SELECT s1.name, s2.name AS name_1 FROM stands AS s1 JOIN stands AS s2 ON s1.festival_id = s2.festival_id AND s1.id = s2.parent_id WHERE s1.festival_id = :festival_id AND s2.kind = :kind_1
-- safe: SQLAlchemy, recursive CTE
WITH RECURSIVE anon_1(festival_id, id, parent_id) AS (SELECT stands.festival_id AS festival_id, stands.id AS id, stands.parent_id AS parent_id FROM stands WHERE stands.festival_id = :festival_id AND stands.id = :id_1 UNION ALL SELECT stands_1.festival_id AS festival_id, stands_1.id AS id, stands_1.parent_id AS parent_id FROM stands AS stands_1 JOIN anon_1 ON stands_1.festival_id = anon_1.festival_id AND stands_1.parent_id = anon_1.id) SELECT anon_1.id FROM anon_1
-- safe: Ecto, all
SELECT w0."id", w0."balance" FROM "wallets" AS w0 WHERE (w0."festival_id" = :festival_id) AND (w0."balance" > :n)
-- safe: Ecto, preload
SELECT t0."id", t0."kind", t0."order_id" FROM "tickets" AS t0 WHERE ((t0."festival_id" = :festival_id)) AND (t0."order_id" = ANY(:ids)) ORDER BY t0."order_id"
-- safe: Ecto, dynamic true
SELECT o0."id" FROM "orders" AS o0 WHERE (TRUE AND (o0."festival_id" = :festival_id)) AND (o0."state" = :state)
-- safe: Ecto, lateral join
SELECT o0."id", f1."kind" FROM "orders" AS o0 INNER JOIN LATERAL (SELECT st0."kind" FROM "tickets" AS st0 WHERE (st0."festival_id" = o0."festival_id") AND (st0."order_id" = o0."id") ORDER BY st0."created_at" DESC LIMIT 1) AS f1 ON TRUE WHERE (o0."festival_id" = :festival_id)
-- safe: Ecto, insert_all with placeholders
INSERT INTO "stands" ("festival_id","id","name") VALUES (:festival_id,:a,:name1),(:festival_id,:b,:name2) ON CONFLICT ("festival_id","id") DO UPDATE SET "name" = EXCLUDED."name"
-- safe: Ecto, update_all with a fragment
UPDATE "wallets" AS w0 SET "balance" = w0."balance" + :n, "updated_at" = now() WHERE (w0."festival_id" = :festival_id) AND (w0."state" = 'open')
-- safe: Ecto, combinations
SELECT s0."id" FROM "stands" AS s0 WHERE (s0."festival_id" = :festival_id) UNION ALL (SELECT o0."id" FROM "orders" AS o0 WHERE (o0."festival_id" = :festival_id))
-- safe: Ecto, windows
SELECT t0."id", rank() OVER "per_kind" FROM "tickets" AS t0 WHERE (t0."festival_id" = :festival_id) WINDOW "per_kind" AS (PARTITION BY t0."kind" ORDER BY t0."price" DESC)
-- safe: sqlx, queue with SKIP LOCKED in a CTE
WITH next AS (SELECT id FROM orders WHERE festival_id = :festival_id AND state = 'open' ORDER BY placed_at FOR UPDATE SKIP LOCKED LIMIT :n) UPDATE orders SET state = 'working' FROM next WHERE orders.festival_id = :festival_id AND orders.id = next.id RETURNING orders.*
-- safe: sqlx, upsert from arrays
INSERT INTO stands (festival_id, id, name) SELECT :festival_id, * FROM unnest(:ids::uuid[], :names::text[]) ON CONFLICT (festival_id, id) DO NOTHING
-- safe: sqlx, array overlap and containment
SELECT id FROM stands WHERE festival_id = :festival_id AND ARRAY[kind] && :kinds::text[] AND NOT name = ANY(:names)
-- safe: sqlx, page and whole count
SELECT id, total, count(*) OVER () AS "whole!" FROM orders WHERE festival_id = :festival_id ORDER BY placed_at DESC, id LIMIT :limit OFFSET :offset
-- safe: sqlx, optional range
SELECT id FROM transactions WHERE festival_id = :festival_id AND (:from::timestamptz IS NULL OR at >= :from) AND (:to::timestamptz IS NULL OR at < :to)
-- safe: sqlx, insert or fetch
WITH new AS (INSERT INTO wallets (festival_id, id, user_id) VALUES (:festival_id, :id, :user_id) ON CONFLICT DO NOTHING RETURNING id) SELECT id FROM new UNION ALL SELECT id FROM wallets WHERE festival_id = :festival_id AND user_id = :user_id LIMIT 1
-- safe: sqlx, transfer between two wallets
UPDATE wallets SET balance = balance + CASE id WHEN :from THEN -:amount WHEN :to THEN :amount END WHERE festival_id = :festival_id AND id IN (:from, :to)
-- safe: sqlx, compare and swap by jsonb
UPDATE stands SET data = jsonb_set(data, '{open}', to_jsonb(:open::bool)) WHERE festival_id = :festival_id AND id = :id AND data @> '{"open": false}'
-- safe: sqlx, delete returning and archive
WITH old AS (DELETE FROM transactions WHERE festival_id = :festival_id AND at < :before RETURNING festival_id, wallet_id, amount) INSERT INTO transactions (festival_id, id, wallet_id, amount) SELECT old.festival_id, gen_random_uuid(), old.wallet_id, sum(old.amount) FROM old GROUP BY old.festival_id, old.wallet_id
-- safe: TypeORM, find with relations
SELECT "Order"."id" AS "Order_id", "Order__tickets"."id" AS "Order__tickets_id" FROM "orders" "Order" LEFT JOIN "tickets" "Order__tickets" ON "Order__tickets"."festival_id"="Order"."festival_id" AND "Order__tickets"."order_id"="Order"."id" WHERE ( (("Order"."festival_id" = :festival_id)) )
-- safe: TypeORM, take with distinct alias
SELECT DISTINCT "distinctAlias"."Order_id" AS "ids_Order_id" FROM (SELECT "Order"."id" AS "Order_id", "Order"."total" AS "Order_total" FROM "orders" "Order" WHERE "Order"."festival_id" = :festival_id) "distinctAlias" ORDER BY "Order_id" ASC LIMIT 10
-- safe: Sequelize, findAndCountAll
SELECT count("orders"."id") AS "count" FROM "orders" AS "orders" INNER JOIN "tickets" AS "tickets" ON "orders"."id" = "tickets"."order_id" AND "tickets"."festival_id" = :festival_id WHERE "orders"."festival_id" = :festival_id
-- safe: jOOQ, row value expression
select "o"."id", row ("u"."id", "u"."name") as "u" from "orders" as "o" join "users" as "u" on "o"."user_id" = "u"."id" where ("o"."festival_id" = :festival_id and "o"."state" <> 'void')
-- safe: jOOQ, multiset
select "o"."id", (select coalesce(jsonb_agg(jsonb_build_array("v0", "v1")), jsonb_build_array()) from (select "t"."id" as "v0", "t"."kind" as "v1" from "tickets" as "t" where ("t"."festival_id" = "o"."festival_id" and "t"."order_id" = "o"."id")) as "t") as "tickets" from "orders" as "o" where "o"."festival_id" = :festival_id
-- safe: Drizzle, relational query
select "orders"."id", "orders_tickets"."data" as "tickets" from "orders" "orders" left join lateral (select coalesce(json_agg(json_build_array("orders_tickets"."id", "orders_tickets"."kind")), '[]'::json) as "data" from "tickets" "orders_tickets" where ("orders_tickets"."festival_id" = "orders"."festival_id" and "orders_tickets"."order_id" = "orders"."id")) "orders_tickets" on true where "orders"."festival_id" = :festival_id
-- safe: Knex, whereIn and orderByRaw
select "id" from "tickets" where "festival_id" = :festival_id and "kind" in (:a, :b) order by lower(kind), id asc limit :limit
-- safe: analyst, cohort by month
WITH first AS (SELECT user_id, min(date_trunc('month', placed_at)) AS month FROM orders WHERE festival_id = :festival_id GROUP BY user_id) SELECT f.month, date_trunc('month', o.placed_at) AS at, count(DISTINCT o.user_id) FROM orders o JOIN first f ON f.user_id = o.user_id WHERE o.festival_id = :festival_id GROUP BY 1, 2 ORDER BY 1, 2
-- safe: analyst, gaps and islands
SELECT wallet_id, min(at) AS begun, max(at) AS ended, count(*) FROM (SELECT wallet_id, at, count(*) FILTER (WHERE is_new) OVER (PARTITION BY wallet_id ORDER BY at) AS island FROM (SELECT wallet_id, at, coalesce(at - lag(at) OVER (PARTITION BY wallet_id ORDER BY at) > interval '1 hour', true) AS is_new FROM transactions WHERE festival_id = :festival_id) a) b GROUP BY wallet_id, island
-- safe: analyst, moving average by RANGE
SELECT day, avg(n) OVER (ORDER BY day RANGE BETWEEN '6 days' PRECEDING AND CURRENT ROW) FROM (SELECT placed_at::date AS day, count(*) AS n FROM orders WHERE festival_id = :festival_id GROUP BY 1) d
-- safe: analyst, cube with labels
SELECT coalesce(kind, 'all') AS kind, coalesce(to_char(created_at, 'YYYY-MM'), 'all') AS month, sum(price) FROM tickets WHERE festival_id = :festival_id GROUP BY CUBE (kind, to_char(created_at, 'YYYY-MM')) ORDER BY GROUPING(kind), 1
-- safe: analyst, top three per group
SELECT s.name, top.amount FROM stands s CROSS JOIN LATERAL (SELECT t.amount FROM transactions t WHERE t.festival_id = s.festival_id AND t.stand_id = s.id ORDER BY t.amount DESC FETCH FIRST 3 ROWS WITH TIES) top WHERE s.festival_id = :festival_id
-- safe: analyst, calendar without gaps from the data's ends
WITH ends AS (SELECT min(at)::date AS a, max(at)::date AS b FROM transactions WHERE festival_id = :festival_id) SELECT d::date, count(t.id) FROM ends CROSS JOIN generate_series(ends.a, ends.b, interval '1 day') AS d LEFT JOIN transactions t ON t.festival_id = :festival_id AND t.at::date = d::date GROUP BY d ORDER BY d
-- safe: analyst, latest by a window
SELECT id, wallet_id, amount FROM (SELECT t.*, row_number() OVER (PARTITION BY t.wallet_id ORDER BY t.at DESC) AS n FROM transactions t WHERE t.festival_id = :festival_id) x WHERE x.n = 1
-- safe: analyst, percent of the whole by a window
SELECT kind, count(*) * 100.0 / sum(count(*)) OVER () AS percent FROM tickets WHERE festival_id = :festival_id GROUP BY kind
-- safe: analyst, funnel
SELECT count(DISTINCT t.user_id) AS bought, count(DISTINCT t.user_id) FILTER (WHERE t.scanned_at IS NOT NULL) AS came, count(DISTINCT o.user_id) AS paid FROM tickets t LEFT JOIN orders o ON o.festival_id = t.festival_id AND o.user_id = t.user_id AND o.state = 'paid' WHERE t.festival_id = :festival_id
-- safe: analyst, full outer join of two counts
SELECT coalesce(a.day, b.day) AS day, coalesce(a.n, 0) AS orders, coalesce(b.n, 0) AS tickets FROM (SELECT placed_at::date AS day, count(*) AS n FROM orders WHERE festival_id = :festival_id GROUP BY 1) a FULL OUTER JOIN (SELECT created_at::date AS day, count(*) AS n FROM tickets WHERE festival_id = :festival_id GROUP BY 1) b USING (day) ORDER BY 1
-- safe: analyst, correlation and regression
SELECT corr(t.price, o.total), regr_slope(t.price, o.total) FROM tickets t JOIN orders o ON o.festival_id = t.festival_id AND o.id = t.order_id WHERE t.festival_id = :festival_id
-- safe: analyst, keys of json counted
SELECT k, count(*) FROM stands s, jsonb_object_keys(s.data) AS k WHERE s.festival_id = :festival_id GROUP BY k
-- safe: analyst, json path
SELECT id, jsonb_path_query_array(data, '$.menu[*] ? (@.price > 5).name') FROM stands WHERE festival_id = :festival_id AND jsonb_path_exists(data, '$.menu[*].price')
-- safe: analyst, records out of json
SELECT s.id, m.name, m.price FROM stands s, jsonb_to_recordset(s.data -> 'menu') AS m(name text, price numeric) WHERE s.festival_id = :festival_id
-- safe: analyst, string aggregation
SELECT user_id, string_agg(DISTINCT kind, ', ' ORDER BY kind) FROM tickets WHERE festival_id = :festival_id GROUP BY user_id
-- safe: analyst, split a text
SELECT w, count(*) FROM stands, regexp_split_to_table(lower(name), '\s+') AS w WHERE festival_id = :festival_id GROUP BY w ORDER BY count(*) DESC
-- safe: analyst, ordered-set and hypothetical
SELECT mode() WITHIN GROUP (ORDER BY kind), percentile_disc(0.95) WITHIN GROUP (ORDER BY price) FROM tickets WHERE festival_id = :festival_id
-- safe: analyst, hypothetical rank
SELECT rank(500) WITHIN GROUP (ORDER BY total) FROM orders WHERE festival_id = :festival_id
-- safe: analyst, users of the reference table without tickets
SELECT u.id, u.name FROM users u WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.festival_id = :festival_id AND t.user_id = u.id)
-- safe: analyst, bins of date_bin
SELECT date_bin('15 minutes', at, timestamptz '2024-01-01') AS bin, sum(amount) FROM transactions WHERE festival_id = :festival_id AND at > now() - interval '1 day' GROUP BY bin ORDER BY bin
-- safe: analyst, two levels of CTEs with a union
WITH a AS (SELECT user_id, total FROM orders WHERE festival_id = :festival_id), b AS (SELECT user_id, price FROM tickets WHERE festival_id = :festival_id), whole AS (SELECT user_id, total AS n FROM a UNION ALL SELECT user_id, price FROM b) SELECT u.name, sum(whole.n) FROM whole JOIN users u ON u.id = whole.user_id GROUP BY u.name
-- safe: analyst, every wallet against its own average
SELECT w.id, w.balance - avg(w.balance) OVER () AS diff FROM wallets w WHERE w.festival_id = :festival_id AND w.balance > (SELECT avg(balance) FROM wallets v WHERE v.festival_id = w.festival_id)
-- safe: analyst, who is this connection
SELECT version(), pg_backend_pid()
-- safe: service, idempotent insert with a check
INSERT INTO orders (festival_id, id, wallet_id, total) SELECT w.festival_id, :id, w.id, :total FROM wallets w WHERE w.festival_id = :festival_id AND w.id = :wallet_id AND w.balance >= :total ON CONFLICT (festival_id, id) DO NOTHING RETURNING id
-- safe: service, whole pay step
WITH taken AS (UPDATE wallets SET balance = balance - :total WHERE festival_id = :festival_id AND id = :wallet_id AND balance >= :total RETURNING festival_id, id, user_id), placed AS (INSERT INTO orders (festival_id, id, wallet_id, user_id, total) SELECT festival_id, :order_id, id, user_id, :total FROM taken RETURNING festival_id, id) INSERT INTO transactions (festival_id, id, wallet_id, amount) SELECT t.festival_id, :tx, t.id, -:total FROM taken t
-- safe: service, MERGE of counts
MERGE INTO stands AS s USING (SELECT festival_id, stand_id, count(*) AS n FROM transactions WHERE festival_id = :festival_id GROUP BY festival_id, stand_id) AS t ON s.festival_id = t.festival_id AND s.id = t.stand_id WHEN MATCHED AND t.n > 0 THEN UPDATE SET data = jsonb_build_object('n', t.n) WHEN MATCHED THEN DO NOTHING
-- safe: service, delete all but the latest
DELETE FROM transactions t USING (SELECT id, row_number() OVER (PARTITION BY wallet_id ORDER BY at DESC) AS n FROM transactions WHERE festival_id = :festival_id) r WHERE t.festival_id = :festival_id AND t.id = r.id AND r.n > 100
-- safe: service, update joined through two tables
UPDATE tickets SET scanned_at = now() FROM orders, wallets WHERE tickets.festival_id = :festival_id AND orders.festival_id = tickets.festival_id AND wallets.festival_id = orders.festival_id AND orders.id = tickets.order_id AND wallets.id = orders.wallet_id AND wallets.state = 'open'
-- safe: service, exists as the only answer
SELECT EXISTS (SELECT FROM tickets WHERE festival_id = :festival_id AND id = :id AND scanned_at IS NULL) AND EXISTS (SELECT FROM wallets WHERE festival_id = :festival_id AND user_id = :user_id)
-- safe: service, greatest and least of both sides
SELECT w.id, greatest(max(o.placed_at), max(t.at)) FROM wallets w LEFT JOIN orders o USING (festival_id) LEFT JOIN transactions t USING (festival_id) WHERE festival_id = :festival_id AND (o.wallet_id = w.id OR t.wallet_id = w.id) GROUP BY w.id
-- safe: report tool, derived table around everything
SELECT * FROM (SELECT o.id, o.total, u.email FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE o.festival_id = :festival_id) AS virtual_table WHERE total > 10 ORDER BY total DESC LIMIT 1000
-- safe: report tool, time column
SELECT DATE_TRUNC('day', "placed_at") AS "__timestamp", COUNT(*) AS "count" FROM (SELECT * FROM orders WHERE festival_id = :festival_id) AS virtual_table WHERE "placed_at" >= TO_TIMESTAMP('2024-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS') GROUP BY DATE_TRUNC('day', "placed_at") ORDER BY "count" DESC LIMIT 100
-- safe: report tool, key filter outside of a plain projection
SELECT "source"."kind", count(*) FROM (SELECT "tickets"."festival_id" AS "festival_id", "tickets"."kind" AS "kind" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id) "source" WHERE "source"."festival_id" = :festival_id GROUP BY "source"."kind"
-- unsafe: Rails, or outside of the scope
SELECT "orders".* FROM "orders" WHERE ("orders"."festival_id" = :festival_id AND "orders"."state" = 'open' OR "orders"."state" = 'paid')
-- unsafe: Rails, joins by id, merged scope on one side
SELECT "tickets".* FROM "tickets" INNER JOIN "orders" ON "orders"."id" = "tickets"."order_id" WHERE "orders"."festival_id" = :festival_id
-- unsafe: Rails, unscoped inside a where
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."user_id" IN (SELECT "tickets"."user_id" FROM "tickets")
-- unsafe: Rails, update_all without a scope
UPDATE "orders" SET "state" = 'void' WHERE "orders"."placed_at" < :before
-- unsafe: Rails, average over the platform as a select value
SELECT "tickets"."id", (SELECT AVG(price) FROM tickets) AS "all" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id
-- unsafe: Django, negated Q
SELECT "wallets"."id" FROM "wallets" WHERE NOT ("wallets"."festival_id" = :festival_id AND "wallets"."balance" > 0)
-- unsafe: Django, filter on a joined table
SELECT "orders"."id" FROM "orders" INNER JOIN "festivals" ON ("orders"."festival_id" = "festivals"."id") WHERE "festivals"."region" = :festival_id
-- unsafe: Django, exclude whose subquery forgets the tenant
SELECT "orders"."id" FROM "orders" WHERE ("orders"."festival_id" = :festival_id AND NOT (EXISTS(SELECT 1 AS "a" FROM "tickets" U1 WHERE (U1."order_id" = "orders"."id") LIMIT 1)))
-- unsafe: Django, window over all with the filter outside
SELECT * FROM (SELECT "wallets"."festival_id" AS "col1", RANK() OVER (ORDER BY "wallets"."balance" DESC) AS "qual0" FROM "wallets") "qualify" WHERE "col1" = :festival_id
-- unsafe: Hibernate, in list of two tenants
select w1_0.id from wallets w1_0 where w1_0.festival_id in (:festival_id,:parent_id)
-- unsafe: Hibernate, left join restricts only the fetched side
select o1_0.id,t1_0.id from orders o1_0 left join tickets t1_0 on t1_0.order_id=o1_0.id and t1_0.festival_id=:festival_id where o1_0.state=:state
-- unsafe: Hibernate, update of the tenant
update tickets set festival_id=:target where festival_id=:festival_id and id=:id
-- unsafe: Prisma, relation filter without the tenant
SELECT "public"."orders"."id" FROM "public"."orders" WHERE ("public"."orders"."festival_id" = :festival_id AND ("public"."orders"."id") NOT IN (SELECT "t1"."order_id" FROM "public"."tickets" AS "t1" WHERE "t1"."kind" = :kind))
-- unsafe: Prisma, create for whom the caller says
INSERT INTO "public"."orders" ("festival_id","id","total") VALUES (:target_id,:id,:total) RETURNING "public"."orders"."id"
-- unsafe: SQLAlchemy, cartesian product
SELECT wallets.id FROM wallets, orders WHERE orders.festival_id = :festival_id
-- unsafe: SQLAlchemy, in_ with an expanding list
SELECT wallets.id FROM wallets WHERE wallets.festival_id IN (:festival_id, :festival_id_1)
-- unsafe: SQLAlchemy, is_distinct_from
SELECT wallets.id FROM wallets WHERE wallets.festival_id IS DISTINCT FROM :festival_id
-- unsafe: SQLAlchemy, insert from select of everybody
INSERT INTO tickets (festival_id, id, kind) SELECT :festival_id, t.id, t.kind FROM tickets AS t WHERE t.kind = 'crew'
-- unsafe: Ecto, or_where
SELECT w0."id" FROM "wallets" AS w0 WHERE (w0."festival_id" = :festival_id) OR (w0."balance" > 100)
-- unsafe: Ecto, combination of which one is open
SELECT s0."id" FROM "stands" AS s0 WHERE (s0."festival_id" = :festival_id) UNION ALL (SELECT o0."id" FROM "orders" AS o0)
-- unsafe: Ecto, parent_as that is not pinned
SELECT o0."id" FROM "orders" AS o0 WHERE (EXISTS (SELECT 1 FROM "tickets" AS st0 WHERE (st0."festival_id" = o0."festival_id")))
-- unsafe: sqlx, tenant is optional
SELECT id FROM orders WHERE (:festival_id::uuid IS NULL OR festival_id = :festival_id)
-- unsafe: sqlx, coalesce of the tenant
SELECT id FROM orders WHERE festival_id = COALESCE(:festival_id, festival_id) AND state = 'open'
-- unsafe: sqlx, upsert that moves
INSERT INTO wallets (festival_id, id, balance) VALUES (:festival_id, :id, :balance) ON CONFLICT (festival_id, id) DO UPDATE SET festival_id = gen_random_uuid()
-- unsafe: sqlx, delete by a list of ids
DELETE FROM tickets WHERE id = ANY(:ids)
-- unsafe: analyst, compared with the platform
SELECT count(*), (SELECT count(*) FROM orders o WHERE o.placed_at > now() - interval '1 day') FROM orders WHERE festival_id = :festival_id
-- unsafe: analyst, rank among all festivals
SELECT festival_id, sum(total), rank() OVER (ORDER BY sum(total) DESC) FROM orders GROUP BY festival_id HAVING festival_id = :festival_id
-- unsafe: analyst, rows of festivals like this one
SELECT o.id FROM orders o JOIN festivals f ON f.id = o.festival_id JOIN festivals mine ON mine.region = f.region WHERE mine.id = :festival_id
-- unsafe: analyst, users and all of their orders
SELECT u.name, count(o.id) FROM tickets t JOIN users u ON u.id = t.user_id JOIN orders o ON o.user_id = u.id WHERE t.festival_id = :festival_id GROUP BY u.name
-- unsafe: analyst, prefix of the key
SELECT id FROM orders WHERE left(festival_id::text, 8) = left(:festival_id::text, 8)
-- unsafe: analyst, full join keeps what does not match
SELECT a.id, b.id FROM orders a FULL JOIN tickets b ON a.festival_id = b.festival_id AND a.festival_id = :festival_id AND b.festival_id = :festival_id
-- unsafe: analyst, the key as a part of a record from outside
SELECT (SELECT count(*) FROM (SELECT festival_id AS f FROM json_populate_record(NULL::orders, :rows) r) d JOIN tickets t ON t.festival_id = d.f) FROM orders o WHERE o.festival_id = :festival_id
-- unsafe: analyst, the key as a value of a nameless column
SELECT t.id FROM (SELECT u.*, (SELECT :other::uuid AS festival_id) FROM users u, orders o WHERE festival_id = :festival_id) d JOIN tickets t USING (festival_id)
-- unsafe: analyst, a cast that is a call
SELECT TREAT('SELECT to_tsvector(name) FROM stands' AS ts_stat)
-- unsafe: analyst, statistics of everybody's texts
SELECT word, nentry FROM ts_stat('SELECT to_tsvector(name) FROM stands')
-- unsafe: analyst, table as XML
SELECT table_to_xml('wallets', true, false, '')
-- unsafe: analyst, size of everybody's table
SELECT pg_total_relation_size('orders')
-- unsafe: analyst, what others run
SELECT query FROM pg_stat_activity
-- unsafe: analyst, sampling the platform
SELECT avg(total) FROM orders TABLESAMPLE bernoulli (10)
-- unsafe: service, MERGE that takes any row of the target
MERGE INTO wallets w USING (SELECT :festival_id AS festival_id, :id AS id) s ON w.id = s.id WHEN MATCHED THEN UPDATE SET balance = 0
-- unsafe: service, pay step whose last part forgets
WITH taken AS (UPDATE wallets SET balance = 0 WHERE festival_id = :festival_id AND id = :id RETURNING user_id) DELETE FROM tickets USING taken WHERE tickets.user_id = taken.user_id
-- unsafe: service, archive of everybody
WITH old AS (DELETE FROM transactions WHERE at < :before RETURNING festival_id, id) SELECT count(*) FROM old WHERE festival_id = :festival_id
-- unsafe: service, advisory lock by name
SELECT pg_advisory_lock(hashtext(:name))
-- unsafe: service, notify all
SELECT pg_notify('orders', :payload)
-- unsafe: service, a file of the server
SELECT pg_read_file('/etc/passwd')
