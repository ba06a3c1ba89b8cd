//! Puts the shadow in the source's place.

use super::shadow::Shadow;
use super::source::Source;
use super::{NEW, OLD, mirror};
use crate::admin::locks::{self, Mode};
use crate::admin::partitions::ground::{CHECK, Ground, Parent};
use crate::error::Result;
use crate::schema::{Generated, quote_ident, quote_literal, quote_qualified};

/// The source's name becomes the shadow's. Those who wait for the lock find the new table when they have it: PostgreSQL looks
/// the name up again.
pub(super) async fn table(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let schema = quote_ident(&source.schema);
    let new = quote_qualified(Some(&source.schema), &source.name);
    let old = quote_qualified(Some(OLD), &source.name);
    let mut statements = mirror::end(&source.at);
    // Rollups follow the new table from here on. What the copy was written is in them already; and it has what its columns follow.
    let followers = &source.facts.followers;
    statements
        .extend(followers.iter().map(|one| format!("DROP TRIGGER {} ON {}", quote_ident(&one.trigger), source.at)));
    // The old table must not keep rows of others from being deleted.
    let keys = parent.relation.constraints.iter().filter(|constraint| constraint.is_foreign_key());
    statements.extend(keys.map(|key| format!("ALTER TABLE {} DROP CONSTRAINT {}", source.at, quote_ident(&key.name))));
    // A sequence goes with the table that it belongs to, and would be dropped with it. Its numbers are for the new one from here on.
    let sequences = &source.facts.sequences;
    statements.extend(sequences.iter().map(|(sequence, _)| format!("ALTER SEQUENCE {sequence} OWNED BY NONE")));
    statements.push(format!("ALTER TABLE {} SET SCHEMA {OLD}", source.at));
    statements.push(format!("ALTER TABLE {} SET SCHEMA {schema}", shadow.at));
    for name in shadow.spans.iter().map(|span| &span.name).chain([&shadow.default]) {
        statements.push(format!("ALTER TABLE {} SET SCHEMA {schema}", Shadow::part(name)));
    }
    let own = |(sequence, column): &(String, String)| {
        format!("ALTER SEQUENCE {sequence} OWNED BY {new}.{}", quote_ident(column))
    };
    statements.extend(sequences.iter().map(own));
    for span in &shadow.spans {
        let part = quote_qualified(Some(&source.schema), &span.name);
        statements.push(format!("ALTER TABLE {part} DROP CONSTRAINT {}", quote_ident(CHECK)));
    }
    for column in parent.def.columns.iter().filter(|column| column.generated == Some(Generated::Identity)) {
        let sequence = |table: &str| {
            format!("pg_catalog.pg_get_serial_sequence({}, {})", quote_literal(table), quote_literal(column.name))
        };
        statements.push(format!(
            "SELECT pg_catalog.setval({}, pg_catalog.nextval({}), false)",
            sequence(&new),
            sequence(&old)
        ));
    }
    statements.extend(followers.iter().map(|one| one.definition.replacen(" ON %s ", &format!(" ON {new} "), 1)));
    statements.extend(followers.iter().filter_map(|one| {
        let comment = quote_literal(one.comment.as_ref()?);
        Some(format!("COMMENT ON TRIGGER {} ON {new} IS {}", quote_ident(&one.trigger), comment.trim_start()))
    }));
    statements.extend(clear(parent, source));
    let change = locks::Change {
        title: format!("put the partitioned copy in the place of {}", source.at),
        targets: parent.targets(Mode::AccessExclusive),
        own: parent.closed_with(std::slice::from_ref(&shadow.at)),
        still: Some(mirror::is_on(&source.at)),
        statements: ground.target.server().allow_triggers(statements),
    };
    ground.change(&change).await
}

/// The shadow's partitions become the parent's, its default partition in place of the source. No row is looked at: the
/// partitions bear a CHECK of their bounds, and the foreign keys of the parent. The source goes, with rows that are all in the
/// others.
pub(super) fn default(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> locks::Change {
    let schema = quote_ident(&source.schema);
    let mut statements = mirror::end(&source.at);
    statements.push(format!("ALTER TABLE {} DETACH PARTITION {}", parent.at, source.at));
    statements.push(format!("DROP TABLE {}", source.at));
    let spans = shadow.spans.iter().map(|span| (&span.name, Some(span.bounds)));
    for (name, bounds) in spans.chain([(&shadow.default, None)]) {
        let part = quote_qualified(Some(&source.schema), name);
        statements.push(format!("ALTER TABLE {} DETACH PARTITION {}", shadow.at, Shadow::part(name)));
        statements.push(format!("ALTER TABLE {} SET SCHEMA {schema}", Shadow::part(name)));
        statements.push(parent.attach(name, bounds));
        if bounds.is_some() {
            statements.push(format!("ALTER TABLE {part} DROP CONSTRAINT {}", quote_ident(CHECK)));
        }
    }
    statements.push(format!("DROP TABLE {}", shadow.at));
    statements.extend(clear(parent, source));
    locks::Change {
        title: format!("put partitions in the place of the rows of {}", source.at),
        targets: parent.targets(Mode::AccessExclusive),
        own: parent.closed_with(&[source.at.clone(), shadow.at.clone()]),
        still: Some(mirror::is_on(&source.at)),
        statements: ground.target.server().allow_triggers(statements),
    }
}

/// What nobody needs any more.
fn clear(parent: &Parent, source: &Source) -> Vec<String> {
    let mut statements = mirror::clear(parent);
    statements.push(format!("DELETE FROM {NEW}.conversions WHERE source = {}", quote_literal(&source.at)));
    statements
}
