//! The commands.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::catalog::{Catalog, Name, Table};
use super::check::{self, Checked, Sources};
use super::classify::{Answer, Classified, Key, classify};
use super::evidence::{self, Evidence};
use super::file::{self, Answers};
use super::inspection::{Inspected, Inspection};
use super::run::{self, Journal, Run, Undo};
use super::steps::Steps;
use crate::admin::desk::Desk;
use crate::admin::wire::{column, only};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};

/// Finds out whose the rows of a grown database are. Made by [`Admin::adopt`](crate::admin::Admin::adopt). See the [module](super) for
/// what holds for all of it.
///
/// ```no_run
/// # use shardwise::Cluster;
/// # async fn f(cluster: Cluster) -> Result<(), Box<dyn std::error::Error>> {
/// let adopt = cluster.admin().adopt();
/// let found = adopt.inspect("festivals.id", "festival_id").await?;
/// std::fs::write("adopt.toml", found.to_plan())?;      // a person reads it, and answers what is asked
/// let found = adopt.inspect_with(&std::fs::read_to_string("adopt.toml")?).await?;
/// assert_eq!(found.questions().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Adopt {
    core: Arc<Core>,
}

impl Adopt {
    pub(in crate::admin) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// What each table is, where `key` is the table of the tenants with its key's column, and tables of tenants have, or shall have, it in
    /// `column`. Rows are read where the catalogs leave open whose they are.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where there is no such key; when the server can't be asked.
    pub async fn inspect(&self, key: &str, column: &str) -> Result<Inspection> {
        let (desk, catalog) = self.open().await?;
        self.look(&desk, catalog, key, column, &BTreeMap::new()).await
    }

    /// The same by the text of a [plan](Inspection::to_plan): what it says of a table is so.
    ///
    /// # Errors
    /// As for [`inspect`](Self::inspect), and [`ErrorKind::Schema`] for a text that says something else.
    pub async fn inspect_with(&self, plan: &str) -> Result<Inspection> {
        let (desk, catalog) = self.open().await?;
        let Answers { key, column, tables } = file::read(plan, &catalog)?;
        self.look(&desk, catalog, &key, &column, &tables).await
    }

    /// What becomes of an application's statements once the tables are distributed as inspected: which go to one shard as they are, which
    /// have to name the tenant's key, with the statement that does, and which can't. Nothing is said to go to one shard that `sql!` would
    /// not accept.
    ///
    /// Statements that a program puts together are read as far as their parts are literals, and told as [dynamic](super::Verdict::Dynamic)
    /// where what is put in may be more than a value. Conditions that are appended later, in another statement of the program, are not seen.
    ///
    /// ```no_run
    /// # use shardwise::Cluster;
    /// use shardwise::admin::adopt::{Sources, Verdict};
    ///
    /// # async fn f(cluster: Cluster, answers: &str) -> shardwise::Result<()> {
    /// let adopt = cluster.admin().adopt();
    /// let found = adopt.inspect_with(answers).await?;
    /// let checked = adopt.check(&found, &Sources::new().with_statements().with_folder("src")).await?;
    /// for statement in checked.statements.iter().filter(|statement| statement.verdict == Verdict::NeedsKey) {
    ///     println!("{}\n→ {}", statement.sql, statement.rewritten.as_deref().unwrap_or(&statement.why));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where a file or folder can't be read; [`ErrorKind::Unsupported`] where `pg_stat_statements` is to be read and is
    /// not there, or hides all it has from the role: the message names the fix.
    pub async fn check(&self, inspection: &Inspection, sources: &Sources) -> Result<Checked> {
        let desk = match sources.asks_server() {
            true => Some(Desk::open(&self.core).await?),
            false => None,
        };
        check::check(desk.as_ref(), inspection, sources).await
    }

    /// Begins an adoption with these [steps](Inspection::steps): they are written into a journal in the database, in the schema
    /// `shardwise`, and are what [`run`](Self::run) goes through from then on, whatever the tables become on the way. Nothing else is
    /// changed.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where another adoption was begun and is not finished; when the role may not create a schema.
    pub async fn begin(&self, steps: &Steps) -> Result<()> {
        run::begin(&self.core, steps).await
    }

    /// How far the adoption has come that was begun, where there is one.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub async fn journal(&self) -> Result<Option<Journal>> {
        run::journal(&self.core).await
    }

    /// Goes through the steps, from where they stand, while the tables are used.
    ///
    /// ```no_run
    /// # use shardwise::Cluster;
    /// use shardwise::admin::adopt::Options;
    /// use shardwise::admin::adopt::run::{End, Event};
    ///
    /// # async fn f(cluster: Cluster, answers: &str) -> shardwise::Result<()> {
    /// let adopt = cluster.admin().adopt();
    /// let found = adopt.inspect_with(answers).await?;
    /// adopt.begin(&found.steps(&Options::of(&found))?).await?;
    /// let outcome = adopt
    ///     .run()
    ///     .go(|event| match event {
    ///         Event::Step { number, of, step } => println!("{number} of {of}: {}", step.title),
    ///         Event::Rows { seen, per_second, .. } => println!("{seen} rows, {per_second} in a second"),
    ///         _ => {}
    ///     })
    ///     .await?;
    /// if let End::Gate { step, what } = outcome.end {
    ///     println!("{step}: {what}"); // and then `run().past(step)`
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(&self) -> Run {
        Run::new(self.core.clone())
    }

    /// Takes steps back, up to the first one from which there is no way back.
    pub fn undo(&self) -> Undo {
        Undo::new(self.core.clone())
    }

    async fn open(&self) -> Result<(Desk, Catalog)> {
        let desk = Desk::open(&self.core).await?;
        let catalog = desk.send(Catalog::read(desk.client())).await?;
        Ok((desk, catalog))
    }

    async fn look(
        &self,
        desk: &Desk,
        catalog: Catalog,
        key: &str,
        column_name: &str,
        answers: &BTreeMap<Name, Answer>,
    ) -> Result<Inspection> {
        let key = key_of(&catalog, key, column_name)?;
        let classified = classify(&catalog, &key, answers);
        let mut evidence = Vec::with_capacity(classified.len());
        let by_name: BTreeMap<&Name, &Classified> = classified.iter().map(|table| (&table.table, table)).collect();
        for table in &classified {
            evidence.push(match evidence::query(&catalog, &by_name, table) {
                Some(sql) => Evidence::of(column(only(&desk.query(&sql, &[]).await?)?, 0)?),
                None => None,
            });
        }
        let tables = classified.into_iter().zip(evidence);
        let tables = tables.map(|(classified, evidence)| Inspected { classified, evidence }).collect();
        Ok(Inspection { key, tables, catalog })
    }
}

impl fmt::Debug for Adopt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopt").finish_non_exhaustive()
    }
}

/// `festivals.id`, or `public.festivals.id`.
fn key_of(catalog: &Catalog, text: &str, column: &str) -> Result<Key> {
    let wrong = |message: String| Error::new(ErrorKind::Schema, message);
    let Some((table, root_column)) = text.rsplit_once('.') else {
        return Err(wrong(format!(
            "{text:?} names no key: write the table of the tenants and its key's column, festivals.id"
        )));
    };
    let Some(table) = catalog.named(table) else {
        let known: Vec<String> = catalog.tables.iter().map(|table| table.name.to_string()).collect();
        return Err(wrong(format!("there is no table {table:?}: there are {}", known.join(", "))));
    };
    let Some(found) = table.column(root_column) else {
        let known: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        return Err(wrong(format!("{} has no column {root_column:?}: it has {}", table.name, known.join(", "))));
    };
    if !is_unique(table, root_column) {
        return Err(wrong(format!(
            "{}.{root_column} is neither the primary key nor unique: it tells no tenant",
            table.name
        )));
    }
    Ok(Key {
        root: table.name.clone(),
        root_column: root_column.to_owned(),
        column: column.to_owned(),
        sql_type: found.base_type.clone(),
    })
}

fn is_unique(table: &Table, column: &str) -> bool {
    let constraints = table.constraints.iter().filter(|constraint| matches!(constraint.kind.as_str(), "p" | "u"));
    let mut keys = constraints.map(|constraint| constraint.columns.as_slice());
    keys.any(|columns| columns == [column.to_owned()])
}
