//! Row level security: the roles, their rights, and a policy per distributed table and partition.
//!
//! A query of a partitioned table goes by the policies of the table that it names, one of a partition by those of the
//! partition. So each has them, and the roles have no rights on partitions besides. On Citus all of it is passed on to the
//! shards.

mod needs;
mod role;
mod state;

pub(super) use needs::{needs, of_new_table};
pub(super) use state::State;
