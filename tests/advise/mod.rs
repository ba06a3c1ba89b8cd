//! What `advise` finds: each condition is made, seen, removed, and seen to be gone.

mod indexes;
mod levels;
mod placement;
mod servers;
mod stage;
mod statements;
mod tables;
