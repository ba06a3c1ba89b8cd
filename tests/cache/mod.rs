//! Rows that are kept: on real servers, with a real Redis.

mod by_hand;
mod consistency;
mod entities;
mod outages;
mod reads;
mod redis;
pub mod stage;
mod writes;
