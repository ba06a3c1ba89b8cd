//! What a database needs next, as it grows: a level's checklist, what was found, and the next step. Pure: evidence in, advice out;
//! [`Admin::advise`](crate::admin::Admin::advise) reads the evidence.
//!
//! # Levels
//!
//! | level      | concurrent users  | its checklist, besides those of the levels before it                                          |
//! | ---------- | ----------------- | ---------------------------------------------------------------------------------------------- |
//! | small      | fewer than 1,000  | indexes, the application's pool, queries                                                        |
//! | medium     | fewer than 10,000 | a pooler such as PgBouncer, a replica for analytics, a cache in Redis, materialized views        |
//! | large      | fewer than 100,000 | several replicas, partitions, preparing for shards, regions                                    |
//! | enterprise | more              | shards, routing by region, routing of reads and writes, an analytics cluster                     |
//!
//! No server knows how many users there are. Where [`AdviceOptions::users`] does not say it, the level is the highest that any of
//! these gives; each is told with what it came from ([`Advice::signals`]):
//!
//! - **Sessions** of clients on all servers: 100, 1,000 and 10,000 are the bounds. Each has a user behind it, and behind a pool's there
//!   are more, so it is a lower bound.
//! - **Statements** per second, as users: [`AdviceOptions::statements_per_user`], 0.3, is a page every ten seconds that takes three.
//! - **Sizes** of the data: 100 GB, 1 TB and 10 TB; and a table of 100 million rows makes it large.
//!
//! # The path
//!
//! Queries and indexes → caching → a bigger machine → replicas → partitions → shards. What comes first costs less and is easier to
//! take back; the next step is the first that is due.

mod advice;
mod checklist;
mod display;
pub(crate) mod evidence;
mod figure;
mod findings;
mod judge;
mod level;
mod mask;
mod options;
mod path;
#[cfg(test)]
mod tests;
mod usage;

pub use advice::{Advice, Asked, Complexity, Cost, Finding, FindingKind, Item, Severity, State, Topic};
pub use figure::{Amount, Figure};
pub(crate) use judge::judge;
pub use level::{Level, Signal};
pub use options::AdviceOptions;
pub use path::{Rung, RungState, Step};
