//! How nodes are written as JSON.

use std::sync::Arc;

use serde::{Serialize as _, Serializer};

use crate::topology::Node;

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
