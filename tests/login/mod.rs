//! Who gets in, and by which proof: passwords and where they come from, certificates of both sides, channel binding.

mod between;
mod certificates;
mod channel_binding;
mod libpq;
mod passwords;
pub mod server;

pub use server::permit;
