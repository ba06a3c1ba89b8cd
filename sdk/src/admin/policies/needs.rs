//! What has to change until the database holds tenants to their rows. Pure.

use super::role;
use super::state::{LivePolicy, Piece, State};
use crate::admin::consent::Permission;
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::Session;
use crate::admin::need::{Act, Need};
use crate::admin::plan::{Refusal, Step, StepKind};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::policy::{self, ANALYTICS, OWNER, TENANT, Through};
use crate::schema::{Table, quote_ident, quote_qualified};

/// What a table's rows need no protection from is left to whoever grants it; these go around policies, or look behind them.
const AROUND: [&str; 4] = ["TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"];

/// All of it: the roles, the schemas, then table by table.
pub(in crate::admin) fn needs(session: &Session, wanted: &Wanted, state: &State) -> Vec<Need> {
    let mut needs: Vec<Need> = state.roles().flat_map(|(role, _)| role::needs(state, role)).collect();
    let mut schemas: Vec<&str> = wanted.tables.iter().map(|table| table.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    for schema in schemas {
        needs.extend(state.roles().filter_map(|(role, _)| usage(state, schema, role)));
    }
    for table in &wanted.tables {
        for place in places(session, state, table) {
            let holder = Holder { state, table: table.table, tenants_rows: table.tenants_rows.as_deref(), place };
            if table.table.distribution_column().is_some() {
                holder.protect(&mut needs);
            } else {
                holder.unprotect(&mut needs);
            }
            holder.rights(&mut needs);
        }
    }
    needs
}

fn usage(state: &State, schema: &str, role: &str) -> Option<Need> {
    let live = state.found.schemas.iter().find(|live| live.name == schema);
    if live.is_some_and(|live| live.users.iter().any(|user| user == role)) {
        return None;
    }
    let sql = policy::grant(&["USAGE"], &format!("SCHEMA {}", quote_ident(schema)), role);
    let act = Act::step(StepKind::Grant, format!("let {role} use the schema {schema}"), vec![sql]);
    let difference = live.map(|_| Difference {
        side: Side::Missing,
        object: Object::Grant,
        owner: format!("schema {schema}"),
        name: role.to_owned(),
        wanted: Some("USAGE".to_owned()),
        live: None,
    });
    Some(Need { difference, act })
}

/// A table or a partition.
struct Place<'a> {
    /// Its name in messages.
    label: String,
    /// Its name as SQL text.
    at: String,
    is_root: bool,
    /// `None` where it is made in the same plan.
    live: Option<&'a Piece>,
}

/// The table and its partitions: those that are there, or, of a table that is to be made, all. What is made later is protected
/// by whoever makes it.
fn places<'a>(session: &Session, state: &'a State, table: &WantedTable) -> Vec<Place<'a>> {
    let live = state.found.pieces.iter().filter(|piece| piece.is_of(&table.schema, table.table.name));
    let mut places: Vec<Place<'_>> = live
        .map(|piece| Place {
            label: session.label(&piece.schema, &piece.name),
            at: quote_qualified(Some(&piece.schema), &piece.name),
            is_root: piece.is_root(),
            live: Some(piece),
        })
        .collect();
    if places.is_empty() {
        let (label, at) = (table.label.clone(), table.table.qualified());
        places.push(Place { label, at, is_root: true, live: None });
        places.extend(table.partitions.iter().map(|span| Place {
            label: session.label(&table.schema, &span.name),
            at: quote_qualified(table.table.schema, &span.name),
            is_root: false,
            live: None,
        }));
    }
    places
}

/// What a table that is about to be made needs: a partition, so that nobody can reach its rows but through its table; or, as
/// `is_root`, such a table.
pub(in crate::admin) fn of_new_table(
    state: &State,
    table: &Table,
    label: &str,
    at: &str,
    is_root: bool,
) -> Vec<String> {
    let place = Place { label: label.to_owned(), at: at.to_owned(), is_root, live: None };
    let (holder, mut needs) = (Holder { state, table, tenants_rows: None, place }, Vec::new());
    holder.protect(&mut needs);
    holder.rights(&mut needs);
    // New tables may come with rights, by the schema's default privileges.
    let on = format!("TABLE {at}");
    let roles = state.roles().map(|(role, _)| policy::revoke(&["ALL"], &on, Some(role)));
    let public = policy::revoke(&["TRUNCATE", "REFERENCES", "TRIGGER"], &on, None);
    let wanted = needs.into_iter().filter_map(|need| match need.act {
        Act::Step(step) => Some(step.statements),
        Act::Allowed(..) | Act::Refusal(_) | Act::Unless { .. } | Act::Nothing => None,
    });
    roles.chain([public]).chain(wanted.flatten()).collect()
}

struct Holder<'a> {
    state: &'a State,
    table: &'a Table,
    /// The condition of the policy that holds roles to a tenant's rows, in the server's words.
    tenants_rows: Option<&'a str>,
    place: Place<'a>,
}

impl Holder<'_> {
    /// A distributed table: its rows are for their tenant alone.
    fn protect(&self, needs: &mut Vec<Need>) {
        let Place { label, at, live, .. } = &self.place;
        if let Some(need) = self.owner() {
            needs.push(need);
        }
        let (enabled, forced) = live.map_or((false, false), |live| (live.enabled, live.forced));
        let force = self.is_to_be_forced();
        let on = [(!enabled).then(|| policy::enable(at)), (force != forced).then(|| policy::force(at, force))];
        let on: Vec<String> = on.into_iter().flatten().collect();
        if !on.is_empty() {
            let describe = |enabled: bool, forced: bool| {
                let enabled = if enabled { "on" } else { "off" };
                format!("{enabled}, {}forced on the owner", if forced { "" } else { "not " })
            };
            let (wanted, is) = (describe(true, force), describe(enabled, forced));
            let difference = self.difference(Side::Different, Object::RowSecurity, "", Some(&wanted), Some(&is));
            let act = Act::step(StepKind::ProtectRows, format!("turn row level security of {label} on"), on);
            needs.push(Need { difference, act });
        }
        let wanted = self.wanted_policies();
        for (policy, sql) in &wanted {
            needs.extend(self.policy(policy, sql));
        }
        for policy in live.map_or(&[][..], |live| &live.policies) {
            if !wanted.iter().any(|(wanted, _)| wanted.name == policy.name) {
                needs.extend(self.unknown_policy(policy));
            }
        }
    }

    /// An owner can turn row level security off, and has all rights.
    fn owner(&self) -> Option<Need> {
        let live = self.place.live?;
        let (role, _) = self.state.roles().find(|(role, _)| *role == live.owner)?;
        let label = &self.place.label;
        let (wanted, is) = (format!("not owned by {role}"), format!("owned by {role}"));
        let act = Act::Refusal(Refusal {
            title: format!("{label} belongs to {role}, and row level security holds no owner"),
            fix: format!("give it to another role: ALTER TABLE {} OWNER TO …", self.place.at),
        });
        Some(Need {
            difference: self.difference(Side::Different, Object::RowSecurity, "", Some(&wanted), Some(&is)),
            act,
        })
    }

    /// The owner, and whether no policy holds it.
    fn its_owner(&self) -> (&str, bool) {
        let runner = &self.state.found.runner;
        let new = (runner.name.as_str(), runner.bypasses);
        self.place.live.map_or(new, |live| (live.owner.as_str(), live.owner_bypasses))
    }

    /// Not on Citus where the owner is an ordinary role: there it is the owner as whom Citus copies shards, and PostgreSQL
    /// takes no COPY from a role that row level security holds.
    fn is_to_be_forced(&self) -> bool {
        let (_, bypasses) = self.its_owner();
        bypasses || !self.state.is_citus
    }

    /// The policies as they should be, with the statement that makes each.
    fn wanted_policies(&self) -> Vec<(LivePolicy, String)> {
        let mut wanted = Vec::new();
        let mut push =
            |name: &str, role: &str, through: Through<'_>, command: &str, [using, check]: [Option<&str>; 2]| {
                let policy = LivePolicy {
                    name: name.to_owned(),
                    permissive: true,
                    command: command.to_owned(),
                    roles: vec![Some(role.to_owned())],
                    using: using.map(str::to_owned),
                    check: check.map(str::to_owned),
                };
                wanted.push((policy, policy::create(name, &self.place.at, Some(role), through)));
            };
        let column = self.table.distribution_column().and_then(|column| self.table.column(column));
        if let Some(column) = column {
            let condition = self.tenants_rows;
            push(TENANT, &self.state.application_role, Through::Tenant(column), "*", [condition, condition]);
        }
        if let (owner, false) = self.its_owner()
            && self.is_to_be_forced()
        {
            push(OWNER, owner, Through::All, "*", [Some("true"), Some("true")]);
        }
        if let Some(role) = &self.state.analytics_role {
            push(ANALYTICS, role, Through::AllToRead, "r", [Some("true"), None]);
        }
        wanted
    }

    fn policy(&self, wanted: &LivePolicy, sql: &str) -> Option<Need> {
        let Place { label, at, live, .. } = &self.place;
        let (name, live) = (&wanted.name, live.and_then(|live| live.policy(&wanted.name)));
        if live == Some(wanted) {
            return None;
        }
        let side = if live.is_some() { Side::Different } else { Side::Missing };
        let difference = self.difference(
            side,
            Object::Policy,
            name,
            Some(&wanted.to_string()),
            live.map(ToString::to_string).as_deref(),
        );
        let drop = live.map(|_| policy::drop(name, at));
        let statements = drop.into_iter().chain([sql.to_owned()]).collect();
        let act = Act::step(StepKind::ProtectRows, format!("{} for {label}", title(name)), statements);
        Some(Need { difference, act })
    }

    /// Ours that are not wanted any more go. Others stay until somebody allows to drop them, and are a difference where they
    /// show the application role more rows.
    fn unknown_policy(&self, live: &LivePolicy) -> Option<Need> {
        let Place { label, at, .. } = &self.place;
        let is_ours = [TENANT, OWNER, ANALYTICS].contains(&live.name.as_str());
        if !is_ours && !live.opens_to(&self.state.application_role) {
            return None;
        }
        let difference = self.difference(Side::Unknown, Object::Policy, &live.name, None, Some(&live.to_string()));
        let sql = vec![policy::drop(&live.name, at)];
        let title = format!("drop the policy {} of {label}", live.name);
        let act = if is_ours {
            Act::step(StepKind::ProtectRows, title, sql)
        } else {
            let title = format!("{title}, by which {} may reach other tenants' rows", self.state.application_role);
            let step = Box::new(Step::of(StepKind::DropPolicy, title, sql));
            Act::Allowed(Permission::DropPolicy(label.clone(), live.name.clone()), step)
        };
        Some(Need { difference, act })
    }

    /// A reference table that was a distributed one: no policy would let anybody read it.
    fn unprotect(&self, needs: &mut Vec<Need>) {
        let Place { label, at, live, .. } = &self.place;
        let Some(policy) = live.and_then(|live| live.policy(TENANT)) else { return };
        let difference = self.difference(Side::Unknown, Object::Policy, TENANT, None, Some(&policy.to_string()));
        let live = live.map_or(&[][..], |live| &live.policies);
        let ours = live.iter().filter(|policy| [TENANT, OWNER, ANALYTICS].contains(&policy.name.as_str()));
        let mut statements: Vec<String> = ours.map(|policy| policy::drop(&policy.name, at)).collect();
        statements.push(policy::disable(at));
        let title = format!("turn row level security of {label} off: its rows are no tenant's");
        needs.push(Need { difference, act: Act::step(StepKind::ProtectRows, title, statements) });
    }

    /// What the roles may do with the rows. With partitions nothing: who reads the table reads them.
    fn rights(&self, needs: &mut Vec<Need>) {
        let Place { label, at, is_root, live } = &self.place;
        let on = format!("TABLE {at}");
        for (role, wanted) in self.state.roles() {
            let wanted: &[&str] = match (is_root, self.table.rollup) {
                (false, _) => &[],
                // Its triggers write it, with the rights of their function's owner.
                (true, Some(_)) => &["SELECT"],
                (true, None) => wanted,
            };
            let has: Vec<&str> = live.iter().flat_map(|live| live.rights(Some(role))).collect();
            let lacks: Vec<&str> = wanted.iter().copied().filter(|right| !has.contains(right)).collect();
            let excess: Vec<&str> = has.into_iter().filter(|right| !wanted.contains(right)).collect();
            if !lacks.is_empty() {
                let list = lacks.join(", ");
                let difference = self.difference(Side::Missing, Object::Grant, role, Some(&list), None);
                let sql = vec![policy::grant(&lacks, &on, role)];
                needs.push(Need {
                    difference,
                    act: Act::step(StepKind::Grant, format!("let {role} {list} {label}"), sql),
                });
            }
            needs.extend(self.excess(Some(role), &excess));
        }
        let public =
            live.iter().flat_map(|live| live.rights(None)).filter(|right| AROUND.contains(right)).collect::<Vec<_>>();
        needs.extend(self.excess(None, &public));
        for sequence in live.iter().flat_map(|live| &live.sequences).filter(|sequence| !sequence.usable) {
            let (role, name) = (&self.state.application_role, quote_qualified(Some(&sequence.schema), &sequence.name));
            let object = format!("sequence {}", sequence.name);
            let sql = vec![policy::grant(&["USAGE"], &format!("SEQUENCE {name}"), role)];
            let difference = Some(Difference {
                side: Side::Missing,
                object: Object::Grant,
                owner: object.clone(),
                name: role.clone(),
                wanted: Some("USAGE".to_owned()),
                live: None,
            });
            needs.push(Need {
                difference,
                act: Act::step(StepKind::Grant, format!("let {role} use the {object}"), sql),
            });
        }
    }

    fn excess(&self, role: Option<&str>, rights: &[&str]) -> Option<Need> {
        if rights.is_empty() {
            return None;
        }
        let (who, list) = (role.unwrap_or("PUBLIC"), rights.join(", "));
        let difference = self.difference(Side::Unknown, Object::Grant, who, None, Some(&list));
        let sql = vec![policy::revoke(rights, &format!("TABLE {}", self.place.at), role)];
        let title = format!("no longer let {who} {list} {}", self.place.label);
        Some(Need { difference, act: Act::step(StepKind::Grant, title, sql) })
    }

    /// None for what is not there yet.
    fn difference(
        &self,
        side: Side,
        object: Object,
        name: &str,
        wanted: Option<&str>,
        live: Option<&str>,
    ) -> Option<Difference> {
        self.place.live?;
        let [wanted, live] = [wanted, live].map(|text| text.map(str::to_owned));
        Some(Difference { side, object, owner: self.place.label.clone(), name: name.to_owned(), wanted, live })
    }
}

fn title(policy: &str) -> &'static str {
    match policy {
        TENANT => "show the application role one tenant's rows",
        OWNER => "show the owner all rows",
        _ => "show the role for analytics all rows",
    }
}

impl std::fmt::Display for LivePolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let command = match self.command.as_str() {
            "r" => "SELECT",
            "a" => "INSERT",
            "w" => "UPDATE",
            "d" => "DELETE",
            _ => "ALL",
        };
        let roles: Vec<&str> = self.roles.iter().map(|role| role.as_deref().unwrap_or("PUBLIC")).collect();
        let kind = if self.permissive { "" } else { "RESTRICTIVE " };
        write!(f, "{kind}FOR {command} TO {}", roles.join(", "))?;
        if let Some(using) = &self.using {
            write!(f, " USING ({using})")?;
        }
        match &self.check {
            Some(check) => write!(f, " WITH CHECK ({check})"),
            None => Ok(()),
        }
    }
}
