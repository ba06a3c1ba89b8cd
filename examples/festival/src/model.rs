//! What the platform stores.
//!
//! Festivals and users are known everywhere. All else belongs to one festival and lives with it: the festival is the
//! tenant, `festival_id` the distribution key.
//!
//! Money is in integer cents of the festival's currency. An amount is positive where it fills the wallet and negative
//! where it empties it, so that a wallet's balance is the sum of its transactions.

use jiff::civil::Date;
use jiff::{Timestamp, TimestampRound, Unit};
use serde::Serialize;
use shardwise::{Entity, Region, Rollup, Schema, SqlEnum, Uuid, View};

/// All entities of the platform.
#[must_use]
pub fn schema() -> Schema {
    Schema::new()
        .with::<Festival>()
        .with::<User>()
        .with::<Stand>()
        .with::<Wallet>()
        .with::<Order>()
        .with::<Transaction>()
        .with::<DailyStats>()
        .with::<StandSales>()
        .with::<Ticket>()
        .with::<IdempotentRequest>()
}

/// The time now, as PostgreSQL stores it: in microseconds. So a row reads back as it was written.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(Unit::Microsecond)).unwrap_or(now)
}

/// A festival: the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "festivals", reference)]
pub struct Festival {
    /// The distribution key of all that belongs to it.
    #[entity(key)]
    pub id: Uuid,
    /// The name in addresses. Never changes.
    #[entity(unique)]
    pub slug: String,
    /// The name on posters.
    pub name: String,
    /// Where it takes place.
    pub city: String,
    /// The country's two letters.
    pub country: String,
    /// Where its data lives.
    #[entity(region)]
    pub region: Region,
    /// When it joined the platform.
    pub created_at: Timestamp,
}

/// A person, at whatever festivals they visit.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "users", reference)]
pub struct User {
    /// The key. Clients may choose it, which makes a repeated registration harmless.
    #[entity(key)]
    pub id: Uuid,
    /// The address that they log in with.
    #[entity(unique)]
    pub email: String,
    /// What they are called.
    pub name: String,
    /// When they registered.
    pub created_at: Timestamp,
}

/// A stand that sells.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "stands", distributed_by = festival_id)]
pub struct Stand {
    /// The festival it stands at.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// The name above the counter.
    #[entity(unique)]
    pub name: String,
    /// When it opened.
    pub created_at: Timestamp,
}

/// The money that a user has at a festival. One per user and festival.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "wallets", distributed_by = festival_id, cache = read_through(ttl = "10m"))]
pub struct Wallet {
    /// The festival at which it pays.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// Whose money it is.
    #[entity(references = User, unique)]
    pub user_id: Uuid,
    /// What is left, in cents.
    #[entity(check = "balance >= 0")]
    pub balance: i64,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// What was bought at a stand.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "orders", distributed_by = festival_id)]
pub struct Order {
    /// The festival.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// Which wallet paid.
    #[entity(references = Wallet, index)]
    pub wallet_id: Uuid,
    /// Which stand sold.
    #[entity(references = Stand, index)]
    pub stand_id: Uuid,
    /// What the stand is called now. The server sees to that.
    #[entity(denormalized = stand_id.name)]
    pub stand_name: String,
    /// The price in cents: positive.
    #[entity(check = "amount > 0")]
    pub amount: i64,
    /// Whether the money was given back.
    pub state: OrderState,
    /// When it was paid.
    pub created_at: Timestamp,
    /// When the money was given back.
    pub refunded_at: Option<Timestamp>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The stand has the money.
    Paid,
    /// The wallet has it back.
    Refunded,
}

/// One movement of money into or out of a wallet. Never changed.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "transactions", distributed_by = festival_id, partition_by = monthly(created_at))]
pub struct Transaction {
    /// The festival.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// The wallet.
    #[entity(references = Wallet, index)]
    pub wallet_id: Uuid,
    /// Why the money moved.
    pub kind: TransactionKind,
    /// What the wallet gained, in cents; negative where it paid.
    #[entity(check = "amount <> 0")]
    pub amount: i64,
    /// The order that was paid or refunded.
    #[entity(references = Order, index)]
    pub order_id: Option<Uuid>,
    /// When it moved.
    pub created_at: Timestamp,
}

/// A festival's transactions day by day, in UTC. It follows each write of them, and is never written by hand.
#[derive(Debug, Clone, PartialEq, Eq, Rollup, Serialize)]
#[rollup(table = "festival_daily_stats", of = Transaction, distributed_by = festival_id)]
pub struct DailyStats {
    /// The festival.
    pub festival_id: Uuid,
    /// The day.
    #[rollup(day(created_at))]
    pub day: Date,
    /// How often money moved.
    #[rollup(count)]
    pub transactions: i64,
    /// What went into wallets, in cents.
    #[rollup(sum(amount), filter = "amount > 0")]
    pub credits: i64,
    /// What went out of them, in cents: negative.
    #[rollup(sum(amount), filter = "amount < 0")]
    pub debits: i64,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// The visitor put money in.
    TopUp,
    /// The visitor bought something.
    Payment,
    /// The stand gave the money back.
    Refund,
}

/// What each stand of each festival has sold. As old as the last refresh.
#[derive(Debug, Clone, PartialEq, Eq, View, Serialize)]
#[view(
    name = "stand_sales",
    query = "SELECT festival_id, stand_id, min(stand_name) AS stand_name, count(*) AS orders, sum(amount)::bigint AS revenue \
             FROM orders WHERE state = 'paid' GROUP BY festival_id, stand_id",
    every = "1m"
)]
pub struct StandSales {
    /// The festival.
    #[view(key)]
    pub festival_id: Uuid,
    /// The stand.
    #[view(key)]
    pub stand_id: Uuid,
    /// What it is called.
    pub stand_name: String,
    /// How many orders were paid and not given back.
    pub orders: i64,
    /// What they came to, in cents.
    pub revenue: i64,
}

/// A ticket: lets one person in once.
#[derive(Debug, Clone, PartialEq, Eq, Entity, Serialize)]
#[entity(table = "tickets", distributed_by = festival_id, cache = read_through(ttl = "10m"))]
pub struct Ticket {
    /// The festival.
    pub festival_id: Uuid,
    /// The key: what the bar code says.
    #[entity(key)]
    pub id: Uuid,
    /// Who bought it.
    #[entity(references = User, index)]
    pub user_id: Uuid,
    /// Whether it was used.
    pub state: TicketState,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it was scanned.
    pub scanned_at: Option<Timestamp>,
    /// The gate at which it was scanned.
    pub gate: Option<String>,
}

/// Whether a ticket was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Nobody came in with it yet.
    Issued,
    /// Someone did.
    Scanned,
}

/// A request that carried an `Idempotency-Key`, and what was answered. Written in the transaction of the request's own
/// effects: so either both are there or neither.
#[derive(Debug, Clone, PartialEq, Eq, Entity)]
#[entity(table = "idempotent_requests", distributed_by = festival_id)]
pub struct IdempotentRequest {
    /// The festival.
    pub festival_id: Uuid,
    /// The client's key.
    #[entity(key)]
    pub key: String,
    /// The SHA-256 of method, path and body: a key belongs to one request.
    pub fingerprint: Vec<u8>,
    /// The answer's HTTP status; 0 while the request is under way, which only its own transaction can see.
    pub status: i16,
    /// The answer's body.
    pub body: String,
    /// When it was first seen.
    #[entity(index)]
    pub created_at: Timestamp,
}
