//! What the database has of views.

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::placed;
use crate::admin::inspect::{Session, only_row};
use crate::entity::Json;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::schema::view::PlacedView;

/// The views, in the order in which they are asked for.
#[derive(Debug, Default)]
pub(in crate::admin) struct State(pub(super) Vec<Option<Found>>);

/// What has a view's name.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) kind: String,
    comment: Option<String>,
    pub(super) is_populated: bool,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    /// `SELECT ON TABLE %s TO …`
    pub(super) grants: Vec<String>,
    /// Its owner, where that is not who asks.
    pub(super) other_owner: Option<String>,
    /// The columns of its unique index.
    pub(super) key: Option<Vec<String>>,
}

/// What a refresh has written down.
#[derive(Debug, Deserialize)]
pub(super) struct Mark {
    /// The definition.
    shardwise: String,
    /// When it began, in microseconds since 1970.
    pub(super) refreshed: i64,
    /// How long it took.
    pub(super) micros: u64,
}

impl State {
    pub(in crate::admin) async fn read(client: &Client, session: &Session, views: &[&'static Table]) -> Result<Self> {
        let placed: Vec<PlacedView<'_>> = views.iter().filter_map(|table| placed(session, table)).collect();
        if placed.is_empty() {
            return Ok(Self::default());
        }
        let schemas: Vec<&str> = placed.iter().map(|view| view.schema.as_str()).collect();
        let names: Vec<&str> = placed.iter().map(|view| view.table.name).collect();
        let indexes: Vec<String> = placed.iter().map(PlacedView::index).collect();
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
            [(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY), (&indexes, Type::TEXT_ARRAY)];
        let row = only_row(client, include_str!("state.sql"), &params).await?;
        let Json(found) = row.try_get(0).map_err(Error::postgres)?;
        Ok(Self(found))
    }
}

impl Found {
    /// What the last refresh has written down, if the view still has this definition.
    pub(super) fn mark(&self, view: &PlacedView<'_>) -> Option<Mark> {
        let mark: Mark = serde_json::from_str(self.comment.as_deref()?).ok()?;
        (mark.shardwise == view.definition()).then_some(mark)
    }
}
