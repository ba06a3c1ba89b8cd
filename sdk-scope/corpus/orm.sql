-- safe: sqlx, by key
SELECT id, balance FROM wallets WHERE festival_id = :festival_id AND id = :id
-- safe: sqlx, key last
SELECT id, balance, version FROM wallets WHERE id = :id AND festival_id = :festival_id
-- safe: sqlx, all columns
SELECT * FROM wallets WHERE festival_id = :festival_id
-- safe: sqlx, cast parameter
SELECT * FROM tickets WHERE festival_id = :festival_id::uuid AND id = :id::uuid
-- safe: sqlx, list as an array
SELECT id, state FROM orders WHERE festival_id = :festival_id AND id = ANY(:ids)
-- safe: sqlx, list as a cast array
SELECT id, state FROM orders WHERE festival_id = :festival_id AND id = ANY(:ids::uuid[])
-- safe: sqlx, insert returning
INSERT INTO wallets (festival_id, id, user_id, balance) VALUES (:festival_id, :id, :user_id, 0) RETURNING id, version
-- safe: sqlx, bulk by unnest
INSERT INTO tickets (festival_id, id, kind, price) SELECT :festival_id, u.id, u.kind, u.price FROM unnest(:ids::uuid[], :kinds::text[], :prices::bigint[]) AS u(id, kind, price)
-- safe: sqlx, optimistic lock
UPDATE wallets SET balance = :balance, version = version + 1 WHERE festival_id = :festival_id AND id = :id AND version = :version
-- safe: sqlx, optional filter
SELECT id FROM orders WHERE festival_id = :festival_id AND (:state::text IS NULL OR state = :state) ORDER BY placed_at DESC LIMIT :limit
-- safe: sqlx, keyset paging
SELECT id, placed_at FROM orders WHERE festival_id = :festival_id AND (placed_at, id) < (:at, :id) ORDER BY placed_at DESC, id DESC LIMIT 50
-- safe: sqlx, column override
SELECT id AS "id!", balance AS "balance?: i64" FROM wallets WHERE festival_id = :festival_id
-- safe: sqlx, exists
SELECT EXISTS(SELECT 1 FROM wallets WHERE festival_id = :festival_id AND user_id = :user_id) AS "exists!"
-- safe: sqlx, count
SELECT count(*) AS "count!" FROM tickets WHERE festival_id = :festival_id AND scanned_at IS NOT NULL
-- safe: sqlx, upsert
INSERT INTO wallets (festival_id, id, balance) VALUES (:festival_id, :id, :balance) ON CONFLICT (festival_id, id) DO UPDATE SET balance = EXCLUDED.balance RETURNING *
-- safe: diesel, find
SELECT "wallets"."festival_id", "wallets"."id", "wallets"."balance" FROM "wallets" WHERE (("wallets"."festival_id" = :festival_id) AND ("wallets"."id" = :id)) LIMIT :limit
-- safe: diesel, inner join
SELECT "orders"."id", "wallets"."balance" FROM ("orders" INNER JOIN "wallets" ON (("orders"."wallet_id" = "wallets"."id") AND ("orders"."festival_id" = "wallets"."festival_id"))) WHERE ("orders"."festival_id" = :festival_id)
-- safe: diesel, left join
SELECT "orders"."id", "wallets"."balance" FROM ("orders" LEFT OUTER JOIN "wallets" ON (("orders"."wallet_id" = "wallets"."id") AND ("wallets"."festival_id" = "orders"."festival_id"))) WHERE ("orders"."festival_id" = :festival_id)
-- safe: diesel, filters one by one
SELECT "tickets"."id" FROM "tickets" WHERE ((("tickets"."festival_id" = :festival_id) AND ("tickets"."kind" = :kind)) AND ("tickets"."price" > :price)) ORDER BY "tickets"."id" ASC LIMIT :limit OFFSET :offset
-- safe: diesel, eq_any
SELECT "tickets"."id" FROM "tickets" WHERE (("tickets"."festival_id" = :festival_id) AND ("tickets"."id" = ANY(:ids)))
-- safe: diesel, insert
INSERT INTO "tickets" ("festival_id", "id", "kind", "price") VALUES (:festival_id, :id, :kind, DEFAULT) RETURNING "tickets"."id", "tickets"."price"
-- safe: diesel, many rows
INSERT INTO "tickets" ("festival_id", "id", "kind") VALUES (:festival_id, :id1, :kind1), (:festival_id, :id2, :kind2), (:festival_id, :id3, :kind3)
-- safe: diesel, update
UPDATE "orders" SET "state" = :state WHERE (("orders"."festival_id" = :festival_id) AND ("orders"."id" = :id)) RETURNING "orders"."id", "orders"."state"
-- safe: diesel, delete
DELETE FROM "tickets" WHERE (("tickets"."festival_id" = :festival_id) AND ("tickets"."id" = :id))
-- safe: diesel, do nothing
INSERT INTO "wallets" ("festival_id", "id") VALUES (:festival_id, :id) ON CONFLICT ("festival_id", "id") DO NOTHING
-- safe: SeaORM, find by id
SELECT "wallets"."id", "wallets"."user_id", "wallets"."balance" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" = :id LIMIT 1
-- safe: SeaORM, enum column as text
SELECT "orders"."id", CAST("orders"."state" AS text) FROM "orders" WHERE "orders"."festival_id" = :festival_id
-- safe: SeaORM, find also related
SELECT "orders"."id" AS "A_id", "orders"."state" AS "A_state", "tickets"."id" AS "B_id" FROM "orders" LEFT JOIN "tickets" ON "orders"."id" = "tickets"."order_id" AND "orders"."festival_id" = "tickets"."festival_id" WHERE "orders"."festival_id" = :festival_id
-- safe: SeaORM, paginator's count
SELECT COUNT(*) AS num_items FROM (SELECT "wallets"."id" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id) AS "sub_query"
-- safe: SeaORM, insert
INSERT INTO "orders" ("festival_id", "id", "state") VALUES (:festival_id, :id, CAST(:state AS "order_state")) RETURNING "id"
-- safe: SeaORM, update
UPDATE "orders" SET "state" = CAST(:state AS "order_state"), "total" = :total WHERE "orders"."festival_id" = :festival_id AND "orders"."id" = :id RETURNING "id", CAST("state" AS text), "total"
-- safe: SeaORM, sub-select
SELECT "wallets"."id" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" IN (SELECT "orders"."wallet_id" FROM "orders" WHERE "orders"."festival_id" = :festival_id)
-- safe: Hibernate, load
select w1_0.festival_id,w1_0.id,w1_0.balance,w1_0.version from wallets w1_0 where (w1_0.festival_id,w1_0.id) in ((:festival_id,:id)) and w1_0.festival_id=:festival_id
-- safe: Hibernate, by composite id
select w1_0.festival_id,w1_0.id,w1_0.balance from wallets w1_0 where w1_0.festival_id=:festival_id and w1_0.id=:id
-- safe: Hibernate, join fetch
select o1_0.id,t1_0.order_id,t1_0.id,t1_0.kind from orders o1_0 join tickets t1_0 on o1_0.festival_id=t1_0.festival_id and o1_0.id=t1_0.order_id where o1_0.festival_id=:festival_id and o1_0.state=:state
-- safe: Hibernate, left join fetch
select o1_0.id,t1_0.id from orders o1_0 left join tickets t1_0 on o1_0.festival_id=t1_0.festival_id and o1_0.id=t1_0.order_id where o1_0.festival_id=:festival_id order by o1_0.placed_at desc
-- safe: Hibernate, to a reference entity
select o1_0.id,u1_0.id,u1_0.name from orders o1_0 left join users u1_0 on u1_0.id=o1_0.user_id where o1_0.festival_id=:festival_id
-- safe: Hibernate, versioned update
update wallets set balance=:balance,version=:new_version where festival_id=:festival_id and id=:id and version=:version
-- safe: Hibernate, delete
delete from tickets where festival_id=:festival_id and id=:id
-- safe: Hibernate, pessimistic lock
select w1_0.id,w1_0.balance from wallets w1_0 where w1_0.festival_id=:festival_id and w1_0.id=:id for no key update
-- safe: Hibernate, limit
select t1_0.id from tickets t1_0 where t1_0.festival_id=:festival_id order by t1_0.id offset :offset rows fetch first :limit rows only
-- safe: Hibernate, exists
select w1_0.id from wallets w1_0 where w1_0.festival_id=:festival_id and exists(select 1 from orders o1_0 where o1_0.festival_id=w1_0.festival_id and o1_0.wallet_id=w1_0.id)
-- safe: Hibernate, count distinct
select count(distinct o1_0.user_id) from orders o1_0 where o1_0.festival_id=:festival_id
-- safe: ActiveRecord, find
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" = :id LIMIT :limit
-- safe: ActiveRecord, exists?
SELECT 1 AS one FROM "tickets" WHERE "tickets"."festival_id" = :festival_id AND "tickets"."kind" = :kind LIMIT :limit
-- safe: ActiveRecord, joins
SELECT "orders".* FROM "orders" INNER JOIN "tickets" ON "tickets"."festival_id" = "orders"."festival_id" AND "tickets"."order_id" = "orders"."id" WHERE "orders"."festival_id" = :festival_id AND "tickets"."kind" = :kind
-- safe: ActiveRecord, includes
SELECT "tickets".* FROM "tickets" WHERE "tickets"."festival_id" = :festival_id AND "tickets"."order_id" IN (:a, :b, :c)
-- safe: ActiveRecord, pluck
SELECT "stands"."name" FROM "stands" WHERE "stands"."festival_id" = :festival_id ORDER BY "stands"."name" ASC
-- safe: ActiveRecord, update_all
UPDATE "orders" SET "state" = 'paid' WHERE "orders"."festival_id" = :festival_id AND "orders"."state" = 'open'
-- safe: ActiveRecord, counter
UPDATE "wallets" SET "balance" = COALESCE("balance", 0) + 1 WHERE "wallets"."festival_id" = :festival_id AND "wallets"."id" = :id
-- safe: ActiveRecord, delete_all
DELETE FROM "tickets" WHERE "tickets"."festival_id" = :festival_id AND "tickets"."scanned_at" IS NULL
-- safe: ActiveRecord, insert_all
INSERT INTO "stands" ("festival_id","id","name") VALUES (:festival_id, :a, 'Bar'), (:festival_id, :b, 'Grill') ON CONFLICT DO NOTHING RETURNING "id"
-- safe: ActiveRecord, upsert_all
INSERT INTO "stands" ("festival_id","id","name") VALUES (:festival_id, :a, 'Bar') ON CONFLICT ("festival_id","id") DO UPDATE SET "name"=excluded."name" RETURNING "id"
-- safe: ActiveRecord, group count
SELECT COUNT(*) AS "count_all", "orders"."state" AS "orders_state" FROM "orders" WHERE "orders"."festival_id" = :festival_id GROUP BY "orders"."state"
-- safe: ActiveRecord, sum
SELECT SUM("orders"."total") FROM "orders" WHERE "orders"."festival_id" = :festival_id AND "orders"."state" != 'void'
-- safe: Django, get
SELECT "wallets"."id", "wallets"."balance" FROM "wallets" WHERE ("wallets"."festival_id" = :festival_id AND "wallets"."id" = :id) LIMIT 21
-- safe: Django, select_related
SELECT "orders"."id", "users"."id", "users"."name" FROM "orders" INNER JOIN "users" ON ("orders"."user_id" = "users"."id") WHERE "orders"."festival_id" = :festival_id
-- safe: Django, Q with or
SELECT "tickets"."id" FROM "tickets" WHERE ("tickets"."festival_id" = :festival_id AND ("tickets"."kind" = 'day' OR "tickets"."kind" = 'camp'))
-- safe: Django, exclude
SELECT "tickets"."id" FROM "tickets" WHERE ("tickets"."festival_id" = :festival_id AND NOT ("tickets"."kind" = 'crew'))
-- safe: Django, aggregate
SELECT COUNT(*) AS "__count", AVG("tickets"."price") AS "avg" FROM "tickets" WHERE "tickets"."festival_id" = :festival_id
-- safe: Django, Subquery and OuterRef
SELECT "wallets"."id", (SELECT U0."at" FROM "transactions" U0 WHERE (U0."festival_id" = ("wallets"."festival_id") AND U0."wallet_id" = ("wallets"."id")) ORDER BY U0."at" DESC LIMIT 1) AS "last" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id
-- safe: Django, icontains
SELECT "stands"."id" FROM "stands" WHERE ("stands"."festival_id" = :festival_id AND UPPER("stands"."name"::text) LIKE UPPER(:pattern))
-- safe: Django, F update
UPDATE "wallets" SET "balance" = ("wallets"."balance" + :n) WHERE ("wallets"."festival_id" = :festival_id AND "wallets"."id" = :id)
-- safe: Django, delete in
DELETE FROM "tickets" WHERE ("tickets"."festival_id" = :festival_id AND "tickets"."id" IN (:a, :b))
-- safe: Django, select for update
SELECT "wallets"."id" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id ORDER BY "wallets"."id" ASC FOR UPDATE OF "wallets" SKIP LOCKED
-- safe: Django, bulk create
INSERT INTO "transactions" ("festival_id", "id", "wallet_id", "amount") VALUES (:festival_id, :i1, :w1, :a1), (:festival_id, :i2, :w2, :a2) ON CONFLICT DO NOTHING
-- safe: Django, bulk update
UPDATE "wallets" SET "balance" = (CASE WHEN ("wallets"."id" = :a) THEN :x WHEN ("wallets"."id" = :b) THEN :y ELSE NULL END)::bigint WHERE ("wallets"."festival_id" = :festival_id AND "wallets"."id" IN (:a, :b))
-- safe: Django, date trunc
SELECT DATE_TRUNC('day', "transactions"."at" AT TIME ZONE 'UTC') AS "day", SUM("transactions"."amount") AS "sum" FROM "transactions" WHERE "transactions"."festival_id" = :festival_id GROUP BY 1 ORDER BY 1 ASC
-- safe: Prisma, find first
SELECT "public"."wallets"."id", "public"."wallets"."balance" FROM "public"."wallets" WHERE ("public"."wallets"."festival_id" = :festival_id AND 1=1) LIMIT :limit OFFSET :offset
-- safe: Prisma, find many
SELECT "public"."tickets"."id", "public"."tickets"."kind"::text FROM "public"."tickets" WHERE ("public"."tickets"."festival_id" = :festival_id AND "public"."tickets"."order_id" IN (:a,:b)) OFFSET :offset
-- safe: Prisma, update
UPDATE "public"."orders" SET "state" = CAST(:state::text AS "public"."order_state") WHERE ("public"."orders"."festival_id" = :festival_id AND "public"."orders"."id" = :id AND 1=1) RETURNING "public"."orders"."id"
-- safe: Prisma, create
INSERT INTO "public"."orders" ("festival_id","id","total") VALUES (:festival_id,:id,:total) RETURNING "public"."orders"."id", "public"."orders"."total"
-- safe: Prisma, delete
DELETE FROM "public"."tickets" WHERE ("public"."tickets"."festival_id" = :festival_id AND "public"."tickets"."id" = :id AND 1=1)
-- safe: Prisma, aggregate
SELECT COUNT(*), SUM("total") FROM (SELECT "public"."orders"."id", "public"."orders"."total" FROM "public"."orders" WHERE "public"."orders"."festival_id" = :festival_id OFFSET :offset) AS "sub"
-- safe: Prisma, lateral include
SELECT "t1"."id", "j"."data" AS "tickets" FROM "orders" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("x"."data"), '[]') AS "data" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id") AS "data" FROM "tickets" AS "t2" WHERE "t1"."festival_id" = "t2"."festival_id" AND "t1"."id" = "t2"."order_id") AS "x") AS "j" ON TRUE WHERE "t1"."festival_id" = :festival_id
-- safe: EF, single
SELECT w."id", w."balance", w.xmin FROM "wallets" AS w WHERE w."festival_id" = :festival_id AND w."id" = :id LIMIT 2
-- safe: EF, include
SELECT o."id", t."id", t."kind" FROM "orders" AS o LEFT JOIN "tickets" AS t ON o."festival_id" = t."festival_id" AND o."id" = t."order_id" WHERE o."festival_id" = :festival_id ORDER BY o."id"
-- safe: EF, include over a limited query
SELECT o0."id", t."id" FROM (SELECT o."festival_id", o."id" FROM "orders" AS o WHERE o."festival_id" = :festival_id ORDER BY o."id" LIMIT :limit) AS o0 LEFT JOIN "tickets" AS t ON o0."festival_id" = t."festival_id" AND o0."id" = t."order_id" ORDER BY o0."id"
-- safe: EF, any
SELECT EXISTS (SELECT 1 FROM "tickets" AS t WHERE t."festival_id" = :festival_id AND t."kind" = :kind)
-- safe: EF, contains
SELECT t."id" FROM "tickets" AS t WHERE t."festival_id" = :festival_id AND t."id" = ANY (:ids)
-- safe: EF, concurrency token
UPDATE "wallets" SET "balance" = :balance WHERE "festival_id" = :festival_id AND "id" = :id AND xmin = :xmin RETURNING xmin
-- safe: EF, execute update
UPDATE "orders" AS o SET "state" = 'void' WHERE o."festival_id" = :festival_id AND o."total" = 0
-- safe: EF, execute delete
DELETE FROM "orders" AS o WHERE o."festival_id" = :festival_id AND o."state" = 'void'
-- safe: EF, group by
SELECT t."kind" AS "Key", count(*)::int AS "Count" FROM "tickets" AS t WHERE t."festival_id" = :festival_id GROUP BY t."kind"
-- safe: GORM, first
SELECT * FROM "wallets" WHERE festival_id = :festival_id AND id = :id ORDER BY "wallets"."id" LIMIT 1
-- safe: GORM, soft delete
SELECT * FROM "orders" WHERE festival_id = :festival_id AND "orders"."placed_at" IS NULL
-- safe: GORM, joins
SELECT "orders"."id","wallets"."id" AS "Wallet__id","wallets"."balance" AS "Wallet__balance" FROM "orders" LEFT JOIN "wallets" ON "orders"."wallet_id" = "wallets"."id" AND "wallets"."festival_id" = :festival_id WHERE "orders"."festival_id" = :festival_id
-- safe: GORM, updates
UPDATE "orders" SET "state"=:state,"total"=:total WHERE festival_id = :festival_id AND "id" = :id
-- safe: GORM, create in batches
INSERT INTO "tickets" ("festival_id","id","kind") VALUES (:festival_id,:a,'day'),(:festival_id,:b,'day') RETURNING "id"
-- safe: GORM, on conflict
INSERT INTO "wallets" ("festival_id","id","balance") VALUES (:festival_id,:id,:balance) ON CONFLICT ("festival_id","id") DO UPDATE SET "balance"="excluded"."balance"
-- safe: GORM, scan count
SELECT count(*) FROM "tickets" WHERE festival_id = :festival_id AND kind IN ('day','camp')
-- safe: reference tables alone need no key
SELECT "users"."id", "users"."name" FROM "users" WHERE "users"."email" = :email LIMIT 1
-- safe: reference table insert
INSERT INTO users (id, name, email) VALUES (:id, :name, :email) ON CONFLICT (id) DO UPDATE SET name = excluded.name
-- unsafe: Django without the tenant
SELECT "wallets"."id" FROM "wallets" WHERE "wallets"."id" = :id LIMIT 21
-- unsafe: Hibernate, join by id alone
select o1_0.id,t1_0.id from orders o1_0 join tickets t1_0 on o1_0.id=t1_0.order_id where o1_0.festival_id=:festival_id
-- unsafe: Hibernate, key of another parameter
select w1_0.id from wallets w1_0 where w1_0.festival_id=:id
-- unsafe: ActiveRecord, includes by id alone
SELECT "tickets".* FROM "tickets" WHERE "tickets"."order_id" IN (:a, :b, :c)
-- unsafe: ActiveRecord, unscoped
SELECT "wallets".* FROM "wallets"
-- unsafe: ActiveRecord, or
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" = :festival_id OR "wallets"."user_id" = :user_id
-- unsafe: ActiveRecord, where.not
SELECT "wallets".* FROM "wallets" WHERE "wallets"."festival_id" != :festival_id
-- unsafe: GORM, precedence of a raw condition
SELECT * FROM "orders" WHERE state = 'open' OR state = 'paid' AND festival_id = :festival_id
-- unsafe: GORM, delete by id
DELETE FROM "tickets" WHERE "tickets"."id" = :id
-- unsafe: Prisma, update by id
UPDATE "orders" SET "state" = 'paid' WHERE ("orders"."id" = :id AND 1=1)
-- unsafe: EF, include by id alone
SELECT o."id", t."id" FROM "orders" AS o LEFT JOIN "tickets" AS t ON o."id" = t."order_id" WHERE o."festival_id" = :festival_id
-- unsafe: Diesel, several tenants
SELECT "wallets"."id" FROM "wallets" WHERE ("wallets"."festival_id" = ANY(:festival_id))
-- unsafe: SeaORM, in two
SELECT "wallets"."id" FROM "wallets" WHERE "wallets"."festival_id" IN (:festival_id, :other)
-- unsafe: sqlx, insert without the key
INSERT INTO wallets (id, user_id) VALUES (:id, :user_id)
-- unsafe: sqlx, insert for another tenant
INSERT INTO wallets (festival_id, id) VALUES (:other, :id)
-- unsafe: sqlx, optional tenant
SELECT id FROM orders WHERE :festival_id IS NULL OR festival_id = :festival_id
-- unsafe: Django, subquery without OuterRef on the key
SELECT "wallets"."id", (SELECT U0."at" FROM "transactions" U0 WHERE U0."wallet_id" = "wallets"."id" LIMIT 1) AS "last" FROM "wallets" WHERE "wallets"."festival_id" = :festival_id
