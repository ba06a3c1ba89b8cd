//! What has to be known of a tenant before its first statement: the hash of its key, and its home region.

use std::borrow::Cow;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Core, Way};
use crate::config::Mode;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::key::{KeyRef, KeyType};
use crate::retry::{Decision, Progress, decide};
use crate::routing::{Access, Intent, Need, Pin, Target};
use crate::schema::{quote_ident, quote_qualified};
use crate::topology::hash::hash;
use crate::topology::{Hashing, Region, Residency, ShardMap};

impl Core {
    /// Where the statements about reference entities go.
    pub(crate) fn reference_target(&self) -> Target {
        Target { residency: self.config.residency, ..Target::new(Intent::Reference) }
    }

    /// Where the statements of the tenant with this key go.
    pub(crate) async fn target(&self, key: KeyRef<'_>) -> Result<Target> {
        let residency = if self.mode == Mode::Single { Residency::Off } else { self.config.residency };
        let hash = match self.topology().usual_map(key.key_type()).map(ShardMap::hashing) {
            Some(Hashing::Server(expression)) => Box::pin(self.hash_by_server(key, expression)).await?,
            Some(Hashing::Client) | None => hash(key),
        };
        let home = if residency == Residency::Off { None } else { Box::pin(self.home_region(key)).await? };
        let target = Target {
            intent: Intent::Tenant,
            key: Some((key.key_type(), Some(hash))),
            pin: Pin::Owner,
            residency,
            home,
        };
        self.check(target, Need::ANY)?;
        Ok(target)
    }

    /// The hash of a key of a type that the server alone can hash.
    async fn hash_by_server(&self, key: KeyRef<'_>, expression: &str) -> Result<i32> {
        // Found under the name of no table: a key's hash never changes.
        let slot =
            self.directory.slot(None, Cow::Borrowed(""), Cow::Owned(expression.to_owned()), key_bytes(&key).as_ref());
        let asked = async {
            let sql = format!("SELECT {expression}");
            let row = self.ask_nearest(&sql, &text_of(key), Type::TEXT).await?;
            row.map(|row| row.try_get::<_, i32>(0).map_err(Error::postgres)).transpose()
        };
        let hash = self.directory.get(slot, asked).await?;
        hash.map(|hash| *hash).ok_or_else(|| Error::new(ErrorKind::Connect, "the server did not tell the key's hash"))
    }

    /// The home region that the directory has for this key; `None` where it has no such row.
    pub(crate) async fn home_region(&self, key: KeyRef<'_>) -> Result<Option<Region>> {
        let topology = self.topology();
        let Some(table) = topology.directory(key.key_type()) else { return Ok(None) };
        let own = |text: &String| Cow::Owned(text.clone());
        let slot = self.directory.slot(
            Some(own(&table.schema)),
            own(&table.table),
            own(&table.region_column),
            key_bytes(&key).as_ref(),
        );
        let found = async {
            let sql = format!(
                "SELECT {}::text FROM {} WHERE {} = $1",
                quote_ident(&table.region_column),
                quote_qualified(Some(&table.schema), &table.table),
                quote_ident(&table.key_column)
            );
            let row = self.ask_nearest(&sql, &KeyParam(key), wire(key.key_type())).await?;
            row.map(|row| row.try_get::<_, Region>(0).map_err(Error::postgres)).transpose()
        };
        let region = self.directory.get(slot, found).await.map_err(|error| error.during("the tenant's home region"))?;
        Ok(region.map(|region| *region))
    }

    /// One row at most, from the nearest node.
    async fn ask_nearest(&self, sql: &str, param: &(dyn ToSql + Sync), ty: Type) -> Result<Option<Row>> {
        let need = Need { table: None, access: Access::Read };
        let mut attempt = 1;
        loop {
            let way = self.way(self.reference_target(), need).await?;
            let error = match self.ask_on(&way, sql, param, &ty).await {
                Ok(row) => return Ok(row),
                Err(error) => error,
            };
            if error.ended_the_session() {
                way.lease.was_ended();
            }
            match decide(&error, attempt, Progress::Sent, true) {
                Decision::Same => {}
                Decision::Anew | Decision::Stop => return Err(error.on(way.lease.node()).via(way.route)),
            }
            self.metrics.retry();
            attempt += 1;
        }
    }

    async fn ask_on(&self, way: &Way, sql: &str, param: &(dyn ToSql + Sync), ty: &Type) -> Result<Option<Row>> {
        let (connection, limit) = (way.lease.connection(), self.config.timeouts.statement);
        let ask = async {
            let mark = way.lease.start();
            let answer = async {
                let prepared = connection.prepare_text(sql, std::slice::from_ref(ty)).await?;
                connection.client().query_opt(&prepared, &[param]).await
            };
            let answer = answer.await;
            mark.done();
            answer
        };
        let answer = match tokio::time::timeout(limit, ask).await {
            Ok(answer) => answer.map_err(Error::postgres),
            Err(_) => Err(Error::timed_out(Limit::Statement, limit)),
        };
        if answer.as_ref().is_err_and(Error::is_stale_plan) {
            connection.forget_statements();
        }
        answer
    }
}

fn wire(key: KeyType) -> Type {
    match key {
        KeyType::Uuid => Type::UUID,
        KeyType::Int2 => Type::INT2,
        KeyType::Int4 => Type::INT4,
        KeyType::Int8 => Type::INT8,
        KeyType::Text => Type::TEXT,
    }
}

fn text_of(key: KeyRef<'_>) -> String {
    match key {
        KeyRef::Uuid(id) => id.to_string(),
        KeyRef::Int2(number) => number.to_string(),
        KeyRef::Int4(number) => number.to_string(),
        KeyRef::Int8(number) => number.to_string(),
        KeyRef::Text(text) => text.to_owned(),
    }
}

/// The key as bytes, for keeping.
fn key_bytes<'k>(key: &KeyRef<'k>) -> Cow<'k, [u8]> {
    match *key {
        KeyRef::Uuid(id) => Cow::Borrowed(id.as_bytes().as_slice()),
        KeyRef::Int2(number) => Cow::Owned(number.to_le_bytes().into()),
        KeyRef::Int4(number) => Cow::Owned(number.to_le_bytes().into()),
        KeyRef::Int8(number) => Cow::Owned(number.to_le_bytes().into()),
        KeyRef::Text(text) => Cow::Borrowed(text.as_bytes()),
    }
}

/// The key as a parameter.
struct KeyParam<'k>(KeyRef<'k>);

// The key's type alone: its value is a parameter's.
impl std::fmt::Debug for KeyParam<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for KeyParam<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            KeyRef::Uuid(id) => id.to_sql(ty, out),
            KeyRef::Int2(number) => number.to_sql(ty, out),
            KeyRef::Int4(number) => number.to_sql(ty, out),
            KeyRef::Int8(number) => number.to_sql(ty, out),
            KeyRef::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Always sent as the type that `wire` names.
        true
    }

    to_sql_checked!();
}
