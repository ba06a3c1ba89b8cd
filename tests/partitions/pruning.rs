//! Which partitions the statements of the SDK look into.

use jiff::ToSpan;
use shardwise::{Uuid, sql};

use super::stage::{Stage, bound, name, noon};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![reads_of_a_time_look_into_its_partition_alone];
