//! What the application role may do, and what it may not, on each node.

use shardwise::Uuid;
use tokio_postgres::Client;

use super::stage::{Stage, tenant};
use crate::support::place::{Place, in_both_modes};

in_both_modes![the_application_role_may_touch_rows_and_nothing_else, without_a_tenant_there_are_no_rows];

async fn code(client: &Client, sql: &str) -> String {
    let error = client.batch_execute(sql).await.expect_err(sql);
    error.code().unwrap_or_else(|| panic!("{sql}: {error:?}")).code().to_owned()
}

async fn the_application_role_may_touch_rows_and_nothing_else(place: Place) {
    let stage = Stage::new(place).await;
    tenant(&stage.as_app().await, &[1]).await;
    let partition: String = {
        let first = "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'entries'::regclass";
        stage.superuser().await.query_one(first, &[]).await.unwrap().get(0)
    };
    for client in stage.app_by_hand().await {
        for sql in [
            "TRUNCATE wallets",
            "TRUNCATE countries",
            "ALTER TABLE wallets DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE wallets NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE wallets ADD COLUMN mine text",
            "DROP POLICY shardwise_tenant ON wallets",
            "CREATE POLICY mine ON wallets USING (true)",
            "CREATE TRIGGER mine BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TABLE wallets",
            "CREATE TABLE public.mine (id int)",
            "CREATE ROLE mine",
            &format!("ALTER ROLE {} BYPASSRLS", stage.app.user()),
            "SET ROLE postgres",
            "SET SESSION AUTHORIZATION postgres",
            "SELECT * FROM pg_authid",
            "SELECT pg_read_file('postgresql.conf')",
            // Rather an error than rows that the policies would hide.
            "SET row_security = off; SELECT * FROM wallets",
            &format!("SELECT * FROM {partition}"),
            &format!("DELETE FROM {partition}"),
        ] {
            assert_eq!(code(&client, sql).await, "42501", "{sql}");
        }
    }
}

async fn without_a_tenant_there_are_no_rows(place: Place) {
    let stage = Stage::new(place).await;
    tenant(&stage.as_app().await, &[1, 2]).await;
    for client in stage.app_by_hand().await {
        // Never set, and what is left of a setting when its transaction is over.
        for _ in 0..2 {
            for table in ["wallets", "entries", "seats", "labels", "everything"] {
                let count = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
                assert_eq!(count.get::<_, i64>(0), 0, "{table}");
            }
            assert_eq!(client.execute("UPDATE wallets SET balance = 0", &[]).await.unwrap(), 0);
            assert_eq!(client.execute("DELETE FROM wallets", &[]).await.unwrap(), 0);
            let id = Uuid::new_v4();
            let insert = format!("INSERT INTO wallets (festival_id, id, balance, tag) VALUES ('{id}', '{id}', 1, 'a')");
            assert_eq!(code(&client, &insert).await, "42501");
            let set = format!("BEGIN; SET LOCAL shardwise.tenant = '{id}'; COMMIT");
            client.batch_execute(&set).await.unwrap();
        }
        // The shards themselves are no way around.
        let shards = "SELECT c.relname::text FROM pg_class c WHERE c.relname ~ '^wallets_[0-9]+$' AND c.relkind = 'r'";
        client.batch_execute("SET citus.override_table_visibility = off").await.unwrap();
        for row in client.query(shards, &[]).await.unwrap() {
            let shard: String = row.get(0);
            let count = client.query_one(&format!("SELECT count(*) FROM {shard}"), &[]).await.unwrap();
            assert_eq!(count.get::<_, i64>(0), 0, "{shard}");
        }
    }
    let owner = stage.superuser().await;
    assert_eq!(owner.query_one("SELECT count(*) FROM wallets", &[]).await.unwrap().get::<_, i64>(0), 2);
}
