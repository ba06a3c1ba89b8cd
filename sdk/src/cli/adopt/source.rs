//! Which database is adopted, by which key: said anew, or in the plan of an earlier inspection.

use std::path::{Path, PathBuf};

use super::super::context::Context;
use super::super::failure::Failure;
use crate::admin::adopt::Inspection;
use crate::admin::adopt::entities::names::singular;

/// The tenants and their key, or a plan that names them.
#[derive(clap::Args)]
pub(super) struct Source {
    /// The table of the tenants and its key's column: festivals.id
    #[arg(value_name = "TABLE.COLUMN", required_unless_present = "plan", conflicts_with = "plan")]
    key: Option<String>,
    /// What the column is, or shall be, called in the tables of tenants; festival_id where it is not said
    #[arg(long, value_name = "NAME", conflicts_with = "plan")]
    column: Option<String>,
    /// The answers of an earlier inspection, in place of a key
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

impl Source {
    /// What each table is.
    pub(super) async fn inspect(self, context: &Context) -> Result<Inspection, Failure> {
        let Self { key, column, plan } = self;
        let plan = plan.as_deref().map(read).transpose()?;
        let adopt = context.cluster().await?.admin().adopt();
        Ok(match (plan, key) {
            (Some(plan), _) => adopt.inspect_with(&plan).await?,
            (None, key) => {
                let key = key.unwrap_or_default();
                let column = column.unwrap_or_else(|| column_of(&key));
                adopt.inspect(&key, &column).await?
            }
        })
    }
}

/// `festival_id` of `festivals.id`.
fn column_of(key: &str) -> String {
    let (table, column) = key.rsplit_once('.').unwrap_or((key, "id"));
    let table = table.rsplit_once('.').map_or(table, |(_, table)| table);
    format!("{}_{column}", singular(table))
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::column_of;

    #[test]
    fn a_column_is_called_as_one_of_its_table() {
        for (key, column) in [
            ("festivals.id", "festival_id"),
            ("public.festivals.id", "festival_id"),
            ("companies.id", "company_id"),
            ("staff.key", "staff_key"),
        ] {
            assert_eq!(column_of(key), column);
        }
    }
}
