//! What the database has of rollups.

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::placed;
use crate::admin::inspect::{Session, only_row};
use crate::admin::target::Aim;
use crate::config::Policy;
use crate::entity::Json;
use crate::error::{Error, Result};
use crate::schema::Table;

/// All rollups of a schema, in the order of their tables.
#[derive(Debug, Default)]
pub(in crate::admin) struct State {
    pub(super) found: Vec<Found>,
    /// The roles that are to read them.
    pub(super) readers: Vec<String>,
}

/// What there is of one.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// The comment of the table behind it: what is still to be done.
    pub(super) mark: Option<String>,
    pub(super) view: Option<LiveView>,
    pub(super) function: Option<LiveFunction>,
    /// All of the source.
    pub(super) triggers: Vec<LiveTrigger>,
}

/// What has the view's name.
#[derive(Debug, Deserialize)]
pub(super) struct LiveView {
    pub(super) kind: String,
    pub(super) definition: Option<String>,
    pub(super) as_reader: bool,
    /// Those of the roles that may read it.
    pub(super) readers: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LiveFunction {
    pub(super) body: String,
    pub(super) is_definers: bool,
    /// Whether everybody may call it.
    pub(super) is_open: bool,
    pub(super) settings: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LiveTrigger {
    pub(super) name: String,
    pub(super) fires: bool,
    /// `pg_trigger.tgtype`
    pub(super) events: i16,
    /// Whether it calls the rollup's function.
    pub(super) calls: Option<bool>,
}

impl State {
    pub(in crate::admin) async fn read(
        client: &Client,
        session: &Session,
        aim: &Aim,
        tables: &[&'static Table],
    ) -> Result<Self> {
        let readers = match &aim.policy {
            Policy::None => Vec::new(),
            Policy::RowLevelSecurity { application_role, analytics_role } => {
                [application_role].into_iter().chain(analytics_role).cloned().collect()
            }
        };
        let rollups: Vec<_> = tables.iter().filter_map(|table| Some((*table, placed(session, table)?))).collect();
        if rollups.is_empty() {
            return Ok(Self { found: Vec::new(), readers });
        }
        let mut columns: [Vec<String>; 6] = Default::default();
        for (table, placed) in &rollups {
            let source = (placed.rollup.of)();
            let values = [
                placed.schema.clone(),
                table.name.to_owned(),
                placed.rollup.view.name.to_owned(),
                placed.rollup.function_name(),
                source.schema.unwrap_or(&session.schema).to_owned(),
                source.name.to_owned(),
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        let [schemas, parts, views, functions, source_schemas, sources] = &columns;
        let row = only_row(
            client,
            include_str!("state.sql"),
            &[
                (schemas, Type::TEXT_ARRAY),
                (parts, Type::TEXT_ARRAY),
                (views, Type::TEXT_ARRAY),
                (functions, Type::TEXT_ARRAY),
                (source_schemas, Type::TEXT_ARRAY),
                (sources, Type::TEXT_ARRAY),
                (&readers, Type::TEXT_ARRAY),
            ],
        )
        .await?;
        let Json(found) = row.try_get(0).map_err(Error::postgres)?;
        Ok(Self { found, readers })
    }
}
