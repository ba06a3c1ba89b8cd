//! The tests are in `integration.rs`; a package needs a target of its own as well.
