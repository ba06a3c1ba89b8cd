//! Plays a plan against a service, and notes down what the service says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shardwise::Uuid;

use super::client::{Answer, Client, Request};
use super::ledger::{Entry, Ledger};
use super::lineup::Listed;
use super::plan::{Action, Mishap, Operation, Plan};
use super::slot::Slot;
use super::stats::{Outcome, Stats};

/// What goes on between the plan and the service.
#[derive(Debug)]
pub struct Player {
    client: Client,
    lineup: Vec<Listed>,
    // Makes names and keys of this run differ from those of others on the same database.
    run: Uuid,
    /// What was acknowledged.
    pub ledger: Ledger,
    festivals: Vec<Slot<Uuid>>,
    stands: Vec<Slot<Uuid>>,
    visitors: Vec<Visitor>,
    orders: Vec<Slot<Uuid>>,
    // Of the first operation that is not in the plan: each number is one operation's.
    next_number: AtomicUsize,
}

#[derive(Debug)]
struct Visitor {
    user: Slot<Uuid>,
    wallet: Slot<Uuid>,
    ticket: Slot<Uuid>,
}

impl Player {
    /// A player of this plan.
    #[must_use]
    pub fn new(client: Client, lineup: Vec<Listed>, plan: &Plan) -> Self {
        let visitor = || Visitor { user: Slot::new(), wallet: Slot::new(), ticket: Slot::new() };
        Self {
            client,
            run: Uuid::new_v4(),
            ledger: Ledger::default(),
            festivals: Slot::many(lineup.len()),
            stands: Slot::many(plan.stands),
            visitors: std::iter::repeat_with(visitor).take(plan.visitors).collect(),
            orders: Slot::many(plan.payments),
            next_number: AtomicUsize::new(plan.operations.len()),
            lineup,
        }
    }

    /// Plays all operations, so many at once.
    pub async fn play(self: &Arc<Self>, operations: Vec<Operation>, at_once: usize, stats: &Arc<Stats>) {
        let started = operations.into_iter().enumerate().map(|(number, operation)| {
            let (player, stats) = (Arc::clone(self), Arc::clone(stats));
            tokio::spawn(async move { player.play_one(number, operation, &stats).await })
        });
        stream::iter(started)
            .buffer_unordered(at_once)
            .for_each(async |ended| {
                if let Err(error) = ended {
                    stats.ended("player", Outcome::Failed(error.to_string()));
                }
            })
            .await;
    }

    /// Plays one more operation, which is not in the plan.
    pub async fn play_another(&self, operation: Operation, stats: &Stats) {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.play_one(number, operation, stats).await;
    }

    async fn play_one(&self, number: usize, operation: Operation, stats: &Stats) {
        let kind = operation.action.name();
        let outcome = self.act(number, &operation, stats).await;
        let outcome = outcome.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        // Whoever waits for what a failed operation should have made is told that it will not come.
        if !matches!(outcome, Outcome::Done) {
            self.give_up(&operation.action);
        }
        stats.ended(kind, outcome);
    }

    /// The id of the festival at this place in the line-up; None where it could not be created.
    pub async fn festival_id(&self, festival: usize) -> Option<Uuid> {
        self.festivals[festival].get().await
    }

    fn give_up(&self, action: &Action) {
        match *action {
            Action::OpenStand { stand } => self.stands[stand].fill(None),
            Action::Register { visitor } => self.visitors[visitor].user.fill(None),
            Action::OpenWallet { visitor } => self.visitors[visitor].wallet.fill(None),
            Action::IssueTicket { visitor } => self.visitors[visitor].ticket.fill(None),
            Action::Pay { payment: Some(payment), .. } => self.orders[payment].fill(None),
            // An operation whose festival is missing has nothing to do: the one that should have made it failed already.
            Action::CreateFestival
            | Action::TopUp { .. }
            | Action::Pay { payment: None, .. }
            | Action::Refund { .. }
            | Action::Scan { .. }
            | Action::Balance { .. }
            | Action::History { .. }
            | Action::Revenue { .. } => {}
        }
    }

    async fn act(&self, number: usize, operation: &Operation, stats: &Stats) -> anyhow::Result<Outcome> {
        if operation.action == Action::CreateFestival {
            let created = self.create_festival(operation.festival, stats).await;
            self.festivals[operation.festival].fill(created.as_ref().ok().copied());
            return created.map(|_| Outcome::Done);
        }
        let festival_id = self.festival_id(operation.festival).await.context("the festival is missing")?;
        let stage = Stage { player: self, number, operation, festival_id, stats };
        match operation.action {
            Action::CreateFestival => Ok(Outcome::Done),
            Action::OpenStand { stand } => stage.open_stand(stand).await,
            Action::Register { visitor } => stage.register(visitor).await,
            Action::OpenWallet { visitor } => stage.open_wallet(visitor).await,
            Action::IssueTicket { visitor } => stage.issue_ticket(visitor).await,
            Action::TopUp { visitor, amount } => stage.top_up(visitor, amount).await,
            Action::Pay { visitor, stand, payment, amount } => stage.pay(visitor, stand, payment, amount).await,
            Action::Refund { ref payments } => stage.refund(payments).await,
            Action::Scan { visitor } => stage.scan(visitor).await,
            Action::Balance { visitor } => stage.balance(visitor).await,
            Action::History { visitor } => stage.history(visitor).await,
            Action::Revenue { stand } => stage.revenue(stand).await,
        }
    }

    async fn create_festival(&self, festival: usize, stats: &Stats) -> anyhow::Result<Uuid> {
        let Listed { slug, name, city, country, region, .. } = &self.lineup[festival];
        let body = json!({"slug": slug, "name": name, "city": city, "country": country, "region": region});
        let mut answer = self.client.ask(&Request::post("/festivals", body), stats).await?;
        // A database that was played on before has it already, and so has one whose answer was lost.
        if answer.code() == "slug_taken" {
            answer = self.client.ask(&Request::get(format!("/festivals/{slug}")), stats).await?;
        }
        let id = id_in(&accept(answer)?, "id")?;
        self.ledger.note(|ledger| ledger.festival(id).slug.clone_from(slug));
        Ok(id)
    }
}

/// One operation at one festival.
struct Stage<'a> {
    player: &'a Player,
    number: usize,
    operation: &'a Operation,
    festival_id: Uuid,
    stats: &'a Stats,
}

impl Stage<'_> {
    async fn open_stand(&self, stand: usize) -> anyhow::Result<Outcome> {
        let body = json!({"name": format!("Stand {stand} ({})", self.player.run)});
        let id = id_in(&accept(self.send(self.post("/stands", body)).await?)?, "id")?;
        self.note(|ledger, festival| ledger.festival(festival).stands.push(id));
        self.player.stands[stand].fill(Some(id));
        Ok(Outcome::Done)
    }

    async fn register(&self, visitor: usize) -> anyhow::Result<Outcome> {
        // The client chooses the id, so that it may repeat the request.
        let id = Uuid::new_v4();
        let email = format!("visitor-{visitor}@{}.example", self.player.run);
        let body = json!({"id": id, "email": email, "name": format!("Visitor {visitor}")});
        let answer = self.player.client.ask(&Request::post("/users", body), self.stats).await?;
        ensure!(id_in(&accept(answer)?, "id")? == id, "another user was registered");
        self.player.ledger.note(|ledger| ledger.users.push(id));
        self.player.visitors[visitor].user.fill(Some(id));
        Ok(Outcome::Done)
    }

    async fn open_wallet(&self, visitor: usize) -> anyhow::Result<Outcome> {
        let user = self.player.visitors[visitor].user.get().await.context("the user is missing")?;
        let id = id_in(&accept(self.send(self.post("/wallets", json!({"user_id": user}))).await?)?, "id")?;
        self.note(|ledger, festival| ledger.festival(festival).wallets.push(id));
        self.player.visitors[visitor].wallet.fill(Some(id));
        Ok(Outcome::Done)
    }

    async fn issue_ticket(&self, visitor: usize) -> anyhow::Result<Outcome> {
        let user = self.player.visitors[visitor].user.get().await.context("the user is missing")?;
        let id = id_in(&accept(self.send(self.post("/tickets", json!({"user_id": user}))).await?)?, "id")?;
        self.note(|ledger, festival| {
            ledger.festival(festival).tickets.insert(id, 0);
        });
        self.player.visitors[visitor].ticket.fill(Some(id));
        Ok(Outcome::Done)
    }

    async fn top_up(&self, visitor: usize, amount: i64) -> anyhow::Result<Outcome> {
        let wallet = self.wallet(visitor).await?;
        let answer = self.send(self.post(&format!("/wallets/{wallet}/top-ups"), json!({"amount": amount}))).await?;
        if answer.code() == "balance_limit" {
            return Ok(Outcome::Refused);
        }
        self.moved(&accept(answer)?, wallet, amount)?;
        Ok(Outcome::Done)
    }

    async fn pay(&self, visitor: usize, stand: usize, payment: Option<usize>, amount: i64) -> anyhow::Result<Outcome> {
        let (wallet, stand) = (self.wallet(visitor).await?, self.stand(stand).await?);
        let body = json!({"wallet_id": wallet, "stand_id": stand, "amount": amount});
        let answer = self.send(self.post("/payments", body)).await?;
        if answer.code() == "insufficient_funds" {
            return Ok(Outcome::Refused);
        }
        let receipt = accept(answer)?;
        self.moved(&receipt, wallet, -amount)?;
        let order = id_in(&receipt, "order_id")?;
        self.note(|ledger, festival| ledger.festival(festival).orders.push(order));
        if let Some(payment) = payment {
            self.player.orders[payment].fill(Some(order));
        }
        Ok(Outcome::Done)
    }

    async fn refund(&self, payments: &[usize]) -> anyhow::Result<Outcome> {
        let mut order = None;
        for &payment in payments {
            order = self.player.orders[payment].get().await.or(order);
        }
        // All were refused: there is nothing to ask for.
        let Some(order) = order else { return Ok(Outcome::Refused) };
        let answer = self.send(self.post(&format!("/orders/{order}/refund"), json!({}))).await?;
        if answer.code() == "already_refunded" {
            return Ok(Outcome::Refused);
        }
        let receipt = accept(answer)?;
        let amount = receipt["amount"].as_i64().context("a receipt without amount")?;
        self.moved(&receipt, id_in(&receipt, "wallet_id")?, amount)?;
        Ok(Outcome::Done)
    }

    async fn scan(&self, visitor: usize) -> anyhow::Result<Outcome> {
        let ticket = self.player.visitors[visitor].ticket.get().await.context("the ticket is missing")?;
        let body = json!({"gate": format!("Gate {}", self.number % 4)});
        let answer = self.send(self.post(&format!("/tickets/{ticket}/scan"), body)).await?;
        if answer.code() == "already_scanned" {
            ensure!(answer.body["error"]["scanned_at"].is_string(), "a second scan without the time of the first one");
            return Ok(Outcome::Refused);
        }
        ensure!(id_in(&accept(answer)?, "id")? == ticket, "another ticket was scanned");
        self.note(|ledger, festival| ledger.scanned(festival, ticket));
        Ok(Outcome::Done)
    }

    async fn balance(&self, visitor: usize) -> anyhow::Result<Outcome> {
        let wallet = self.wallet(visitor).await?;
        let body = accept(self.send(self.get(&format!("/wallets/{wallet}"))).await?)?;
        ensure!(body["balance"].as_i64().is_some_and(|balance| balance >= 0), "a balance below zero");
        Ok(Outcome::Done)
    }

    async fn history(&self, visitor: usize) -> anyhow::Result<Outcome> {
        let wallet = self.wallet(visitor).await?;
        let first = format!("/wallets/{wallet}/transactions?limit=5");
        let page = accept(self.send(self.get(&first)).await?)?;
        if let Some(cursor) = page["next"].as_str() {
            accept(self.send(self.get(&format!("{first}&cursor={cursor}"))).await?)?;
        }
        Ok(Outcome::Done)
    }

    async fn revenue(&self, stand: usize) -> anyhow::Result<Outcome> {
        let stand = self.stand(stand).await?;
        accept(self.send(self.get(&format!("/stands/{stand}/revenue"))).await?)?;
        Ok(Outcome::Done)
    }

    async fn wallet(&self, visitor: usize) -> anyhow::Result<Uuid> {
        self.player.visitors[visitor].wallet.get().await.context("the wallet is missing")
    }

    async fn stand(&self, stand: usize) -> anyhow::Result<Uuid> {
        self.player.stands[stand].get().await.context("the stand is missing")
    }

    fn get(&self, path: &str) -> Request {
        Request::get(self.path(path)).at(self.operation.festival)
    }

    fn post(&self, path: &str, body: Value) -> Request {
        let key = format!("{}-{}", self.player.run, self.number);
        Request::post(self.path(path), body).keyed(key).at(self.operation.festival)
    }

    fn path(&self, path: &str) -> String {
        format!("/festivals/{}{path}", self.player.lineup[self.operation.festival].slug)
    }

    /// Sends the request with the mishap that the plan has for it.
    async fn send(&self, request: Request) -> anyhow::Result<Answer> {
        let (client, stats) = (&self.player.client, self.stats);
        let answer = match self.operation.mishap {
            Mishap::None => client.ask(&request, stats).await?,
            Mishap::AnswerLost => {
                let lost = client.ask(&request, stats).await?;
                stats.retried();
                same(&lost, client.ask(&request, stats).await?)?
            }
            Mishap::SentTwice => {
                stats.retried();
                let (one, other) = tokio::join!(client.ask(&request, stats), client.ask(&request, stats));
                same(&one?, other?)?
            }
            Mishap::BrokenAfter(micros) => {
                client.hang_up(&request, Duration::from_micros(micros)).await;
                stats.retried();
                client.ask(&request, stats).await?
            }
        };
        self.look_for_strangers(&answer.body);
        Ok(answer)
    }

    /// Every row that the service shows says whose it is.
    fn look_for_strangers(&self, body: &Value) {
        let items = body["items"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        let own = self.festival_id.to_string();
        let strangers = items.iter().filter_map(|item| item["festival_id"].as_str()).filter(|id| *id != own).count();
        if strangers > 0 {
            self.player.ledger.note(|ledger| ledger.strangers += strangers);
        }
    }

    fn moved(&self, body: &Value, wallet_id: Uuid, amount: i64) -> anyhow::Result<()> {
        ensure!(body["balance"].as_i64().is_some_and(|balance| balance >= 0), "a balance below zero");
        let transaction = id_in(body, "transaction_id")?;
        let entry = Entry { festival_id: self.festival_id, wallet_id, amount };
        self.player.ledger.note(|ledger| ledger.moved(transaction, entry));
        Ok(())
    }

    fn note(&self, write: impl FnOnce(&mut super::ledger::Acknowledged, Uuid)) {
        self.player.ledger.note(|ledger| write(ledger, self.festival_id));
    }
}

/// The body of a success.
fn accept(answer: Answer) -> anyhow::Result<Value> {
    match answer.status {
        StatusCode::OK | StatusCode::CREATED => Ok(answer.body),
        status => bail!("{status} {}", answer.body),
    }
}

/// A repeated request must be answered as the first one was.
fn same(first: &Answer, second: Answer) -> anyhow::Result<Answer> {
    ensure!(*first == second, "two answers to one request: {first:?} and {second:?}");
    Ok(second)
}

fn id_in(body: &Value, field: &str) -> anyhow::Result<Uuid> {
    let text = body[field].as_str().with_context(|| format!("`{field}` is missing"))?;
    text.parse().with_context(|| format!("`{field}` is no UUID"))
}
