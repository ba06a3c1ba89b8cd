//! The example's tables, as the generator and the checker are told of them.

use shardwise_scope::TableFacts;
use tokio_postgres::Client;

/// A type of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    Uuid,
    Int,
    Small,
    Text,
    Time,
    Bytes,
}

#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Whether it belongs to tenants, by `festival_id`.
    pub is_distributed: bool,
    pub columns: &'static [(&'static str, Ty)],
    /// The columns of the primary key.
    pub key: &'static [&'static str],
}

pub const KEY: &str = "festival_id";

pub const TABLES: &[Table] = &[
    Table {
        name: "stands",
        is_distributed: true,
        columns: &[("festival_id", Ty::Uuid), ("id", Ty::Uuid), ("name", Ty::Text), ("created_at", Ty::Time)],
        key: &["festival_id", "id"],
    },
    Table {
        name: "wallets",
        is_distributed: true,
        columns: &[
            ("festival_id", Ty::Uuid),
            ("id", Ty::Uuid),
            ("user_id", Ty::Uuid),
            ("balance", Ty::Int),
            ("created_at", Ty::Time),
        ],
        key: &["festival_id", "id"],
    },
    Table {
        name: "orders",
        is_distributed: true,
        columns: &[
            ("festival_id", Ty::Uuid),
            ("id", Ty::Uuid),
            ("wallet_id", Ty::Uuid),
            ("stand_id", Ty::Uuid),
            ("stand_name", Ty::Text),
            ("amount", Ty::Int),
            ("state", Ty::Text),
            ("created_at", Ty::Time),
            ("refunded_at", Ty::Time),
        ],
        key: &["festival_id", "id"],
    },
    Table {
        name: "transactions",
        is_distributed: true,
        columns: &[
            ("festival_id", Ty::Uuid),
            ("id", Ty::Uuid),
            ("wallet_id", Ty::Uuid),
            ("kind", Ty::Text),
            ("amount", Ty::Int),
            ("order_id", Ty::Uuid),
            ("created_at", Ty::Time),
        ],
        key: &["festival_id", "id", "created_at"],
    },
    Table {
        name: "tickets",
        is_distributed: true,
        columns: &[
            ("festival_id", Ty::Uuid),
            ("id", Ty::Uuid),
            ("user_id", Ty::Uuid),
            ("state", Ty::Text),
            ("created_at", Ty::Time),
            ("scanned_at", Ty::Time),
            ("gate", Ty::Text),
        ],
        key: &["festival_id", "id"],
    },
    Table {
        name: "idempotent_requests",
        is_distributed: true,
        columns: &[
            ("festival_id", Ty::Uuid),
            ("key", Ty::Text),
            ("fingerprint", Ty::Bytes),
            ("status", Ty::Small),
            ("body", Ty::Text),
            ("created_at", Ty::Time),
        ],
        key: &["festival_id", "key"],
    },
    Table {
        name: "festivals",
        is_distributed: false,
        columns: &[
            ("id", Ty::Uuid),
            ("slug", Ty::Text),
            ("name", Ty::Text),
            ("city", Ty::Text),
            ("country", Ty::Text),
            ("region", Ty::Text),
            ("created_at", Ty::Time),
        ],
        key: &["id"],
    },
    Table {
        name: "users",
        is_distributed: false,
        columns: &[("id", Ty::Uuid), ("email", Ty::Text), ("name", Ty::Text), ("created_at", Ty::Time)],
        key: &["id"],
    },
];

pub fn distributed() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.is_distributed)
}

/// What the checker is told: each table as it is called alone, and with its schema.
pub fn facts() -> Vec<TableFacts<'static>> {
    let names = |table: &Table| -> &'static [&'static str] {
        table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().leak()
    };
    let of = |schema| {
        TABLES.iter().map(move |table| TableFacts {
            schema,
            name: table.name,
            key: table.is_distributed.then_some(KEY),
            key_type: if table.is_distributed { "uuid" } else { "" },
            group: "festivals",
            columns: names(table),
        })
    };
    of(None).chain(of(Some("public"))).collect()
}

/// That these are the tables which the example makes.
pub async fn assert_current(client: &Client) {
    for table in TABLES {
        let sql = "SELECT attname::text, atttypid::regtype::text FROM pg_attribute
                   WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let found = client.query(sql, &[&table.name]).await.unwrap();
        let found: Vec<(String, String)> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
        let expected = table.columns.iter().map(|(name, ty)| ((*name).to_owned(), ty.sql().to_owned()));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{}", table.name);
    }
}

impl Ty {
    pub fn sql(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Int => "bigint",
            Self::Small => "smallint",
            Self::Text => "text",
            Self::Time => "timestamp with time zone",
            Self::Bytes => "bytea",
        }
    }
}
