//! The SDK's own tables on Citus: what all clients of a cluster have to agree on.

/// Makes the schema `shardwise`. For the coordinator; running it again changes nothing.
pub(crate) const CREATE: &str = include_str!("catalog.sql");
