//! Tables of a grown database as entities: the text of a Rust file. Pure.
//!
//! Catalogs (`shape`, `types`) → what is to be written (`model`) → attributes (`indexes`, `links`) → text (`write`), with a test
//! (`order`, `samples`, `trip`) that writes a row of each table and reads it again.

mod hints;
mod indexes;
mod links;
mod model;
pub(crate) mod names;
mod order;
mod pick;
mod samples;
mod shape;
#[cfg(test)]
mod tests;
mod trip;
mod types;
mod write;

use std::fmt::Write as _;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use serde::Serialize;

use self::model::Entity;
use self::names::Taken;
use self::order::Order;
use self::samples::Samples;
use self::types::{Types, Value};
use super::catalog::Name;
use super::classify::Classified;
use super::inspection::Inspection;
use crate::error::{Error, ErrorKind, Result};

/// What the file has in scope, or Rust by itself.
const IN_SCOPE: [&str; 23] = [
    "Box",
    "Boxed",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Drop",
    "Entity",
    "Eq",
    "Err",
    "Fn",
    "From",
    "Into",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Schema",
    "Some",
    "SqlEnum",
    "String",
    "Uuid",
    "Vec",
];

/// Which tables become entities, and how.
///
/// ```
/// use shardwise::admin::adopt::{Dates, Pick};
///
/// let all = Pick::all();
/// let some = Pick::all().table("tickets").table("pay.orders").with_dates(Dates::Chrono);
/// assert_eq!(some.tables, ["tickets", "pay.orders"]);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Pick {
    /// These and what their rows have to point at; all of tenants and of everybody where there are none.
    pub tables: Vec<String>,
    /// The crate of dates and times.
    pub dates: Dates,
}

/// The crate whose types dates and times have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dates {
    /// `jiff`
    #[default]
    Jiff,
    /// `chrono`
    Chrono,
    /// `time`
    Time,
}

/// Entities as text.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Entities {
    /// The text of a Rust file: entities, their enums, `schema()`, and a test that writes a row of each and reads it again.
    pub source: String,
    /// The tables that are in it.
    pub tables: Vec<Written>,
    /// The tables that are not, each with the reason.
    pub refused: Vec<Reason>,
    /// The tables that the test leaves out, each with the reason.
    pub untested: Vec<Reason>,
    /// The crates that the file takes, each with the features of it.
    pub needs: Vec<Need>,
}

/// A table that has become an entity.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Written {
    /// The table.
    pub table: Name,
    /// The name of its struct.
    pub entity: String,
    /// What is in the database and can't be said of an entity, and what changes by the adoption, in sentences.
    pub notes: Vec<String>,
}

/// A table, and why something is not done of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// The table.
    pub table: Name,
    /// Why, in a sentence.
    pub reason: String,
}

/// A crate that a file takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Need {
    /// The crate.
    pub name: String,
    /// Its features.
    pub features: Vec<String>,
}

impl Pick {
    /// All tables of tenants and of everybody, with dates of `jiff`.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// This table, with its schema before it where names are not found there; once more for another one.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.tables.push(name.into());
        self
    }

    /// With dates and times of this crate.
    #[must_use]
    pub fn with_dates(self, dates: Dates) -> Self {
        Self { dates, ..self }
    }
}

impl Inspection {
    /// The picked tables as entities, as they are once they are adopted: each with the tenant's key, and distributed by it.
    ///
    /// ```no_run
    /// # use shardwise::Cluster;
    /// # use shardwise::admin::adopt::Pick;
    /// # async fn f(cluster: Cluster) -> Result<(), Box<dyn std::error::Error>> {
    /// let found = cluster.admin().adopt().inspect("festivals.id", "festival_id").await?;
    /// let entities = found.entities(&Pick::all())?;
    /// for table in &entities.refused {
    ///     println!("not {}: {}", table.table, table.reason);
    /// }
    /// std::fs::write("src/entities.rs", entities.source)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where the database has no table that is picked by its name.
    pub fn entities(&self, pick: &Pick) -> Result<Entities> {
        let picked = pick::tables(self, pick)?;
        let mut types = Types::new(&self.catalog, pick.dates);
        let mut taken = Taken::of(&IN_SCOPE);
        let mut refused = picked.refused;
        let mut entities = Vec::new();
        let idents: Vec<Ident> = picked.tables.iter().map(|one| struct_of(&one.table, &mut taken)).collect();
        for (classified, ident) in picked.tables.iter().zip(idents) {
            let Some(table) = self.catalog.table(&classified.table) else { continue };
            let mut reader =
                shape::Reader { catalog: &self.catalog, key: &self.key, types: &mut types, taken: &mut taken };
            match reader.entity(table, classified, ident) {
                Ok(entity) => entities.push(entity),
                Err(reason) => refused.push(Reason { table: classified.table.clone(), reason }),
            }
        }
        let names: Vec<&str> = entities.iter().map(|entity| entity.table.name.as_str()).collect();
        let mut relations = Taken::of(&names);
        for entity in &mut entities {
            if let Some(table) = self.catalog.table(&entity.table) {
                indexes::say(table, entity, &mut relations);
            }
        }
        links::say(&self.catalog, &picked.tables, &mut entities);
        refused.sort_by(|one, other| one.table.cmp(&other.table));
        File { inspection: self, dates: pick.dates, entities, types, refused }.written()
    }
}

/// What the struct of a table is called.
fn struct_of(table: &Name, taken: &mut Taken) -> Ident {
    let name = names::of_type(&table.name);
    let with_schema = names::of_type(&format!("{}_{}", table.schema, table.name));
    names::ident(&taken.first_free(&[name.clone(), format!("{name}Row"), with_schema]))
}

/// All that a file is made of.
struct File<'a> {
    inspection: &'a Inspection,
    dates: Dates,
    entities: Vec<Entity>,
    types: Types<'a>,
    refused: Vec<Reason>,
}

impl File<'_> {
    fn written(self) -> Result<Entities> {
        let Self { entities, types, .. } = &self;
        let order = Order::of(entities);
        // What a row points at stands before it, in the file as well.
        let all: Vec<&Entity> =
            order.places.iter().chain(order.without.iter().map(|(at, _)| at)).map(|at| &entities[*at]).collect();
        let samples = Samples::new(types, self.dates);
        let tests = trip::items(entities, &order, &samples);
        let needs = self.needs(!tests.is_empty());
        let mut items = vec![self.imports()];
        items.push(write::schema(&all));
        items.extend(all.iter().map(|entity| write::entity(entity, types)));
        let is_used = |ident: &Ident| self.values().any(|value| *value == Value::Enum(ident.clone()));
        items.extend(types.enums().filter(|one| is_used(&one.ident)).map(write::enumeration));
        let failed = |error: syn::Error| Error::new(ErrorKind::Schema, format!("an entity can't be written: {error}"));
        let mut source = self.head(&needs);
        source.push_str(&write::text(&items).map_err(failed)?);
        if !tests.is_empty() {
            source.push('\n');
            source.push_str(&write::tests(&tests).map_err(failed)?);
        }
        let table = |at: &usize| entities[*at].table.clone();
        let untested = order.without.iter().map(|(at, why)| Reason { table: table(at), reason: why.clone() }).collect();
        let tables = all.iter().map(|entity| Written {
            table: entity.table.clone(),
            entity: entity.ident.to_string(),
            notes: entity.notes.clone(),
        });
        Ok(Entities { source, tables: tables.collect(), refused: self.refused.clone(), untested, needs })
    }

    fn imports(&self) -> TokenStream {
        let has = |value: &Value| self.values().any(|found| found == value);
        let mut names = vec![quote!(Entity), quote!(Schema)];
        names.extend(self.values().any(|value| matches!(value, Value::Enum(_))).then(|| quote!(SqlEnum)));
        names.extend(has(&Value::Uuid).then(|| quote!(Uuid)));
        quote!(use shardwise::{#(#names),*};)
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.entities.iter().flat_map(|entity| &entity.fields).map(|field| &field.typed.value)
    }

    fn needs(&self, has_tests: bool) -> Vec<Need> {
        let need = |name: &str, features: &[&str]| Need {
            name: name.to_owned(),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        };
        let dates = match self.dates {
            Dates::Jiff => "jiff",
            Dates::Chrono => "chrono",
            Dates::Time => "time",
        };
        let dates = Some(dates).filter(|_| self.values().any(Value::is_of_time));
        let has = |value: Value| self.values().any(|found| *found == value);
        let decimals = has(Value::Decimal).then_some("rust_decimal");
        let own: Vec<&str> = dates.into_iter().chain(decimals).collect();
        let mut needs = vec![need("shardwise", &own)];
        needs.extend(own.iter().map(|name| need(name, &[])));
        needs.extend(has(Value::Json).then(|| need("serde_json", &[])));
        needs.extend(has_tests.then(|| need("tokio", &["macros", "rt"])));
        needs
    }

    /// What a reader of the file has to know first.
    fn head(&self, needs: &[Need]) -> String {
        let Inspection { key, catalog, .. } = self.inspection;
        let name = catalog.database.replace(char::is_control, " ");
        let mut head = format!(
            "//! The tables of `{name}` as they are once they are adopted: {}.{} tells whose a row is.\n//!\n",
            key.root, key.root_column
        );
        let written = |need: &Need| match need.features.as_slice() {
            [] => format!("`{}`", need.name),
            features => format!("`{}` (features `{}`)", need.name, features.join("`, `")),
        };
        let needs: Vec<String> = needs.iter().map(written).collect();
        let _ = writeln!(head, "//! Written by `shardwise adopt entities`. It takes {}.", needs.join(", "));
        if !self.refused.is_empty() {
            let _ = writeln!(head, "//!\n//! Not here:");
            for Reason { table, reason } in &self.refused {
                let _ = writeln!(head, "//! - `{}`: {reason}", table.to_string().replace(char::is_control, " "));
            }
        }
        head.push('\n');
        head
    }
}

/// The tables of a pick, and those that can't be picked.
struct Picked<'a> {
    tables: Vec<&'a Classified>,
    refused: Vec<Reason>,
}
