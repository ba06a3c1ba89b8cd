//! Denormalised columns: whoever writes, a row has what it follows.

mod adopt;
mod drift;
mod follow;
mod load;
mod policy;
mod stage;
