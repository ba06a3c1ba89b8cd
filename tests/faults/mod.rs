//! All that happens to servers and networks, while services go on writing: what was acknowledged is kept outside of the database
//! and held against it afterwards. Nothing may be lost, be there twice or in parts, or be there although it was refused.
//!
//! Each fault prints a line of figures that begins with `FAULT`. `ci/soak` strikes with them for as long as one likes.

mod between;
pub mod clock;
mod disk;
pub mod ledger;
mod limits;
mod network;
mod process;
mod servers;
mod soak;
mod stage;
pub mod writers;
