//! Nothing but tests lives here: see `integration.rs` and `ui.rs`.
