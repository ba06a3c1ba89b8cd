//! The statements that the derive writes, word by word.

use shardwise::entity::Entity as _;

use crate::support::model::{Country, Everything, Wallet};

/// The text is broken into lines for the reader.
fn assert_text(sql: &str, expected: &str) {
    assert_eq!(sql, expected.replace('\n', " "));
}

#[test]
fn of_a_distributed_entity() {
    let all = Wallet::statements();
    assert_text(
        all.get.sql,
        r#"SELECT "festival_id", "id", "user_id", "balance", "tag", "note" FROM "wallets" WHERE
"festival_id" = $1 AND "id" = $2"#,
    );
    assert_text(
        all.get_many.as_ref().unwrap().sql,
        r#"SELECT "festival_id", "id", "user_id", "balance", "tag", "note" FROM "wallets" WHERE
"festival_id" = $1 AND "id" = ANY($2)"#,
    );
    assert_text(all.exists.sql, r#"SELECT EXISTS (SELECT FROM "wallets" WHERE "festival_id" = $1 AND "id" = $2)"#);
    assert_text(all.delete.sql, r#"DELETE FROM "wallets" WHERE "festival_id" = $1 AND "id" = $2"#);
    assert_text(all.count.sql, r#"SELECT count(*) FROM "wallets" WHERE "festival_id" = $1"#);
    assert_text(
        all.insert.sql,
        r#"INSERT INTO "wallets" ("festival_id", "id", "user_id", "balance", "tag", "note") VALUES ($1,
$2, $3, $4, $5, $6)"#,
    );
    assert_text(
        all.upsert.sql,
        r#"INSERT INTO "wallets" ("festival_id", "id", "user_id", "balance", "tag", "note") VALUES ($1,
$2, $3, $4, $5, $6) ON CONFLICT ("festival_id", "id") DO UPDATE SET "user_id" =
EXCLUDED."user_id", "balance" = EXCLUDED."balance", "tag" = EXCLUDED."tag", "note" =
EXCLUDED."note""#,
    );
    assert_text(
        all.update.as_ref().unwrap().sql,
        r#"UPDATE "wallets" SET "user_id" = $3, "balance" = $4, "tag" = $5, "note" = $6 WHERE
"festival_id" = $1 AND "id" = $2"#,
    );
    assert!(
        all.insert_returning.sql.starts_with(all.insert.sql)
            && all.insert_returning.sql.contains(" RETURNING \"festival_id\", ")
    );
}

#[test]
fn of_a_reference_entity() {
    let all = Country::statements();
    assert_text(all.get.sql, r#"SELECT "code", "name" FROM "countries" WHERE "code" = $1"#);
    assert_text(all.count.sql, r#"SELECT count(*) FROM "countries""#);
}

/// Native enums travel as text, and a type of the user's own without its length: a cast to it would cut the text off.
#[test]
fn of_columns_that_need_casts() {
    let update = Everything::statements().update.as_ref().unwrap().sql;
    for part in [
        r#""state" = $15::text::"ticket_state""#,
        r#""states" = $16::text[]::"ticket_state"[]"#,
        r#""tier" = $18,"#,
        r#""short" = $22::text::varchar,"#,
        r#""select" = $23 WHERE"#,
    ] {
        assert!(update.contains(part), "{part} in {update}");
    }
    assert!(!update.contains("doubled") && !update.contains("serial"), "{update}");
}
