//! The statements that the derive writes, against those that one would write by hand.
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use shardwise::entity::{Entity, Statement};
use shardwise::{Entity, Region, SqlEnum, SqlNewtype, Uuid};
use tokio_postgres::types::Type;

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct FestivalId(Uuid);

#[derive(Debug, SqlEnum)]
#[sql_enum(native = "ticket_state")]
enum State {
    Issued,
}

#[derive(Debug, SqlEnum)]
enum Tier {
    Regular,
}

#[derive(Serialize, Deserialize)]
struct Item;

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    #[entity(region)]
    region: Region,
}

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: FestivalId,
    #[entity(key)]
    id: Uuid,
}

#[derive(Entity)]
#[entity(
    table = "transactions",
    schema = "pay",
    distributed_by = festival_id,
    colocated_with = Wallet,
    partition_by = monthly(created_at)
)]
struct Transaction {
    #[entity(key)]
    id: i64,
    festival_id: FestivalId,
    #[entity(references = Wallet)]
    wallet_id: Uuid,
    state: State,
    #[entity(rename = "class")]
    tier: Option<Tier>,
    #[entity(sql_type = "varchar(20)")]
    note: Option<String>,
    #[entity(json)]
    items: Vec<Item>,
    #[entity(generated)]
    serial: i64,
    #[entity(generated = "length(note)")]
    length: i32,
    #[entity(skip)]
    cached: u8,
    created_at: SystemTime,
}

const ALL: &str = r#""id", "festival_id", "wallet_id", "state"::text, "class", "note"::text, "items", "serial", "length", "created_at""#;
const FROM: &str = r#" FROM "pay"."transactions""#;
const BY_KEY: &str = r#" WHERE "festival_id" = $1 AND "id" = $2"#;
const INSERT: &str = concat!(
    r#"INSERT INTO "pay"."transactions" ("id", "festival_id", "wallet_id", "state", "class", "note", "items", "created_at")"#,
    r#" VALUES ($1, $2, $3, $4::text::"ticket_state", $5, $6::text::varchar, $7, $8)"#
);

#[track_caller]
fn is(statement: &Statement, sql: &str, params: &[Type]) {
    assert_eq!(statement.sql, sql);
    assert_eq!(statement.params, params);
}

fn distributed() {
    let all = Transaction::statements();
    let key = [Type::UUID, Type::INT8];
    is(&all.get, &format!("SELECT {ALL}{FROM}{BY_KEY}"), &key);
    let many = all.get_many.as_ref().expect("the key is one column");
    let sql = format!(r#"SELECT {ALL}{FROM} WHERE "festival_id" = $1 AND "id" = ANY($2)"#);
    is(many, &sql, &[Type::UUID, Type::INT8_ARRAY]);
    is(&all.exists, &format!("SELECT EXISTS (SELECT{FROM}{BY_KEY})"), &key);
    is(&all.delete, &format!("DELETE{FROM}{BY_KEY}"), &key);
    is(&all.count, &format!(r#"SELECT count(*){FROM} WHERE "festival_id" = $1"#), &[Type::UUID]);

    let text = Type::TEXT;
    let row = [Type::INT8, Type::UUID, Type::UUID, text.clone(), text.clone(), text.clone(), Type::JSONB, Type::TIMESTAMPTZ];
    is(&all.insert, INSERT, &row);
    // Citus refuses `RETURNING` with a stable cast, so the row is read from what was written.
    is(&all.insert_returning, &format!("WITH __written AS ({INSERT} RETURNING *) SELECT {ALL} FROM __written"), &row);
    let upsert = concat!(
        r#" ON CONFLICT ("festival_id", "id", "created_at") DO UPDATE SET "wallet_id" = EXCLUDED."wallet_id","#,
        r#" "state" = EXCLUDED."state", "class" = EXCLUDED."class", "note" = EXCLUDED."note", "items" = EXCLUDED."items""#
    );
    is(&all.upsert, &format!("{INSERT}{upsert}"), &row);
    let update = concat!(
        r#"UPDATE "pay"."transactions" SET "wallet_id" = $4, "state" = $5::text::"ticket_state", "class" = $6,"#,
        r#" "note" = $7::text::varchar, "items" = $8"#,
        r#" WHERE "festival_id" = $1 AND "id" = $2 AND "created_at" = $3"#
    );
    let params =
        [Type::UUID, Type::INT8, Type::TIMESTAMPTZ, Type::UUID, text.clone(), text.clone(), text, Type::JSONB];
    is(all.update.as_ref().expect("some columns are outside the key"), update, &params);
}

fn reference() {
    let all = Festival::statements();
    let all_columns = r#"SELECT "id", "region" FROM "festivals""#;
    is(&all.get, &format!(r#"{all_columns} WHERE "id" = $1"#), &[Type::UUID]);
    let many = all.get_many.as_ref().expect("the key is one column");
    is(many, &format!(r#"{all_columns} WHERE "id" = ANY($1)"#), &[Type::UUID_ARRAY]);
    is(&all.count, r#"SELECT count(*) FROM "festivals""#, &[]);
    let insert = r#"INSERT INTO "festivals" ("id", "region") VALUES ($1, $2)"#;
    is(&all.insert, insert, &[Type::UUID, Type::TEXT]);
    let upsert = r#" ON CONFLICT ("id") DO UPDATE SET "region" = EXCLUDED."region""#;
    is(&all.upsert, &format!("{insert}{upsert}"), &[Type::UUID, Type::TEXT]);
    let update = all.update.as_ref().expect("the region is outside the key");
    is(update, r#"UPDATE "festivals" SET "region" = $2 WHERE "id" = $1"#, &[Type::UUID, Type::TEXT]);
}

fn a_key_and_nothing_else() {
    let all = Wallet::statements();
    assert!(all.update.is_none());
    let upsert = concat!(
        r#"INSERT INTO "wallets" ("festival_id", "id") VALUES ($1, $2)"#,
        r#" ON CONFLICT ("festival_id", "id") DO NOTHING"#
    );
    is(&all.upsert, upsert, &[Type::UUID, Type::UUID]);
}

fn main() {
    distributed();
    reference();
    a_key_and_nothing_else();
    let _ = (State::Issued, Tier::Regular, Item, |row: &Transaction| row.cached);
}
