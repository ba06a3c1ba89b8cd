//! Brings a database to the schema of its entities: `plan` tells what would change, `apply` changes it, `diff` tells
//! what differs, in both directions.
//!
//! - **Exact.** What the entities want is made once as temporary tables, in a transaction that is rolled back, and read
//!   from the same catalogs as the live schema. Two spellings of one expression are no difference. The role needs the
//!   right TEMPORARY on the database (every role has it unless it was revoked), for `plan` and `diff` as well.
//! - **Once.** Applies to one database take turns by an advisory lock, so any number of services may start at once;
//!   each looks anew when it is its turn.
//! - **All or nothing.** An apply is one transaction. There are two exceptions: new labels of an enum type that a later
//!   step of the same plan uses, which PostgreSQL wants committed first, so they are; and on Citus what no transaction
//!   can do (see below).
//! - **Nothing is lost.** What the entities don't know is left alone, unless a [`Consent`] names it. What they need and
//!   what could lose data or stop writers for long (a type, a primary key) is refused until a consent names it.
//! - **Not alone.** Tables that no entity has are no drift: another service's entities may have them.
//!
//! # Row level security
//!
//! Where the configuration asks for it ([`Policy::RowLevelSecurity`](crate::config::Policy)), the commands bring the database
//! to this as well, on Citus on all nodes and shards:
//!
//! - **The application role** exists, without LOGIN where `apply` made it, and without SUPERUSER, BYPASSRLS, CREATEDB,
//!   CREATEROLE and REPLICATION; it is a member of no other role. It has SELECT, INSERT, UPDATE and DELETE on the entities'
//!   tables, USAGE on their schemas and on the sequences of their defaults, and nothing else on them: no TRUNCATE, REFERENCES
//!   or TRIGGER, which PUBLIC loses too, and nothing on partitions, which are reached through their tables.
//! - **Each distributed table** and each of its partitions has row level security on, and a policy by which the application role
//!   reads and writes the rows whose key is the transaction's tenant. Reference tables have none.
//! - **Owners** see all rows. Where the owner is no superuser, a policy says so, for row level security is forced on owners; on
//!   Citus it is not forced on such an owner, as whom Citus copies shards.
//! - **The role for analytics**, where one is named, may read all rows and write none.
//!
//! All of it is compared: what somebody tampers with is a [`Difference`], and the next apply mends it. Policies that somebody
//! else made stay; one by which the application role may reach more rows is a difference until
//! [`Consent::drop_policy`] allows to drop it. To make a role, the role that applies needs CREATEROLE; it is told so otherwise,
//! with the statement that somebody else can run. Where the configuration asks for it no more, policies and roles stay as they
//! are.
//!
//! # On Citus
//!
//! It works on the coordinator, with Citus 12.0 or newer. Tables are made with their indexes and partitions, then
//! distributed, then joined by foreign keys: first the reference tables go to every node, then the others to shards, each
//! co-location group in the order of its foreign keys. The first table of a group gets shards of its own (how many says
//! `shard_count` of the configuration, else the server's `citus.shard_count`), unless the database has a table of the
//! group already; the others are co-located with it. Tables that name no group are one, for each type of distribution key.
//!
//! - **Tables with rows** that are not distributed yet are distributed by `create_distributed_table_concurrently` where
//!   Citus can do that, so that others go on writing them. Where it can't, because of a foreign key to a table that is no
//!   reference table or for another reason, they are locked until the apply has ended, and the plan says so with the
//!   reason ([`Step::warning`]). To have it otherwise, remove the reason by hand: a foreign key that the entities want is
//!   made again.
//! - **What runs in no transaction** is that function alone. Those steps come when all else is committed, one by one; the
//!   foreign keys of the tables follow in a second transaction. Whatever ends an apply in between, the next one goes on
//!   from there.
//! - **Tables in the wrong place** (another distribution column, apart from their group, distributed and not a reference
//!   table, or the reverse) are drift. To move them writes all their rows anew, so it waits for
//!   [`Consent::redistribute`]. So do changes that Citus makes in no distributed table, such as adding a column that a
//!   sequence numbers, and the default of a new column that each copy of a reference table would evaluate to another
//!   value.
//! - **What Citus would refuse** is refused before anything is changed, with the fix: a unique key without the
//!   distribution column, a foreign key to or from a local table, triggers.
//! - **What all clients share** lies in the schema `shardwise`, which an apply makes and renews: the regions of nodes, and
//!   which reference table tells the home region of a tenant. That is the entity with an `#[entity(region)]` column and a
//!   key of one column, of the distribution key's type.
//!
//! Not compared: how many shards a table has, and on which nodes they are.
//!
//! Expressions in defaults and checks are read with the time zone UTC and the ISO date style, whatever the session's.

#[cfg(feature = "adopt")]
pub mod adopt;
mod advise;
mod apply;
mod batch;
#[cfg(feature = "cache")]
mod cache;
mod citus;
pub(crate) mod commands;
mod compare;
mod consent;
pub mod denormalized;
mod desk;
mod diff;
mod handle;
mod inspect;
mod json;
mod leader;
mod locks;
mod mover;
mod need;
pub(crate) mod numbers;
pub mod partitions;
pub mod placement;
mod plan;
mod planner;
mod policies;
pub mod rollups;
mod splits;
mod steps;
pub(crate) mod target;
pub mod views;
mod wanted;
mod wire;

pub use apply::{Done, Progress, Report};
#[cfg(feature = "cache")]
pub use cache::{CacheStatus, CachedEntity, Caches, RedisStatus};
pub(crate) use commands::difference;
pub use consent::Consent;
pub use diff::{Diff, Difference, Object, Side};
pub use handle::Admin;
pub use plan::{Plan, Refusal, Step, StepKind, Withheld};
pub(crate) use target::Target;
