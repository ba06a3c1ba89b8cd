//! Which views join tenants' tables otherwise than by the tenant's key. Pure: by the checker's word, and never more than that.

use shardwise_scope::{Analysis, ConditionSite, Sites, analyse, sites};

use super::rewrite::{ident, rewrite};
use super::statement::{Spelling, Statement};
use super::tables::{Known, Role, Tables};
use super::verdict::needed;
use super::words::{Style, Writer};
use crate::admin::adopt::catalog::Name;
use crate::admin::adopt::inspection::Inspection;

/// Those of which the checker sees it, each with its query as it would be with the key in each join.
pub(in crate::admin::adopt) fn joined_otherwise(inspection: &Inspection) -> Vec<(Name, String)> {
    let tables = Tables::of(inspection);
    let views = inspection.catalog.views.iter();
    views.filter_map(|view| Some((view.name.clone(), with_joins(&view.definition, &tables)?))).collect()
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
    let (needed, _) = needed(&statement, &plan, tables)?;
    let tenant = plan.tenant.clone();
    let joins = plan.that_join(&needed, |place| outer_key(place, &analysis, &sites, &known));
    (!joins.is_empty()).then(|| statement.with(&joins, &tenant, &tables.key.column).1)
}

/// The key of a tenants' table further out, where the condition that a subquery has names a column of it.
fn outer_key(place: &ConditionSite, analysis: &Analysis, sites: &Sites, known: &[&Known]) -> Option<String> {
    let ConditionSite::And { condition, scope, .. } = place else { return None };
    let is_outer = |relation: usize| {
        let at = &analysis.relations[relation].at;
        sites.tables.iter().any(|site| site.at == *at) && !(scope.start <= at.start && at.end <= scope.end)
    };
    let named = analysis.columns.iter().filter(|one| condition.start <= one.at.start && one.at.end <= condition.end);
    let outer = named.filter_map(|one| one.of.as_slice().first().copied().filter(|_| one.of.len() == 1));
    let (relation, key) =
        outer.filter(|relation| is_outer(*relation)).find_map(|one| Some((one, known[one].key.as_deref()?)))?;
    Some(format!("{}.{}", ident(&analysis.relations[relation].called), ident(key)))
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
            ("SELECT a.what FROM audit a, migrations m", None),
        ] {
            assert_eq!(with_joins(query, &tables).as_deref(), wanted, "{query}");
        }
    }
}
