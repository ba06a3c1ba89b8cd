//! What the database has of denormalised columns.

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::admin::inspect::{Session, only_row};
use crate::entity::Json;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::schema::denormalized::{Copies, Piece, beginning};
use crate::schema::trigger::Server;

/// The triggers that keep those of a schema's tables, and those that once did.
#[derive(Debug, Default)]
pub(in crate::admin) struct State(pub(super) Vec<Found>);

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// The number in the schema of the table whose columns it keeps; none where that is gone.
    pub(super) table: Option<usize>,
    /// The schema and the name of the table that bears the trigger.
    pub(super) on: (String, String),
    pub(super) trigger: String,
    mark: String,
    fires: bool,
    pub(super) function: (String, String),
    body: String,
    is_definers: bool,
    /// Whether everybody may call it.
    is_open: bool,
    settings: Vec<String>,
}

impl State {
    pub(in crate::admin) async fn read(client: &Client, session: &Session, tables: &[&'static Table]) -> Result<Self> {
        let beginnings: Vec<String> = tables.iter().map(|table| beginning(table, &session.schema)).collect();
        let schemas: Vec<&str> = tables.iter().map(|table| table.schema.unwrap_or(&session.schema)).collect();
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let params = [&beginnings as &(dyn ToSql + Sync), &schemas, &names].map(|texts| (texts, Type::TEXT_ARRAY));
        let row = only_row(client, include_str!("state.sql"), &params).await?;
        let Json(found) = row.try_get(0).map_err(Error::postgres)?;
        Ok(Self(found))
    }

    /// The trigger of this piece.
    pub(super) fn piece(&self, piece: &Piece) -> Option<&Found> {
        self.0.iter().find(|found| found.is(piece))
    }

    /// Whether all is as it should be.
    pub(super) fn keeps(&self, copies: &Copies<'_>, pieces: &[Piece], server: Server) -> bool {
        let mark = copies.mark(server);
        let fits = |piece: &Piece| {
            self.piece(piece).is_some_and(|found| {
                found.mark.starts_with(&mark)
                    && found.fires
                    && found.is_definers
                    && !found.is_open
                    && found.settings == server.settings()
                    && found.function == (copies.schema.clone(), piece.function.clone())
                    && found.body == piece.body
            })
        };
        pieces.iter().all(fits)
    }

    /// Whether all rows have been given their values since.
    pub(super) fn is_filled(&self, pieces: &[Piece], filled: &str) -> bool {
        pieces.first().and_then(|own| self.piece(own)).is_some_and(|found| found.mark == filled)
    }
}

impl Found {
    pub(super) fn is(&self, piece: &Piece) -> bool {
        self.on == piece.on && self.trigger == piece.trigger
    }
}
