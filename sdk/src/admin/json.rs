//! How what the commands tell is written as JSON.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize as _, Serializer};

use crate::topology::Node;

/// A time in whole milliseconds, which the field's name says: `took_ms`.
pub(super) fn millis<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(took.as_millis())
}

// `serialize_with` passes the field by reference.
#[expect(clippy::ref_option, reason = "serde's signature")]
pub(super) fn some_millis<S: Serializer>(took: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match took {
        Some(took) => millis(took, serializer),
        None => serializer.serialize_none(),
    }
}

/// A node by its address, `host:port`.
#[expect(clippy::ref_option, reason = "serde's signature")]
pub(super) fn address<S: Serializer>(node: &Option<Arc<Node>>, serializer: S) -> Result<S::Ok, S::Error> {
    match node {
        Some(node) => serializer.collect_str(node),
        None => serializer.serialize_none(),
    }
}

/// A node with all that is known of it.
pub(super) fn node<S: Serializer>(node: &Arc<Node>, serializer: S) -> Result<S::Ok, S::Error> {
    node.serialize(serializer)
}
