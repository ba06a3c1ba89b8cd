//! Which SQL is safe for one tenant. What a program's literals say is checked when it is compiled (`literal`); a text that is
//! made at run time is checked once (`texts`). Both ask `shardwise_scope`.

mod literal;
mod texts;

pub use literal::{Literal, check};
pub(crate) use texts::{Text, Texts};
