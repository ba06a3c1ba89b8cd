//! A festival platform on shardwise: the service, and a player that loads it over HTTP and checks its books.

pub mod books;
pub mod load;
pub mod model;
pub mod play;
pub mod process;
pub mod service;
