//! Text that would be SQL, a pattern, a line of COPY or a setting if it were not kept apart: by every way in.
//!
//! Each test has a bystander in the database, and looks whether it is still there and unchanged.

mod identifiers;
mod patterns;
mod places;
mod settings;
mod values;

use shardwise::{Cluster, Entity, Schema, Tenant};

/// Whom the attacks are aimed at. Distributed like the others, by its owner's name.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "victims", distributed_by = owner)]
pub struct Victim {
    pub owner: String,
    #[entity(key)]
    pub id: i64,
    pub secret: String,
}

impl Victim {
    /// Somebody else's row, in a table that is there for it.
    pub async fn placed(cluster: &Cluster, schema: Schema) -> Tenant<String> {
        cluster.admin().apply(&schema.with::<Self>()).await.unwrap();
        cluster.refresh().await.unwrap();
        let other = cluster.tenant("somebody else".to_owned()).await.unwrap();
        other.insert(&Self::row()).await.unwrap();
        other
    }

    fn row() -> Self {
        Self { owner: "somebody else".to_owned(), id: 1, secret: "untouched".to_owned() }
    }

    pub async fn is_untouched(other: &Tenant<String>) {
        assert_eq!(other.select::<Self>().all().await.unwrap(), [Self::row()]);
    }
}

/// What breaks out of a literal, a name, a comment, a pattern, a parameter, an array, a document or a line of COPY.
pub const HOSTILE: [&str; 30] = [
    "",
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    "'; DROP TABLE victims; --",
    "\"; DROP TABLE victims; --",
    "\\'; DROP TABLE victims; --",
    "') OR 1=1 OR ('",
    "' OR ''='",
    "x'; SET shardwise.tenant = 'somebody else'; --",
    "$1",
    "$$; DROP TABLE victims; $$",
    ":festival_id",
    ":owner",
    "%",
    "_",
    "%s%n{}{0}",
    "NULL",
    "\\N",
    "\\.",
    "\\.\n",
    "a\tb\r\nc\u{b}\u{8}",
    "{\"a\",NULL}",
    "{\"$where\": 1}",
    "/* -- */",
    "E'\\x27'",
    // What some converters take for a quotation mark.
    "\u{feff}\u{202e}’ʼ＇",
    "🎪 ünï ſ K",
];
