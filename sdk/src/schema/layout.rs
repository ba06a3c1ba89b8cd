//! What tells one layout of tables from another, in one number.

use super::Table;

/// What tells one layout of a table from another: its names and types, in order.
pub(crate) fn layout(table: &Table) -> u64 {
    let mut all = Fnv::new();
    for part in [table.schema.unwrap_or(""), table.name] {
        all.part(part.as_bytes());
    }
    for column in table.columns {
        let wire = column.wire.oid().to_le_bytes();
        for part in [
            column.name.as_bytes(),
            column.sql_type.as_bytes(),
            &wire,
            column.read.as_bytes(),
            &[u8::from(column.nullable)],
        ] {
            all.part(part);
        }
    }
    for key in table.primary_key {
        all.part(key.as_bytes());
    }
    all.0
}

/// The same of several tables, in any order.
pub(crate) fn layout_of_all(tables: &[&Table]) -> u64 {
    let mut layouts: Vec<u64> = tables.iter().map(|table| layout(table)).collect();
    layouts.sort_unstable();
    let mut all = Fnv::new();
    for layout in layouts {
        all.part(&layout.to_le_bytes());
    }
    all.0
}

/// FNV-1a, with a length behind each part. The same in all processes and versions, unlike the standard library's.
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn part(&mut self, bytes: &[u8]) {
        let length = bytes.len().to_le_bytes();
        for byte in bytes.iter().chain(&length) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.0
    }
}
