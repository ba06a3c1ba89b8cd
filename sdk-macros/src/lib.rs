//! The macros of [shardwise](https://docs.rs/shardwise): [`macro@Entity`], [`macro@Rollup`], [`macro@View`], [`macro@SqlEnum`], [`macro@SqlNewtype`], and what is
//! behind its `sql!`. Use them through that crate, which documents them with examples that run.
//!
//! Of the derives, from the top down: `attr` reads the attributes, `model` is what they mean, `check` refuses what Citus or PostgreSQL
//! would refuse, `expand` writes the code. `ctxt` gathers the errors of all of them, so that one build shows them all.

mod attr;
mod check;
mod ctxt;
mod expand;
mod item;
mod model;
mod rollup;
#[cfg(test)]
mod snapshots;
mod sql_enum;
mod sql_newtype;
mod statement;
mod view;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct an entity: the rows of one table.
///
/// On the struct, in `#[entity(…)]`:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `table = "wallets"` | the table's name; required |
/// | `schema = "pay"` | its schema; else the connection's first one |
/// | `distributed_by = festival_id` | its rows are spread by this field |
/// | `reference` | its rows are replicated to every node |
/// | `colocated_with = Wallet` | it shares the nodes of that entity; `none` gives it a group of its own |
/// | `partition_by = monthly(created_at)` | it is partitioned by time: `daily`, `weekly`, `monthly` or `yearly` |
/// | `cache = read_through(ttl = "5m")` | its rows are cached: `read_through`, `write_through` or `cache_aside`; with `negative = "5s"` also that there is none |
/// | `crate = "path"` | where the shardwise crate is found, if not at `::shardwise` |
///
/// On a field:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `key` | part of the key; the distribution key belongs to it by itself |
/// | `unique`, `unique = "group"` | a unique key, alone or with the other fields of the group |
/// | `index`, `index(group = "g", order = desc, where = "…")` | an index, alone or with the other fields of the group |
/// | `references = User` | a foreign key to that entity's key |
/// | `on_delete = cascade` | what a delete there does: `no_action`, `restrict`, `cascade`, `set_null` |
/// | `default = "sql"` | the column's default, for rows that others write |
/// | `generated`, `generated = "sql"` | the server makes the value: from a sequence, or from the row |
/// | `denormalized = stand_id.name` | the server keeps here what the row that `stand_id` points at has in `name` |
/// | `rename = "name"` | the column's name |
/// | `skip` | not a column; read as `Default::default()` |
/// | `json` | stored as `jsonb`, of any serde type |
/// | `sql_type = "varchar(20)"` | the column's type in the database |
/// | `check = "sql"` | a check on the table |
/// | `region` | holds the region that the row's tenant lives in |
#[proc_macro_derive(Entity, attributes(entity))]
pub fn entity(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_entity(&input).into()
}

fn derive_entity(input: &DeriveInput) -> proc_macro2::TokenStream {
    match model::Entity::read(input) {
        Ok(entity) => expand::entity(&entity),
        Err(errors) => errors,
    }
}

/// Makes a struct a rollup: an entity whose rows add up those of another one, group by group, and follow each write of them.
///
/// On the struct, in `#[rollup(…)]`:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `table = "festival_daily_stats"` | the name under which it is read; required |
/// | `schema = "pay"` | its schema; else the connection's first one |
/// | `of = Transaction` | the entity whose rows are added up; required |
/// | `distributed_by = festival_id` | the field with the source's distribution key; required |
/// | `crate = "path"` | where the shardwise crate is found, if not at `::shardwise` |
///
/// On a field; one that has none is of the group, and holds the source's column of its name:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `by = wallet_id` | of the group: the source's column |
/// | `hour(created_at)`, `day(…)`, `week(…)`, `month(…)`, `year(…)` | of the group: the source's moment, cut to that in UTC |
/// | `count` | how many rows there are |
/// | `sum(amount)` | the sum of the source's column |
/// | `filter = "amount > 0"` | of a count or sum: the rows that count, by a condition on the source's columns |
/// | `rename = "name"` | the column's name |
#[proc_macro_derive(Rollup, attributes(rollup))]
pub fn rollup(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_rollup(&input).into()
}

fn derive_rollup(input: &DeriveInput) -> proc_macro2::TokenStream {
    match rollup::Rollup::read(input) {
        Ok(rollup) => expand::rollup(&rollup),
        Err(errors) => errors,
    }
}

/// Makes a struct a materialized view: an entity whose rows are what a query gave when it was last refreshed.
///
/// On the struct, in `#[view(…)]`:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `name = "festival_revenue"` | its name; required |
/// | `schema = "pay"` | its schema; else the connection's first one |
/// | `query = "SELECT …"` | what it shows, with a column for each field; required |
/// | `every = "5m"` | how old it may become before a keeper refreshes it |
/// | `crate = "path"` | where the shardwise crate is found, if not at `::shardwise` |
///
/// On a field:
///
/// | attribute | meaning |
/// | --- | --- |
/// | `key` | its rows differ in this column, or in all that are marked; at least one is |
/// | `rename = "name"` | the column's name |
#[proc_macro_derive(View, attributes(view))]
pub fn view(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_view(&input).into()
}

fn derive_view(input: &DeriveInput) -> proc_macro2::TokenStream {
    match view::View::read(input) {
        Ok(view) => expand::view(&view),
        Err(errors) => errors,
    }
}

/// Makes an enum without fields a column type.
///
/// It is stored as text with a check on the labels; with `#[sql_enum(native = "ticket_state")]` as a PostgreSQL enum
/// type. Labels are the variants' names in `snake_case`; `#[sql_enum(rename_all = "…")]` and on a variant
/// `#[sql_enum(rename = "…")]` change that.
#[proc_macro_derive(SqlEnum, attributes(sql_enum))]
pub fn sql_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    sql_enum::derive(&input).into()
}

/// Makes a struct with one unnamed field a column type: that of the field. If the field's type can be a distribution key,
/// so can the struct.
#[proc_macro_derive(SqlNewtype, attributes(sql_newtype))]
pub fn sql_newtype(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    sql_newtype::derive(&input).into()
}

/// Behind the SDK's `sql!`.
#[doc(hidden)]
#[proc_macro]
pub fn scoped_sql(input: TokenStream) -> TokenStream {
    statement::scoped(input.into()).into()
}

/// Behind the SDK's `unscoped_sql!`.
#[doc(hidden)]
#[proc_macro]
pub fn unscoped_sql(input: TokenStream) -> TokenStream {
    statement::unscoped(input.into()).into()
}
