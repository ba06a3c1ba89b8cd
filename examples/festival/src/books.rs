//! Checks the books: what the database holds against itself, and against what the service told its clients.

use std::collections::HashMap;
use std::fmt;

use futures_util::TryStreamExt;
use shardwise::entity::Distributed;
use shardwise::{Cluster, Uuid, unscoped_sql};

use crate::load::ledger::{Acknowledged, Entry};
use crate::model::{Order, OrderState, Stand, Ticket, TicketState, Transaction, TransactionKind, Wallet};

/// Why rows of all festivals are read.
const WHY: &str = "checking the books";

/// What the audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What does not add up; empty when the books balance.
    pub problems: Vec<String>,
    /// Rows that a tenant saw of another one.
    pub leaks: u64,
    /// Days of festivals whose rollup differs from what the transactions add up to.
    pub rollup_differences: i64,
}

impl Findings {
    /// Whether all money, tickets and acknowledged operations are accounted for.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.problems.is_empty()
    }

    fn none(&mut self, count: i64, what: &str) {
        if count != 0 {
            self.problems.push(format!("{count} {what}"));
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

/// Audits the whole database, and in it what was acknowledged.
///
/// # Errors
/// When the database can't be asked.
pub async fn audit(cluster: &Cluster, acknowledged: &Acknowledged) -> shardwise::Result<Findings> {
    let mut findings = Findings::default();
    wallets(cluster, &mut findings).await?;
    orders(cluster, &mut findings).await?;
    tickets(cluster, &mut findings).await?;
    days(cluster, &mut findings).await?;
    findings.problems.extend(acknowledged.contradictions.iter().cloned());
    promises(cluster, acknowledged, &mut findings).await?;
    tenants(cluster, &mut findings).await?;
    Ok(findings)
}

/// Every wallet's balance is the sum of its transactions, and none is negative.
async fn wallets(cluster: &Cluster, findings: &mut Findings) -> shardwise::Result<()> {
    let (unbalanced, negative) = cluster
        .across_shards(WHY)
        .query_one_as(unscoped_sql!(
            "SELECT count(*) FILTER (WHERE w.balance <> coalesce(t.total, 0)), count(*) FILTER (WHERE w.balance < 0)
             FROM wallets w LEFT JOIN
                 (SELECT festival_id, wallet_id, sum(amount) AS total FROM transactions GROUP BY 1, 2) t
                 ON t.festival_id = w.festival_id AND t.wallet_id = w.id",
        ))
        .await?;
    findings.none(unbalanced, "wallets have a balance that is not the sum of their transactions");
    findings.none(negative, "wallets are below zero");
    Ok(())
}

/// Every order was paid once with its price, and given back once if it is refunded, else never.
async fn orders(cluster: &Cluster, findings: &mut Findings) -> shardwise::Result<()> {
    let (wrong,) = cluster
        .across_shards(WHY)
        .query_one_as(unscoped_sql!(
            "SELECT count(*)
             FROM orders o LEFT JOIN
                 (SELECT festival_id, order_id,
                         count(*) FILTER (WHERE kind = :payment) AS payments,
                         count(*) FILTER (WHERE kind = :refund) AS refunds,
                         sum(amount) AS net
                  FROM transactions WHERE order_id IS NOT NULL GROUP BY 1, 2) t
                 ON t.festival_id = o.festival_id AND t.order_id = o.id
             WHERE coalesce(t.payments, 0) <> 1
                OR t.refunds <> CASE WHEN o.state = :refunded THEN 1 ELSE 0 END
                OR t.net <> CASE WHEN o.state = :refunded THEN 0 ELSE -o.amount END",
            payment = TransactionKind::Payment,
            refund = TransactionKind::Refund,
            refunded = OrderState::Refunded,
        ))
        .await?;
    findings.none(wrong, "orders were not paid once, or not refunded as they say");
    Ok(())
}

/// A ticket is scanned exactly if it says when and where.
async fn tickets(cluster: &Cluster, findings: &mut Findings) -> shardwise::Result<()> {
    let (wrong,) = cluster
        .across_shards(WHY)
        .query_one_as(unscoped_sql!(
            "SELECT count(*) FROM tickets
             WHERE (state = :scanned) <> (scanned_at IS NOT NULL) OR (state = :scanned) <> (gate IS NOT NULL)",
            scanned = TicketState::Scanned,
        ))
        .await?;
    findings.none(wrong, "tickets don't agree with themselves on whether they were scanned");
    Ok(())
}

/// Each day of each festival is what its transactions add up to: no day more, and none less.
async fn days(cluster: &Cluster, findings: &mut Findings) -> shardwise::Result<()> {
    let (differing,) = cluster
        .across_shards(WHY)
        .query_one_as(unscoped_sql!(
            "SELECT count(*)
             FROM festival_daily_stats s FULL JOIN
                 (SELECT festival_id, (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS transactions,
                         coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS credits,
                         coalesce(sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS debits
                  FROM transactions GROUP BY 1, 2) t
                 ON t.festival_id = s.festival_id AND t.day = s.day
             WHERE (s.transactions, s.credits, s.debits) IS DISTINCT FROM (t.transactions, t.credits, t.debits)",
        ))
        .await?;
    findings.rollup_differences = differing;
    findings.none(differing, "days of festivals are not what their transactions add up to");
    Ok(())
}

/// What was acknowledged is there, once and as acknowledged; and the wallets of this run hold nothing else.
async fn promises(cluster: &Cluster, acknowledged: &Acknowledged, findings: &mut Findings) -> shardwise::Result<()> {
    let mut missing: HashMap<Uuid, Entry> = acknowledged.transactions.clone();
    for (&id, promised) in &acknowledged.festivals {
        let fest = cluster.tenant(id).await?;
        let mut entries = fest.select::<Transaction>().stream().await?;
        while let Some(entry) = entries.try_next().await? {
            let found = Entry { festival_id: entry.festival_id, wallet_id: entry.wallet_id, amount: entry.amount };
            match missing.remove(&entry.id) {
                Some(promise) if promise == found => {}
                Some(_) => findings.problems.push(format!("transaction {} is not as acknowledged", entry.id)),
                // Another run's, on a database that was played on before.
                None if !promised.wallets.contains(&entry.wallet_id) => {}
                None => findings.problems.push(format!("transaction {} was never acknowledged", entry.id)),
            }
        }
        let orders = fest.get_many::<Order>(&promised.orders).await?;
        findings.none(lacking(promised.orders.len(), orders.len()), "acknowledged orders are not there");
        let ids: Vec<Uuid> = promised.tickets.keys().copied().collect();
        let tickets = fest.get_many::<Ticket>(&ids).await?;
        findings.none(lacking(ids.len(), tickets.len()), "acknowledged tickets are not there");
        let scanned = |ticket: &Ticket| (ticket.state == TicketState::Scanned) == (promised.tickets[&ticket.id] > 0);
        let wrong = tickets.iter().filter(|ticket| !scanned(ticket)).count();
        findings.none(lacking(wrong, 0), "tickets are not scanned as acknowledged");
    }
    findings.none(lacking(missing.len(), 0), "acknowledged transactions are not there");
    Ok(())
}

fn lacking(expected: usize, found: usize) -> i64 {
    i64::try_from(expected.abs_diff(found)).unwrap_or(i64::MAX)
}

/// Every row that a tenant sees is its own, and it sees all of its own.
async fn tenants(cluster: &Cluster, findings: &mut Findings) -> shardwise::Result<()> {
    let all = cluster.across_shards(WHY);
    let festivals: Vec<(Uuid,)> = all.query_as(unscoped_sql!("SELECT id FROM festivals")).await?;
    let counts: Vec<(Uuid, String, i64)> = all
        .query_as(unscoped_sql!(
            "SELECT festival_id, 'Stand', count(*) FROM stands GROUP BY 1
             UNION ALL SELECT festival_id, 'Wallet', count(*) FROM wallets GROUP BY 1
             UNION ALL SELECT festival_id, 'Order', count(*) FROM orders GROUP BY 1
             UNION ALL SELECT festival_id, 'Transaction', count(*) FROM transactions GROUP BY 1
             UNION ALL SELECT festival_id, 'Ticket', count(*) FROM tickets GROUP BY 1",
        ))
        .await?;
    let counts: HashMap<_, _> = counts.into_iter().map(|(id, entity, count)| ((id, entity), count)).collect();
    for (id,) in festivals {
        rows::<Stand>(cluster, id, &counts, findings).await?;
        rows::<Wallet>(cluster, id, &counts, findings).await?;
        rows::<Order>(cluster, id, &counts, findings).await?;
        rows::<Transaction>(cluster, id, &counts, findings).await?;
        rows::<Ticket>(cluster, id, &counts, findings).await?;
    }
    Ok(())
}

/// Holds what a tenant sees of an entity against the number of rows that there are, by festival and entity.
async fn rows<E>(
    cluster: &Cluster,
    id: Uuid,
    counts: &HashMap<(Uuid, String), i64>,
    findings: &mut Findings,
) -> shardwise::Result<()>
where
    E: Distributed<DistributionKey = Uuid>,
{
    let entity = E::table().entity;
    let expected = counts.get(&(id, entity.to_owned())).copied().unwrap_or(0);
    let mut rows = cluster.tenant(id).await?.select::<E>().stream().await?;
    let (mut own, mut strangers) = (0, 0);
    while let Some(row) = rows.try_next().await? {
        if *row.distribution_key() == id { own += 1 } else { strangers += 1 }
    }
    findings.leaks += strangers;
    if own != expected {
        findings.problems.push(format!("festival {id} sees {own} of its {expected} rows of {entity}"));
    }
    Ok(())
}
