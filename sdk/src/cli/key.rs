//! A tenant's key as an argument.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::context::Context;
use super::failure::Failure;
use super::words::listed;
use crate::admin::placement::TenantKey;
use crate::entity::Schema;
use crate::key::KeyType;
use crate::schema::Table;
use crate::topology::Topology;

/// A tenant's key.
#[derive(clap::Args)]
pub(super) struct KeyArgument {
    /// The tenant's key
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The key's type, where the entities and the cluster leave it open
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    key_type: Option<Type>,
}

/// The type of a distribution key, by its name in DDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Type {
    /// uuid
    Uuid,
    /// smallint
    Smallint,
    /// integer
    Integer,
    /// bigint
    Bigint,
    /// text
    Text,
}

impl From<Type> for KeyType {
    fn from(key_type: Type) -> Self {
        match key_type {
            Type::Uuid => Self::Uuid,
            Type::Smallint => Self::Int2,
            Type::Integer => Self::Int4,
            Type::Bigint => Self::Int8,
            Type::Text => Self::Text,
        }
    }
}

impl KeyArgument {
    /// The key, of the type that is given, else of that which the entities have, else of that which the cluster's tables have.
    pub(super) fn read(&self, context: &Context, topology: &Topology) -> Result<TenantKey, Failure> {
        read(&self.key, self.key_type.map(KeyType::from), context.schema(), topology)
    }
}

fn read(text: &str, asked: Option<KeyType>, schema: &Schema, topology: &Topology) -> Result<TenantKey, Failure> {
    let of_entities = || schema.tables().iter().filter_map(|table| type_of(table)).collect();
    let of_cluster = || topology.shard_maps().iter().filter_map(|map| map.key()).collect();
    let types: Vec<KeyType> = match asked {
        Some(asked) => vec![asked],
        None => Some(of_entities()).filter(|types: &Vec<_>| !types.is_empty()).unwrap_or_else(of_cluster),
    };
    let names = || types.iter().map(|key| key.as_str()).collect::<BTreeSet<_>>();
    let mut keys: Vec<TenantKey> = types.iter().filter_map(|key| TenantKey::parse(text, *key)).collect();
    keys.sort();
    keys.dedup();
    // Any key is a text: that is meant where it can be nothing else.
    if keys.len() > 1 {
        keys.retain(|key| key.key_type() != KeyType::Text);
    }
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(Failure::usage(format!(
            "the key can be of several types that there are ({}): say which with --type",
            listed(names())
        ))),
        (None, _) if types.is_empty() => {
            Err(Failure::usage("neither entities nor tables tell the type of keys: say it with --type"))
        }
        (None, _) => {
            Err(Failure::usage(format!("the key is no {}: check it, or say its type with --type", listed(names()))))
        }
    }
}

/// The key of a tenant of this table.
pub(super) fn of_table(text: &str, table: &Table) -> Result<TenantKey, Failure> {
    type_of(table)
        .and_then(|key| TenantKey::parse(text, key))
        .ok_or_else(|| Failure::usage(format!("--tenant: what is given is no key of a tenant of {}", table.name)))
}

/// The type of an entity's distribution key.
pub(super) fn type_of(table: &Table) -> Option<KeyType> {
    KeyType::of_postgres(table.column(table.distribution_column()?)?.wire.name())
}

#[cfg(test)]
mod tests {
    use super::{KeyType, Schema, TenantKey, Topology, read};
    use crate::topology::Node;

    #[test]
    fn a_key_is_of_the_type_that_is_said_or_that_fits() {
        let topology = Topology::single(Node::single("localhost".to_owned(), 5432, None), []);
        let read = |text: &str, asked| read(text, asked, &Schema::new(), &topology);
        assert_eq!(read("7", Some(KeyType::Int8)).ok(), Some(TenantKey::Int8(7)));
        assert_eq!(read("-7", Some(KeyType::Int2)).ok(), Some(TenantKey::Int2(-7)));
        assert_eq!(read("7", Some(KeyType::Text)).ok(), Some(TenantKey::Text("7".to_owned())));
        for (text, asked, fix) in [
            ("x", Some(KeyType::Uuid), "no uuid"),
            ("70000", Some(KeyType::Int2), "no smallint"),
            ("7", None, "--type"),
        ] {
            let failure = read(text, asked).expect_err(fix).to_string();
            assert!(failure.contains(fix) && !failure.contains("70000"), "{failure}");
        }
    }
}
