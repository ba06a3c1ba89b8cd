//! What becomes of an application's statements once its tables are distributed.

// For now.
#![allow(dead_code)]

mod fingerprint;
mod literals;
mod statement;
mod words;
