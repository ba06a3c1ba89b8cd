//! Compares what the entities want with what the database has. Pure: both are values.

use super::citus;
use super::diff::{Diff, Difference, Object, Side};
use super::inspect::{Column, Live, Relation, Session, Source};
use super::wanted::{Wanted, WantedTable};
use crate::schema::Enumeration;
use crate::schema::partition::Span;

/// All differences.
pub(super) fn compare(session: &Session, wanted: &Wanted, live: &Live) -> Diff {
    let mut found = Found(Vec::new());
    let mut schemas: Vec<&str> = wanted.tables.iter().map(|table| table.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    for schema in schemas {
        if !live.around.schemas.contains(schema) {
            found.push(Side::Missing, Object::Schema, "", schema, None, None);
        }
    }
    for enumeration in &wanted.enums {
        match live.around.enums.get(enumeration.name) {
            Some(labels) => found.labels(enumeration, labels),
            None => {
                let labels = Some(enumeration.labels.join(", "));
                found.push(Side::Missing, Object::Enum, enumeration.name, "", labels, None);
            }
        }
    }
    for table in &wanted.tables {
        match live.relation(&table.schema, &table.relation.name) {
            Some(relation) => found.table(table, relation),
            None => found.push(Side::Missing, Object::Table, &table.label, "", None, None),
        }
    }
    if let Some(state) = &live.citus {
        found.0.extend(citus::compare(wanted, state));
    }
    let unmanaged = live.around.unmanaged.iter().map(|(schema, name)| session.label(schema, name)).collect();
    Diff { differences: found.0, unmanaged }
}

struct Found(Vec<Difference>);

impl Found {
    fn push(
        &mut self,
        side: Side,
        object: Object,
        owner: &str,
        name: &str,
        wanted: Option<String>,
        live: Option<String>,
    ) {
        self.0.push(Difference { side, object, owner: owner.to_owned(), name: name.to_owned(), wanted, live });
    }

    fn labels(&mut self, enumeration: &Enumeration, live: &[String]) {
        let owner = enumeration.name;
        for label in enumeration.labels {
            if !live.iter().any(|known| known == label) {
                self.push(Side::Missing, Object::Label, owner, label, None, None);
            }
        }
        for label in live {
            if !enumeration.labels.contains(&label.as_str()) {
                self.push(Side::Unknown, Object::Label, owner, label, None, None);
            }
        }
        let common = |label: &&str| live.iter().any(|known| known == label) && enumeration.labels.contains(label);
        let ours: Vec<&str> = enumeration.labels.iter().copied().filter(common).collect();
        let theirs: Vec<&str> = live.iter().map(String::as_str).filter(common).collect();
        if ours != theirs {
            let (ours, theirs) = (Some(ours.join(", ")), Some(theirs.join(", ")));
            self.push(Side::Different, Object::Enum, owner, "", ours, theirs);
        }
    }

    fn table(&mut self, wanted: &WantedTable, live: &Relation) {
        let owner = &wanted.label;
        if !live.is_table() {
            let live = Some("not a table".to_owned());
            return self.push(Side::Different, Object::Table, owner, "", Some("a table".to_owned()), live);
        }
        let keys = [&wanted.relation, live].map(|relation| relation.partition_key.clone());
        let [ours, theirs] = keys.map(|key| key.unwrap_or_else(|| "none".to_owned()));
        let same_partitioning = ours == theirs;
        if !same_partitioning {
            self.push(Side::Different, Object::Partitioning, owner, "", Some(ours), Some(theirs));
        }
        for column in &wanted.relation.columns {
            match live.column(&column.name) {
                Some(other) => self.column(owner, column, other),
                None => {
                    let text = Some(describe(column));
                    self.push(Side::Missing, Object::Column, owner, &column.name, text, None);
                }
            }
        }
        for column in &live.columns {
            if wanted.relation.column(&column.name).is_none() {
                self.push(Side::Unknown, Object::Column, owner, &column.name, None, Some(describe(column)));
            }
        }
        self.constraints(owner, &wanted.relation, live);
        self.indexes(owner, &wanted.relation, live);
        if same_partitioning {
            for span in &wanted.partitions {
                self.partition(owner, span, live);
            }
        }
    }

    fn column(&mut self, owner: &str, wanted: &Column, live: &Column) {
        let name = &wanted.name;
        let other_type = wanted.sql_type != live.sql_type;
        if other_type {
            let types = (Some(wanted.sql_type.clone()), Some(live.sql_type.clone()));
            self.push(Side::Different, Object::Type, owner, name, types.0, types.1);
        }
        if wanted.not_null != live.not_null {
            let [ours, theirs] = [wanted, live].map(|column| Some(nullability(column).to_owned()));
            self.push(Side::Different, Object::Nullability, owner, name, ours, theirs);
        }
        match (wanted.source(), live.source()) {
            (ours, theirs) if ours == theirs => {}
            (Source::Nothing, Source::Default(live)) => {
                self.push(Side::Unknown, Object::Default, owner, name, None, Some(live));
            }
            (Source::Default(wanted), Source::Nothing) => {
                self.push(Side::Missing, Object::Default, owner, name, Some(wanted), None);
            }
            // A changed type sets the default anew, and until then its text has the old type in it.
            (Source::Default(_), Source::Default(_)) if other_type => {}
            (Source::Default(wanted), Source::Default(live)) => {
                self.push(Side::Different, Object::Default, owner, name, Some(wanted), Some(live));
            }
            (ours, theirs) => {
                let (ours, theirs) = (Some(ours.to_string()), Some(theirs.to_string()));
                self.push(Side::Different, Object::Generation, owner, name, ours, theirs);
            }
        }
    }

    fn constraints(&mut self, owner: &str, wanted: &Relation, live: &Relation) {
        let object = |foreign: bool| if foreign { Object::ForeignKey } else { Object::Constraint };
        let parts = |relation: &Relation| {
            let part = |constraint: &super::inspect::Constraint| Part {
                object: object(constraint.is_foreign_key()),
                name: constraint.name.clone(),
                definition: constraint.definition(),
                // There is one at most, so it is the same thing under any name.
                sole: constraint.is_primary_key(),
            };
            relation.constraints.iter().map(part).collect()
        };
        self.parts(owner, parts(wanted), parts(live));
    }

    fn indexes(&mut self, owner: &str, wanted: &Relation, live: &Relation) {
        let parts = |relation: &Relation| {
            let part = |index: &super::inspect::Index| Part {
                object: Object::Index,
                name: index.name.clone(),
                definition: index.definition.clone(),
                sole: false,
            };
            relation.indexes.iter().map(part).collect()
        };
        self.parts(owner, parts(wanted), parts(live));
    }

    /// Pairs by name first, then by definition: one of another name does its work as well, so it is no difference.
    fn parts(&mut self, owner: &str, wanted: Vec<Part>, mut live: Vec<Part>) {
        let mut unpaired = Vec::new();
        for part in wanted {
            match live.iter().position(|other| part.object == other.object && part.name == other.name) {
                Some(at) => self.part(owner, part, live.remove(at)),
                None => unpaired.push(part),
            }
        }
        for part in unpaired {
            let same = |other: &Part| part.object == other.object && part.definition == other.definition;
            match live.iter().position(|other| same(other) || (part.sole && other.sole)) {
                Some(at) => self.part(owner, part, live.remove(at)),
                None => self.push(Side::Missing, part.object, owner, &part.name, Some(part.definition), None),
            }
        }
        for part in live {
            self.push(Side::Unknown, part.object, owner, &part.name, None, Some(part.definition));
        }
    }

    fn part(&mut self, owner: &str, wanted: Part, live: Part) {
        if wanted.definition != live.definition {
            let (ours, theirs) = (Some(wanted.definition), Some(live.definition));
            // By the live name: that is the one that a consent and a DROP have to say.
            self.push(Side::Different, wanted.object, owner, &live.name, ours, theirs);
        }
    }

    fn partition(&mut self, owner: &str, span: &Span, live: &Relation) {
        let ranges = || live.partitions.iter().filter_map(|partition| Some((partition, partition.bounds()?)));
        if ranges().any(|(_, bounds)| bounds.covers(&span.bounds)) {
            return;
        }
        let wanted = Some(span.bounds.to_string());
        match ranges().find(|(_, bounds)| bounds.overlaps(&span.bounds)) {
            Some((other, _)) => {
                let live = Some(format!("overlapped by {}", other.name));
                self.push(Side::Different, Object::Partition, owner, &span.name, wanted, live);
            }
            None => self.push(Side::Missing, Object::Partition, owner, &span.name, wanted, None),
        }
    }
}

/// A constraint or an index.
struct Part {
    object: Object,
    name: String,
    definition: String,
    sole: bool,
}

fn nullability(column: &Column) -> &'static str {
    if column.not_null { "NOT NULL" } else { "NULL" }
}

fn describe(column: &Column) -> String {
    match column.source() {
        Source::Nothing => format!("{} {}", column.sql_type, nullability(column)),
        Source::Default(default) => format!("{} {} default {default}", column.sql_type, nullability(column)),
        source => format!("{} {} {source}", column.sql_type, nullability(column)),
    }
}
