//! Which SQL is safe for one tenant. What a program's literals say is checked when it is compiled (`literal`); a text that is
//! made at run time is checked once (`texts`). Both ask `shardwise_scope`.

mod literal;
mod texts;

pub(crate) use literal::Listed;
pub use literal::{Literal, check, listed};
pub(crate) use texts::{Text, Texts};
