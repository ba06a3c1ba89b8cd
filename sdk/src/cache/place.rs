//! Where an entry is kept: keys that no other row, tenant or release of the schema has.
//!
//! `prefix:database:{layout:entity:tenant}:key`, and without a key the *family*, all rows of an entity that one tenant has.
//! In braces stands what a Redis Cluster spreads by: a family is on one node, and one command can ask about all of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::schema::Fnv;

/// All rows of an entity that one tenant has; of a reference entity, all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Family {
    name: Box<[u8]>,
    pub(super) hash: u64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(super) name: Box<[u8]>,
    pub(super) hash: u64,
    pub(super) family: Family,
}

impl Family {
    /// `layout` comes first and is of one length: it belongs to one entity, so that no two families share a name, whatever
    /// stands in the tenant's key.
    pub(super) fn new(root: &str, layout: u64, what: &str, tenant: &str) -> Self {
        let name = format!("{root}{{{layout:016x}:{what}:{tenant}}}").into_bytes();
        Self { hash: hash(&name), name: name.into() }
    }

    /// The key under which its generation is kept.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The entry with this key, which is any bytes.
    pub(crate) fn place(&self, key: &[u8]) -> Place {
        let mut name = Vec::with_capacity(self.name.len() + 1 + key.len().div_ceil(3) * 4);
        name.extend_from_slice(&self.name);
        name.push(b':');
        let mut text = String::with_capacity(key.len().div_ceil(3) * 4);
        URL_SAFE_NO_PAD.encode_string(key, &mut text);
        name.extend_from_slice(text.as_bytes());
        Place { hash: hash(&name), name: name.into(), family: self.clone() }
    }
}

/// The same in all processes and versions, unlike the standard library's.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut all = Fnv::new();
    all.part(bytes);
    all.get()
}

#[cfg(test)]
mod tests {
    use super::Family;

    #[test]
    fn families_and_keys_don_t_share_names() {
        let names = [
            Family::new("p:db:", 1, "wallets", "a"),
            Family::new("p:db:", 1, "wallets", "a:b"),
            Family::new("p:db:", 2, "wallets", "a"),
            Family::new("p:db:", 1, "wallets", "a}:YQ"),
        ];
        let mut all: Vec<Vec<u8>> = names.iter().map(|family| family.name().to_vec()).collect();
        for family in &names {
            all.extend([&b""[..], b"a", b"a}", &[0, 255]].map(|key| family.place(key).name.to_vec()));
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(String::from_utf8_lossy(&names[0].place(b"key").name), "p:db:{0000000000000001:wallets:a}:a2V5");
    }
}
