//! Names of constraints, indexes and partitions: PostgreSQL's own conventions, so that a table made by hand and one
//! made from an entity are called the same.

use super::{ForeignKey, Index, Table, Unique};

/// PostgreSQL cuts longer names off without an error.
pub(crate) const MAX_BYTES: usize = 63;

pub(crate) fn primary_key(table: &Table) -> String {
    object_name(table.name, &[], "pkey")
}

pub(crate) fn unique(table: &Table, unique: &Unique) -> String {
    unique.name.map_or_else(|| object_name(table.name, unique.columns, "key"), str::to_owned)
}

pub(crate) fn index(table: &Table, index: &Index) -> String {
    let columns: Vec<&str> = index.columns.iter().map(|column| column.name).collect();
    index.name.map_or_else(|| object_name(table.name, &columns, "idx"), str::to_owned)
}

pub(crate) fn foreign_key(table: &Table, key: &ForeignKey) -> String {
    object_name(table.name, &key.columns(table), "fkey")
}

/// The `nth` check (from 0) of a column: `_check`, `_check1`…
pub(crate) fn check(table: &Table, column: &str, nth: usize) -> String {
    let label = if nth == 0 { "check".to_owned() } else { format!("check{nth}") };
    object_name(table.name, &[column], &label)
}

/// `suffix` tells the partition's interval: `2024_01`.
pub(crate) fn partition(table: &Table, suffix: &str) -> String {
    object_name(table.name, &[], suffix)
}

/// Of what belongs to a table or view as a whole: `name_label`.
pub(crate) fn object(name: &str, label: &str) -> String {
    object_name(name, &[], label)
}

/// `table_column_…_label`. What would be longer than a name can be is cut and gets a hash of the whole, so that two
/// long names with one beginning stay two.
fn object_name(table: &str, columns: &[&str], label: &str) -> String {
    let mut stem = table.to_owned();
    for column in columns {
        stem.push('_');
        stem.push_str(column);
    }
    if stem.len() + 1 + label.len() <= MAX_BYTES {
        return format!("{stem}_{label}");
    }
    let tail = format!("_{:08x}_{label}", fnv1a(stem.as_bytes()));
    let mut end = MAX_BYTES - tail.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &stem[..end])
}

/// A hash that is the same in every build and on every platform: names made today must be found tomorrow.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_postgresqls_own() {
        assert_eq!(object_name("wallets", &[], "pkey"), "wallets_pkey");
        assert_eq!(object_name("wallets", &["user_id"], "fkey"), "wallets_user_id_fkey");
        assert_eq!(object_name("wallets", &["festival_id", "slug"], "key"), "wallets_festival_id_slug_key");
        assert_eq!(object_name("transactions", &[], "2024_01"), "transactions_2024_01");
    }

    #[test]
    fn long_names_are_cut_at_a_character_and_stay_apart() {
        let column = "ß".repeat(30);
        let one = object_name("wallets", &[&column, "a"], "key");
        let other = object_name("wallets", &[&column, "b"], "key");
        assert!(one.len() <= MAX_BYTES && other.len() <= MAX_BYTES, "{one} {other}");
        assert_ne!(one, other);
        assert!(one.ends_with("_key"));
        assert_eq!(one, object_name("wallets", &[&column, "a"], "key"));
    }

    #[test]
    fn the_longest_short_name_is_left_alone() {
        let table = "t".repeat(MAX_BYTES - "_pkey".len());
        assert_eq!(object_name(&table, &[], "pkey"), format!("{table}_pkey"));
        assert_eq!(object_name(&format!("{table}t"), &[], "pkey").len(), MAX_BYTES);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
    }
}
