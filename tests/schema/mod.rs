//! Plan, apply and diff on a real server.

mod apply;
mod build;
mod citus_adopt;
mod citus_catalog;
mod citus_layout;
mod citus_move;
mod citus_refuse;
mod destructive;
mod drift;
mod names;
mod partitions;
mod support;
mod validation;

use shardwise::admin::{Consent, Diff, Plan, Report};
use shardwise::schema::Table;
use shardwise::{__private::admin, Result};

use support::Database;

type Tables<'a> = &'a [&'static Table];

async fn plan(client: &mut Database, tables: Tables<'_>) -> Plan {
    try_plan(client, tables, &Consent::none()).await.unwrap()
}

async fn try_plan(client: &mut Database, tables: Tables<'_>, consent: &Consent) -> Result<Plan> {
    let target = client.target;
    admin::plan(client, target, tables, consent).await
}

async fn diff(client: &mut Database, tables: Tables<'_>) -> Diff {
    try_diff(client, tables).await.unwrap()
}

async fn try_diff(client: &mut Database, tables: Tables<'_>) -> Result<Diff> {
    let target = client.target;
    admin::diff(client, target, tables).await
}

async fn try_apply(client: &mut Database, tables: Tables<'_>, consent: &Consent) -> Result<Report> {
    let target = client.target;
    admin::apply(client, target, tables, consent, &mut |_| {}).await
}

async fn apply(client: &mut Database, tables: Tables<'_>) -> Report {
    try_apply(client, tables, &Consent::none()).await.unwrap()
}

async fn apply_with(client: &mut Database, tables: Tables<'_>, consent: &Consent) -> Report {
    try_apply(client, tables, consent).await.unwrap()
}

/// The database is what the tables say, seen from both sides.
async fn assert_same(client: &mut Database, tables: Tables<'_>) {
    let diff = diff(client, tables).await;
    assert!(diff.is_empty(), "{diff}");
    let plan = plan(client, tables).await;
    assert!(plan.is_empty() && plan.withheld().is_empty(), "{plan}");
}

fn lines(diff: &Diff) -> Vec<String> {
    diff.differences().iter().map(ToString::to_string).collect()
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.steps().iter().map(|step| step.title()).collect()
}
