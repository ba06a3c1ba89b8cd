//! A festival platform on shardwise: the service, and a player that loads it over HTTP and checks its books.

pub mod acts;
pub mod books;
pub mod database;
pub mod extras;
pub mod load;
pub mod model;
pub mod play;
pub mod process;
pub mod report;
pub mod service;
