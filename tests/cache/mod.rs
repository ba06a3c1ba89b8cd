//! Rows that are kept: on real servers, with a real Redis.

mod by_hand;
mod consistency;
mod outages;
mod reads;
mod redis;
mod stage;
mod writes;
