//! `route KEY`: where a tenant's statements go, and why.

use serde::Serialize;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::key::KeyArgument;
use super::output::Answer;
use super::screen::{Screen, Table, or_dash};
use crate::config::Mode;
use crate::session::{RouteExplanation, Stop};

/// `route`.
#[derive(clap::Args)]
pub(super) struct Command {
    #[command(flatten)]
    key: KeyArgument,
}

/// The key with what is told of it.
#[derive(Serialize)]
struct Told {
    key: String,
    mode: Mode,
    #[serde(flatten)]
    explanation: RouteExplanation,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let cluster = context.cluster().await?;
        let key = self.key.read(context, &cluster.topology())?;
        let (text, explanation) = (key.to_string(), cluster.explain_route(key).await?);
        let is_refused = explanation.refusal.is_some();
        context.answer(&Told { key: text, mode: cluster.mode(), explanation })?;
        Ok(if is_refused { Exit::Found } else { Exit::Fine })
    }
}

impl Answer for Told {
    fn show(&self, screen: &mut Screen) {
        let Self { key, mode, explanation } = self;
        screen.line(format!("key          {key} ({})", explanation.key_type));
        screen.line(format!("mode         {mode}"));
        if let Some(hash) = explanation.hash {
            let by = if explanation.is_hashed_here { "" } else { ", by the server" };
            screen.line(format!("hash         {hash}{by}"));
        }
        screen.line(format!("region       {}", or_dash(explanation.region)));
        screen.line(format!("home region  {}", or_dash(explanation.home_region)));
        screen.line(format!("residency    {}", explanation.residency.as_str()));
        screen.line(format!("from         {}", or_dash(explanation.local_region)));
        let mut shards = Table::new(["#group", "#shard", "hashes", "owner", "region", "tables"]);
        for shard in &explanation.shards {
            let hashes = shard.min.zip(shard.max).map(|(min, max)| format!("{min} to {max}"));
            shards.row([
                shard.colocation.to_string(),
                or_dash(shard.shard),
                or_dash(hashes),
                or_dash(shard.owner.as_deref()),
                or_dash(shard.region),
                shard.tables.join(", "),
            ]);
        }
        if !explanation.shards.is_empty() {
            screen.gap();
        }
        screen.table(shards);
        if let Some(refusal) = &explanation.refusal {
            screen.gap();
            screen.line(format!("nothing is sent: {refusal}"));
        }
        stops(screen, "reads", &explanation.reads);
        stops(screen, "writes", &explanation.writes);
        for node in &explanation.unreachable {
            screen.line(format!("{} can't be reached: {}", node.node, node.error));
        }
    }
}

fn stops(screen: &mut Screen, what: &str, stops: &[Stop]) {
    if stops.is_empty() {
        return;
    }
    let mut table = Table::new(["#try", "node", "role", "region", "route", "#round trip", "why"]);
    for (number, stop) in (1_u32..).zip(stops) {
        let pooled = if stop.is_pooled { "; through a pooler in transaction mode" } else { "" };
        table.row([
            number.to_string(),
            stop.node.clone(),
            stop.role.as_str().to_owned(),
            or_dash(stop.region),
            stop.route.to_string(),
            or_dash(stop.round_trip_us.map(|micros| format!("{micros} µs"))),
            format!("{}{pooled}", stop.why),
        ]);
    }
    screen.gap();
    screen.line(format!("{what}, in this order:"));
    screen.table(table);
}
