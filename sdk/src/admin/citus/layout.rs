//! Where the entities want their tables, next to where they are. Pure.

use std::collections::BTreeMap;

use super::state::{Placement, State};
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::named_group;

/// The wanted tables in groups.
pub(super) struct Layout<'a> {
    wanted: &'a Wanted,
    /// All tables, each after those that its foreign keys point at; where they point in a circle, as the entities are
    /// given.
    order: Vec<&'a WantedTable>,
    groups: BTreeMap<GroupName<'a>, Group<'a>>,
}

/// Tables with keys of two types can't be co-located, whatever they name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupName<'a> {
    /// Schema and name of the table that the group is named after; `None` is the group of all that name nothing.
    root: Option<(&'a str, &'static str)>,
    key_type: &'a str,
}

pub(super) struct Group<'a> {
    /// In the order of the layout.
    pub(super) members: Vec<&'a WantedTable>,
    /// Citus's number of the group, where the database has a table of it that is distributed as it should be.
    pub(super) settled: Option<u32>,
}

/// What has to change about where a table's rows are.
pub(super) struct Drift {
    pub(super) wanted: String,
    pub(super) live: String,
}

impl<'a> Layout<'a> {
    pub(super) fn new(wanted: &'a Wanted, state: &State) -> Self {
        let mut layout = Self { wanted, order: in_foreign_key_order(wanted), groups: BTreeMap::new() };
        for &table in &layout.order {
            if let Some(name) = group_name(wanted, table) {
                let empty = || Group { members: Vec::new(), settled: None };
                layout.groups.entry(name).or_insert_with(empty).members.push(table);
            }
        }
        for (name, group) in &mut layout.groups {
            group.settled = settled(name, group, state);
        }
        layout
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &'a WantedTable> {
        self.order.iter().copied()
    }

    /// A distributed table's group.
    pub(super) fn group(&self, table: &'a WantedTable) -> Option<&Group<'a>> {
        self.groups.get(&group_name(self.wanted, table)?)
    }

    /// The groups, in the order of their first tables.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group<'a>> {
        let mut groups: Vec<&Group<'a>> = self.groups.values().collect();
        groups.sort_by_key(|group| self.order.iter().position(|&table| is_first(group, table)));
        groups.into_iter()
    }

    /// Whether the entities want the two in one group. Reference tables are in none.
    pub(super) fn are_co_located(&self, one: &'a WantedTable, other: &'a WantedTable) -> bool {
        group_name(self.wanted, one) == group_name(self.wanted, other)
    }

    /// `None` where the table is where it belongs.
    pub(super) fn drift(&self, table: &'a WantedTable, live: &Placement) -> Option<Drift> {
        let Some(wanted) = table.table.distribution_column() else {
            let wanted = "a reference table".to_owned();
            return (*live != Placement::Reference).then(|| Drift { wanted, live: describe(live, "") });
        };
        let settled = self.group(table).and_then(|group| group.settled);
        let is_there = match live {
            Placement::Distributed { column, group } => column == wanted && Some(*group) == settled,
            _ => false,
        };
        if is_there {
            return None;
        }
        let near = self.neighbour(table).map_or_else(String::new, |near| format!(", co-located with {}", near.label));
        let apart = match live {
            Placement::Distributed { column, .. } if column == wanted => ", in another group",
            _ => "",
        };
        Some(Drift { wanted: format!("distributed by {wanted}{near}"), live: describe(live, apart) })
    }

    /// The first other table of its group.
    fn neighbour(&self, table: &WantedTable) -> Option<&'a WantedTable> {
        let members = self.groups.values().find(|group| group.members.iter().any(|&other| is(other, table)));
        members?.members.iter().copied().find(|&other| !is(other, table))
    }
}

/// The differences in where tables are; those that are missing altogether are reported as such.
pub(super) fn compare(wanted: &Wanted, state: &State) -> Vec<Difference> {
    let layout = Layout::new(wanted, state);
    let drifted = wanted.tables.iter().filter_map(|table| {
        let live = state.table(&table.schema, &table.relation.name)?;
        let Drift { wanted, live: is } = layout.drift(table, &live.placement)?;
        let (side, live) = match live.placement {
            Placement::Local => (Side::Missing, None),
            _ => (Side::Different, Some(is)),
        };
        let owner = table.label.clone();
        Some(Difference { side, object: Object::Distribution, owner, name: String::new(), wanted: Some(wanted), live })
    });
    drifted.collect()
}

pub(super) fn is(one: &WantedTable, other: &WantedTable) -> bool {
    one.label == other.label
}

fn is_first(group: &Group<'_>, table: &WantedTable) -> bool {
    group.members.first().is_some_and(|first| is(first, table))
}

fn describe(placement: &Placement, more: &str) -> String {
    match placement {
        Placement::Local => "a local table".to_owned(),
        Placement::Known => "a local table that Citus knows".to_owned(),
        Placement::Reference => "a reference table".to_owned(),
        Placement::Distributed { column, .. } => format!("distributed by {column}{more}"),
        Placement::Otherwise => "distributed in another way than by the hash of a column".to_owned(),
    }
}

fn in_foreign_key_order(wanted: &Wanted) -> Vec<&WantedTable> {
    let mut order = Vec::with_capacity(wanted.tables.len());
    let mut seen = vec![false; wanted.tables.len()];
    for at in 0..wanted.tables.len() {
        visit(wanted, at, &mut seen, &mut order);
    }
    order
}

fn visit<'a>(wanted: &'a Wanted, at: usize, seen: &mut [bool], order: &mut Vec<&'a WantedTable>) {
    if std::mem::replace(&mut seen[at], true) {
        return;
    }
    let table = &wanted.tables[at];
    for target in table.table.foreign_keys.iter().filter_map(|key| wanted.of((key.target)())) {
        if let Some(at) = wanted.tables.iter().position(|other| is(other, target)) {
            visit(wanted, at, seen, order);
        }
    }
    order.push(table);
}

fn group_name<'a>(wanted: &'a Wanted, table: &'a WantedTable) -> Option<GroupName<'a>> {
    let column = table.table.distribution_column()?;
    let key_type = table.relation.column(column).map_or("", |column| column.base_type.as_str());
    let root = named_group(table.table, wanted.tables.len()).and_then(|root| wanted.of(root));
    Some(GroupName { root: root.map(|root| (root.schema.as_str(), root.table.name)), key_type })
}

/// The number that the group's own table has; else the one that most of its tables share, the first of several.
fn settled(name: &GroupName<'_>, group: &Group<'_>, state: &State) -> Option<u32> {
    let number = |table: &WantedTable| match &state.table(&table.schema, &table.relation.name)?.placement {
        Placement::Distributed { column, group } if Some(column.as_str()) == table.table.distribution_column() => {
            Some(*group)
        }
        _ => None,
    };
    let root = group.members.iter().find(|table| Some((table.schema.as_str(), table.table.name)) == name.root);
    let numbers: Vec<u32> = group.members.iter().filter_map(|table| number(table)).collect();
    let count = |number: u32| numbers.iter().filter(|&&other| other == number).count();
    let most = numbers.iter().map(|&number| count(number)).max();
    root.and_then(|root| number(root)).or_else(|| numbers.iter().copied().find(|&number| Some(count(number)) == most))
}
