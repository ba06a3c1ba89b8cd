//! Which distributed tables belong together.

use super::{Colocation, Kind, Table};

/// The table that a distributed table's co-location group is named after; `None` is the group of all that name nothing.
/// `most` is how many tables there are.
pub(crate) fn named_group(mut table: &Table, most: usize) -> Option<&Table> {
    // Each step goes to another table, so more steps than tables are a circle.
    for _ in 0..=most {
        match table.kind {
            Kind::Distributed { colocated_with: Colocation::With(target), .. } => table = target(),
            Kind::Distributed { colocated_with: Colocation::Own, .. } => return Some(table),
            Kind::Distributed { colocated_with: Colocation::Default, .. } | Kind::Reference => return None,
        }
    }
    Some(table)
}
