//! Brings a database to the schema of its entities: `plan` tells what would change, `apply` changes it, `diff` tells
//! what differs, in both directions.
//!
//! - **Exact.** What the entities want is made once as temporary tables, in a transaction that is rolled back, and read
//!   from the same catalogs as the live schema. Two spellings of one expression are no difference. The role needs the
//!   right TEMPORARY on the database (every role has it unless it was revoked), for `plan` and `diff` as well.
//! - **Once.** Applies to one database take turns by an advisory lock, so any number of services may start at once;
//!   each looks anew when it is its turn.
//! - **All or nothing.** An apply is one transaction. The one exception are new labels of an enum type that a later
//!   step of the same plan uses: PostgreSQL wants them committed first, so they are.
//! - **Nothing is lost.** What the entities don't know is left alone, unless a [`Consent`] names it. What they need and
//!   what could lose data or stop writers for long (a type, a primary key) is refused until a consent names it.
//! - **Not alone.** Tables that no entity has are no drift: another service's entities may have them.
//!
//! Expressions in defaults and checks are read with the time zone UTC and the ISO date style, whatever the session's.

mod apply;
mod citus;
pub(crate) mod commands;
mod compare;
mod consent;
mod diff;
mod handle;
mod inspect;
pub mod placement;
mod plan;
mod planner;
pub(crate) mod target;
mod wanted;

pub use apply::{Done, Progress, Report};
pub use consent::Consent;
pub use diff::{Diff, Difference, Object, Side};
pub use handle::Admin;
pub use plan::{Plan, Refusal, Step, StepKind, Withheld};
pub(crate) use target::Target;
