//! Which views join tenants' tables otherwise than by the tenant's key. Pure: by the checker's word, and never more than that.

use shardwise_scope::{Analysis, ConditionSite, Sites, analyse, sites};

use super::rewrite::{Condition, ident, rewrite};
use super::statement::{Spelling, Statement};
use super::tables::{Known, Role, Tables};
use super::verdict;
use super::words::{Kind, Style, Writer, tokens};
use crate::admin::adopt::catalog::Name;
use crate::admin::adopt::inspection::Inspection;

/// Those of which the checker sees it, each with its query as it is within a tenant: with the key in each join.
pub(in crate::admin::adopt) fn joined_otherwise(inspection: &Inspection) -> Vec<(Name, String)> {
    let tables = Tables::of(inspection);
    let views = inspection.catalog.views.iter();
    views.filter_map(|view| Some((view.name.clone(), on_one_line(&with_joins(&view.definition, &tables)?)))).collect()
}

/// What is in quotation marks stays as it is.
fn on_one_line(query: &str) -> String {
    let mut line = String::with_capacity(query.len());
    for token in tokens(query, Writer::Server) {
        match token.kind {
            Kind::Blank if line.ends_with(' ') => {}
            Kind::Blank => line.push(' '),
            _ => line.push_str(token.text),
        }
    }
    line.trim().to_owned()
}

fn with_joins(query: &str, tables: &Tables) -> Option<String> {
    let query = query.trim().trim_end_matches(';');
    let statement =
        Statement::read(query, &[], Writer::Program { percent_binds: false }, Spelling::Like(Style::Dollar));
    let (analysis, sites) = (analyse(&statement.named).ok()?, sites(&statement.named).ok()?);
    let find = |one: &shardwise_scope::Relation| tables.find(one.schema.as_deref(), &one.name);
    let known: Vec<&Known> = analysis.relations.iter().map(find).collect::<Option<_>>()?;
    if !known.iter().all(|known| matches!(known.role, Role::Tenants | Role::Shared)) {
        return None;
    }
    // What holds all of it to one tenant, but for naming the tenant.
    let plan = rewrite(&analysis, &sites, &known, tables);
    let (needed, _) = verdict::needed(&statement, &plan, tables)?;
    let tenant = plan.tenant.clone();
    let joins = plan.that_join(&needed, |condition| partner(condition, &analysis, &sites, &known));
    (!joins.is_empty()).then(|| statement.with(&joins, &tenant, &tables.key.column).1)
}

/// The key of the tenants' table that a condition joins its own table with, where that is one of a query further out, or its own is
/// joined from outside.
fn partner(condition: &Condition, analysis: &Analysis, sites: &Sites, known: &[&Known]) -> Option<String> {
    let ConditionSite::And { condition: place, .. } = &condition.place else { return None };
    let site = |relation: usize| sites.tables.iter().find(|site| site.at == analysis.relations[relation].at);
    let own = site(condition.relation)?;
    let is_partner = |other: usize| {
        other != condition.relation && site(other).is_some_and(|site| site.query != own.query || own.is_optional)
    };
    let named = analysis.columns.iter().filter(|one| place.start <= one.at.start && one.at.end <= place.end);
    let mut others = named.filter_map(|one| one.of.first().copied().filter(|_| one.of.len() == 1));
    let key = |other: usize| {
        Some(format!("{}.{}", ident(&analysis.relations[other].called), ident(known[other].key.as_deref()?)))
    };
    others.find_map(|other| key(other).filter(|_| is_partner(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::adopt::check::samples::{FESTIVALS, inspected};

    #[test]
    fn the_key_comes_into_joins_that_lack_it_and_nowhere_else() {
        let tables = Tables::of(&inspected(FESTIVALS, ("festivals", "id"), "festival_id"));
        for (query, wanted) in [
            ("SELECT name FROM stands", None),
            ("SELECT s.name, u.email FROM staff f JOIN users u ON u.id = f.user_id", None),
            ("SELECT s.name FROM staff f JOIN stands s ON s.id = f.stand_id AND s.festival_id = f.festival_id;", None),
            (
                "SELECT s.name, count(f.id) FROM stands s LEFT JOIN staff f ON f.stand_id = s.id GROUP BY s.id, s.name",
                Some(
                    "SELECT s.name, count(f.id) FROM stands s LEFT JOIN staff f ON f.stand_id = s.id AND f.festival_id = s.festival_id GROUP BY s.id, s.name",
                ),
            ),
            (
                "SELECT s.name, (SELECT count(*) FROM staff f WHERE f.stand_id = s.id) FROM stands s WHERE s.name = 'bar'",
                Some(
                    "SELECT s.name, (SELECT count(*) FROM staff f WHERE f.stand_id = s.id AND f.festival_id = s.festival_id) FROM stands s WHERE s.name = 'bar'",
                ),
            ),
            (
                "SELECT s.name, f.id FROM stands s RIGHT JOIN staff f ON f.stand_id = s.id",
                Some(
                    "SELECT s.name, f.id FROM stands s RIGHT JOIN staff f ON f.stand_id = s.id AND s.festival_id = f.festival_id",
                ),
            ),
            (
                "SELECT u.email, s.name FROM users u LEFT JOIN staff f ON f.user_id = u.id LEFT JOIN stands s ON s.id = f.stand_id",
                Some(
                    "SELECT u.email, s.name FROM users u LEFT JOIN staff f ON f.user_id = u.id LEFT JOIN stands s ON s.id = f.stand_id AND s.festival_id = f.festival_id",
                ),
            ),
            (
                "SELECT 1 FROM stands s, staff f WHERE f.stand_id = s.id",
                Some("SELECT 1 FROM stands s, staff f WHERE f.stand_id = s.id AND f.festival_id = s.festival_id"),
            ),
            ("SELECT a.what FROM audit a, migrations m", None),
        ] {
            assert_eq!(with_joins(query, &tables).as_deref(), wanted, "{query}");
        }
    }

    #[test]
    fn constants_keep_their_blanks() {
        assert_eq!(on_one_line("SELECT\n   E'a\n  b', \"x  y\"\n  FROM t"), "SELECT E'a\n  b', \"x  y\" FROM t");
    }
}
