//! A second cluster that is kept equal to the old database until services use it: [`Shadow`].
//!
//! The old database is one PostgreSQL; the new one is a Citus cluster, or another PostgreSQL, with the same tables, empty. Rows are copied
//! while they are written, and what services write is brought over by logical replication: nobody has to change a service, and the old side
//! is what counts until the [cut-over](Shadow::cut_over).
//!
//! **The copy.** A replication slot tells all changes from its beginning on. Rows are read in pieces in the order of their keys, without
//! locks, each piece by a snapshot of its own. What a snapshot sees and what is in the log are told apart by the numbers of transactions:
//! a piece is written where all that its snapshot sees is applied, without the rows that were changed by what it does not see. So
//! after each transaction a row on the new side is what it was on the old side at that place of the log, or is still to be read. That is what
//! Netflix' DBLog does with watermarks in the log; watermarks alone are not enough here, for PostgreSQL writes a transaction to its log before
//! others see it, and for as long as a synchronous standby takes.
//!
//! **Once.** Each transaction on the new side has the place in the log up to which it goes, so that whatever dies at any time goes on without
//! a change lost or made twice. The slot is moved on behind that, and never past a transaction that others may not see yet.
//!
//! **Exact.** Values go as texts that the types' own output functions write and their input functions read, with all digits of floats and
//! times in UTC. What is stored apart from its row and was not changed is not in the log: it stays as it is on the new side, and where
//! the row goes elsewhere it is taken from there.
//!
//! **On the new side** neither triggers nor foreign keys fire (`session_replication_role`): what they have done came to the log of the old
//! side. So the order of tables is of no matter.
//!
//! **The cut-over** has writers wait by locks on the tables, which are given up and asked for again rather than waited for. In the
//! transaction that holds them each table gets a trigger that refuses writes with SQLSTATE 25006. It counts from the moment in which
//! the locks are given back, so the old side never takes a write after that. If the process dies before, there is neither lock nor
//! trigger; if it dies behind, [`Shadow::roll_back`] opens the old side again, or another cut-over goes on. The point of no return is when
//! `switch` is called.
//!
//! **Reads** are compared by a [`Mirror`], which a service links.
//!
//! Not brought over: changes of the schema, sequences before the cut-over, large objects, and rows that go with a partition that is dropped
//! or detached. A table needs a unique key of NOT NULL columns that both sides have, and that the log names (its replica identity).

mod check;
mod checksum;
mod close;
mod copying;
mod cut_over;
mod engine;
mod follow;
mod gather;
mod handle;
mod journal;
mod line;
mod lsn;
mod mirror;
mod obstacle;
mod pgoutput;
mod plan;
mod recent;
mod sequences;
mod spelling;
mod table;
mod verify;
mod writer;

pub use cut_over::{CutOver, CutOverOptions};
pub use handle::{Shadow, Status};
pub use journal::State;
pub use lsn::Lsn;
pub use mirror::{Mirror, MirrorExample, MirrorReport, MirroredRead, RawValue};
pub use obstacle::Obstacle;
pub use table::ShadowTable;
pub use verify::{Checksum, How, RowDifference, TableCheck, TenantDifference, Verification, VerifyOptions};
