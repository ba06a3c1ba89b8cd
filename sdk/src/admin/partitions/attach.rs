//! Makes a partition of a table of its own: one that was detached, or that somebody filled by hand.
//!
//! All that it has to be checked for is checked before, while nobody has to wait: that its rows lie within the bounds, by a
//! CHECK, which PostgreSQL believes when it attaches the table; and that it has the parent's foreign keys.

use tokio_postgres::types::Type;

use super::changes::{Action, Change};
use super::ground::{CHECK, Ground, Parent, refused};
use crate::admin::inspect::{Constraint, Relation};
use crate::admin::locks::{Lock, Mode};
use crate::admin::wire::{column, micros, only};
use crate::error::Result;
use crate::schema::partition::{self, Span};
use crate::schema::{Bound, Bounds, ddl, names, quote_ident, quote_qualified};

/// So many rows are looked up in the tables of the foreign keys in no time.
const FEW: u64 = 10_000;

/// Without bounds, those of the interval that its rows lie in.
pub(super) async fn one(
    ground: &Ground,
    parent: &Parent,
    name: &str,
    bounds: Option<Bounds>,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let (label, at) =
        (ground.session.label(&parent.relation.schema, name), quote_qualified(Some(&parent.relation.schema), name));
    let table = read(ground, parent, name, &label).await?;
    let rows = Rows::read(ground, parent, &at).await?;
    let bounds = match bounds {
        Some(bounds) => bounds,
        None => rows.interval(parent, &label)?,
    };
    rows.check(bounds, parent, &label)?;
    if let Some(other) =
        parent.relation.partitions.iter().find(|other| other.bounds().is_some_and(|b| b.overlaps(&bounds)))
    {
        return Err(refused(format!(
            "{label} can't be attached {bounds}: {} of {} is there",
            other.name, parent.label
        )));
    }
    // A few rows are looked up under the locks, which then are lighter: nobody's foreign key has to go.
    let brings_keys = rows.count > FEW || table.constraints.iter().any(Constraint::is_foreign_key);
    let before = Before { ground, parent, at: &at, label: &label, brings_keys }.run(&table, bounds).await?;
    let span = Span { name: name.to_owned(), bounds };
    let mut how = super::create::attach(parent, &span, Vec::new());
    how.title = format!("attach {label} to {}, {bounds}", parent.label);
    if brings_keys {
        // They become those of the parent: the triggers that they have on the tables that they point at go. Whoever has written
        // a row of the parent has looked up its key there, on Citus in the shard alone: so writers are met at the parent, too.
        how.targets = parent.targets(Mode::AccessExclusive);
        let mode = if ground.is_citus() { Mode::ShareRowExclusive } else { Mode::ShareUpdateExclusive };
        how.own = vec![Lock::new(&parent.at, mode)];
    }
    how.own.extend(parent.default_partition().map(|default| Lock::new(default.at(), Mode::AccessExclusive)));
    how.own.push(Lock::new(&at, Mode::AccessExclusive));
    how.statements.push(drop_check(&at));
    let mut change = parent.change(Action::Attach, name, Some(bounds));
    change.rows = Some(rows.count);
    change.statements = before;
    ground.make(change, how, changes).await
}

fn drop_check(at: &str) -> String {
    format!("ALTER TABLE {at} DROP CONSTRAINT IF EXISTS {}", quote_ident(CHECK))
}

async fn read(ground: &Ground, parent: &Parent, name: &str, label: &str) -> Result<Relation> {
    let named = [(parent.relation.schema.clone(), name.to_owned())];
    let found = ground.read_relations(&named).await?;
    let found = found.into_iter().next().filter(Relation::is_table);
    let table = found.ok_or_else(|| refused(format!("there is no table {label}")))?;
    if parent.relation.partitions.iter().any(|partition| partition.name == name) {
        return Err(refused(format!("{label} is a partition of {} already", parent.label)));
    }
    for wanted in &parent.relation.columns {
        let found = table.column(&wanted.name);
        if found.is_none_or(|found| found.sql_type != wanted.sql_type) {
            return Err(refused(format!(
                "{label} can't be attached to {}: it needs a column {} {}",
                parent.label, wanted.name, wanted.sql_type
            )));
        }
    }
    Ok(table)
}

/// What is in the table.
struct Rows {
    count: u64,
    ends: Option<[Bound; 2]>,
}

impl Rows {
    async fn read(ground: &Ground, parent: &Parent, at: &str) -> Result<Self> {
        let [first, last] = ["min", "max"].map(|end| micros(&format!("{end}({})::timestamptz", parent.column())));
        let sql = format!("SELECT count(*), {first}, {last} FROM {at}");
        let rows = ground.ask(&sql).await?;
        let row = only(&rows)?;
        let (count, first, last): (i64, Option<i64>, Option<i64>) = (column(row, 0)?, column(row, 1)?, column(row, 2)?);
        let ends = first.zip(last).map(|(first, last)| [first, last].map(Bound::from_micros));
        Ok(Self { count: count.unsigned_abs(), ends })
    }

    /// The interval that all of them lie in.
    fn interval(&self, parent: &Parent, label: &str) -> Result<Bounds> {
        let Some([first, last]) = self.ends else {
            return Err(refused(format!("{label} has no rows that would tell its bounds: name them with `attach_as`")));
        };
        let around = partition::around(parent.def, first);
        let around = around.filter(|span| last < span.bounds.to);
        around.map(|span| span.bounds).ok_or_else(|| {
            refused(format!(
                "the rows of {label}, from {first} to {last}, lie in no one interval: name its bounds with `attach_as`"
            ))
        })
    }

    fn check(&self, bounds: Bounds, parent: &Parent, label: &str) -> Result<()> {
        match self.ends {
            Some([first, last]) if first < bounds.from || bounds.to <= last => Err(refused(format!(
                "{label} can't be attached to {} {bounds}: it has rows from {first} to {last}",
                parent.label
            ))),
            _ => Ok(()),
        }
    }
}

/// What is done before anybody has to wait.
struct Before<'a> {
    ground: &'a Ground,
    parent: &'a Parent,
    at: &'a str,
    label: &'a str,
    /// Whether the table has the parent's foreign keys before it is attached.
    brings_keys: bool,
}

impl Before<'_> {
    /// Each statement is a transaction of its own: a check that takes long must not keep what is locked for a moment.
    async fn run(&self, table: &Relation, bounds: Bounds) -> Result<Vec<String>> {
        let statements = self.statements(table, bounds).await?;
        if self.ground.is_dry_run {
            return Ok(statements);
        }
        for statement in &statements {
            let made = self.ground.execute(std::slice::from_ref(statement)).await;
            made.map_err(|error| error.during(format!("attach {} to {}", self.label, self.parent.label)))?;
        }
        Ok(statements)
    }

    async fn statements(&self, table: &Relation, bounds: Bounds) -> Result<Vec<String>> {
        let Self { ground, parent, at, label, brings_keys } = self;
        let mut statements = Vec::new();
        if let Some(distribute) = ground.distribute(parent, at)
            && !self.is_distributed().await?
        {
            statements.push(distribute);
        }
        statements.extend(ground.protection(parent, label, at));
        statements.push(drop_check(at));
        statements.push(format!("ALTER TABLE {at} ADD {} NOT VALID", parent.check_of(bounds)));
        statements.push(format!("ALTER TABLE {at} VALIDATE CONSTRAINT {}", quote_ident(CHECK)));
        let has = |wanted: &str| table.constraints.iter().any(|constraint| constraint.definition() == wanted);
        for key in parent.def.foreign_keys.iter().filter(|_| *brings_keys) {
            let wanted =
                parent.relation.constraints.iter().find(|live| live.name == names::foreign_key(parent.def, key));
            if wanted.is_some_and(|wanted| !has(&wanted.definition())) {
                statements.push(ddl::add_foreign_key(parent.def, key, at));
            }
        }
        Ok(statements)
    }

    async fn is_distributed(&self) -> Result<bool> {
        const ASKED: &str =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass($1))";
        column(only(&self.ground.desk.query(ASKED, &[(&self.at, Type::TEXT)]).await?)?, 0)
    }
}
