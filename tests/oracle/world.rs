//! A database with rows of both tenants, and what a statement does in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use shardwise::Cluster;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};

use super::rows::{self, MONTH, Owner, TENANTS, Version};
use super::schema::{self, TABLES};
use crate::support::place::Place;

pub struct World {
    client: Client,
    /// What all rows of all tables are, by whose they are.
    contents: Statement,
    /// A time of which there is a partition, as a text.
    at: String,
}

/// A statement as it is sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub sql: String,
    /// The names of its parameters, in the order of their numbers.
    pub params: Vec<String>,
    /// Whether it is said to do nothing but read.
    pub only_reads: bool,
}

/// What came of a statement.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The rows in no particular order, and so sorted; each cell as it was sent.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    pub affected: u64,
    /// What is in the database afterwards, where something may have changed.
    pub after: Option<Contents>,
}

/// By owner (nobody for reference tables), a digest of all rows.
pub type Contents = BTreeMap<Option<String>, String>;

impl World {
    /// With the tenants' rows in these versions.
    pub async fn new(place: Place, versions: [Version; 2]) -> Self {
        let config = place.empty().await.with_shard_count(Some(4)).unwrap();
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&festival::model::schema()).await.unwrap();
        cluster.close(Duration::from_secs(5)).await;
        let url = match place {
            Place::Single => crate::support::server().await.url(),
            Place::Citus(cluster) => cluster.url(),
        };
        let mut login: tokio_postgres::Config = url.parse().unwrap();
        let (client, connection) = login.dbname(config.database()).connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SET statement_timeout = '5s'; SET client_min_messages = 'error'").await.unwrap();
        schema::assert_current(&client).await;
        rows::shared(&client).await;
        for (owner, version) in TENANTS.into_iter().zip(versions) {
            rows::of_tenant(&client, owner, version).await;
        }
        let contents = client.prepare(&contents()).await.unwrap();
        let at = client.query_one(&format!("SELECT ({MONTH} + interval '5 days')::text"), &[]).await.unwrap().get(0);
        Self { client, contents, at }
    }

    pub async fn contents(&self) -> Contents {
        let rows = self.client.query(&self.contents, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Executes a statement as a tenant, and takes back what it did. An error is its SQLSTATE.
    pub async fn execute(&self, sent: &Sent, tenant: Owner) -> Result<Answer, String> {
        let begin = if sent.only_reads { "BEGIN READ ONLY" } else { "BEGIN" };
        self.client.batch_execute(begin).await.unwrap();
        let answer = self.answer(sent, tenant).await;
        self.client.batch_execute("ROLLBACK").await.unwrap();
        answer.map_err(|error| match error.as_db_error() {
            Some(told) => format!("{} {}", told.code().code(), told.message()),
            None => panic!("{error:?} for {}", sent.sql),
        })
    }

    async fn answer(&self, sent: &Sent, tenant: Owner) -> Result<Answer, tokio_postgres::Error> {
        let statement = self.client.prepare(&sent.sql).await?;
        let params: Vec<Text> = sent.params.iter().map(|name| Text(self.param(name, tenant))).collect();
        let mut stream = pin!(self.client.query_raw(&statement, &params).await?);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            let cells = (0..row.len()).map(|at| row.get::<_, Option<Raw>>(at).map(|raw| raw.0));
            rows.push(cells.collect::<Vec<_>>());
        }
        rows.sort();
        let affected = stream.rows_affected().unwrap_or_default();
        let after = if sent.only_reads { None } else { Some(self.contents().await) };
        Ok(Answer { rows, affected, after })
    }

    /// What a caller gives for a parameter of this name: often what somebody else would like to know.
    fn param(&self, name: &str, tenant: Owner) -> String {
        let (shared, other) = (rows::shared_id, tenant.other().festival());
        match name {
            "festival_id" => tenant.festival().to_string(),
            "other" => other.to_string(),
            "id" | "wallet_id" => shared(2).to_string(),
            "stand_id" => shared(0).to_string(),
            "user_id" => shared(1).to_string(),
            "new_user_id" => shared(7).to_string(),
            "fresh" => shared(901).to_string(),
            "fresher" => shared(902).to_string(),
            "ids" => format!("{{{},{},{}}}", shared(0), shared(2), rows::own_id(tenant.mark, 1)),
            "at" => self.at.clone(),
            "n" => "1000020".to_owned(),
            "limit" => "2".to_owned(),
            "row" => format!(
                "{{\"festival_id\": \"{other}\", \"id\": \"{}\", \"user_id\": \"{}\", \"balance\": 1}}",
                shared(2),
                shared(2)
            ),
            _ => "paid".to_owned(),
        }
    }
}

fn contents() -> String {
    let each = TABLES.iter().map(|table| {
        let owner = if table.is_distributed { "festival_id::text" } else { "NULL" };
        let cells: Vec<String> = table.columns.iter().map(|(name, _)| format!("coalesce({name}::text, '~')")).collect();
        format!("SELECT {owner}, concat_ws('|', '{}', {}) FROM {}", table.name, cells.join(", "), table.name)
    });
    let each = each.collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT owner, count(*) || ' ' || md5(string_agg(cells, chr(10) ORDER BY cells)) FROM ({each}) rows(owner, cells) \
         GROUP BY owner"
    )
}

/// A parameter of whatever type, written as a text.
#[derive(Debug)]
struct Text(String);

impl ToSql for Text {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A cell of whatever type, as it was sent.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
