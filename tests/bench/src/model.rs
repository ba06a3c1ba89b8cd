//! What the benchmarks store, as the SDK sees it; and the texts of those who write SQL themselves.

use anyhow::{Result, ensure};
use shardwise::{Entity, Region, Schema, Uuid};

/// A festival, on every node.
#[derive(Debug, Clone, Entity)]
#[entity(table = "festivals", reference)]
pub struct Festival {
    /// The tenants' key.
    #[entity(key)]
    pub id: Uuid,
    /// Where its rows belong.
    #[entity(region)]
    pub region: Region,
}

/// A wallet of a festival.
#[derive(Debug, Clone, Entity, sqlx::FromRow, diesel::Queryable)]
#[entity(table = "wallets", distributed_by = festival_id)]
pub struct Wallet {
    /// The tenant.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// Whose it is.
    pub holder: String,
    /// In cents.
    pub balance: i64,
}

/// What was paid out of a wallet.
#[derive(Debug, Clone, Entity, diesel::Insertable)]
#[entity(table = "transactions", distributed_by = festival_id)]
#[diesel(table_name = crate::clients::diesel::transactions)]
pub struct Transaction {
    /// The tenant.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// The wallet that it was paid from.
    pub wallet_id: Uuid,
    /// In cents.
    pub amount: i64,
}

/// What was bought with it.
#[derive(Debug, Clone, Entity, diesel::Insertable)]
#[entity(table = "orders", distributed_by = festival_id)]
#[diesel(table_name = crate::clients::diesel::orders)]
pub struct Order {
    /// The tenant.
    pub festival_id: Uuid,
    /// The key.
    #[entity(key)]
    pub id: Uuid,
    /// The wallet that it was paid from.
    pub wallet_id: Uuid,
    /// What it was.
    pub item: String,
    /// In cents.
    pub total: i64,
}

/// All tables.
#[must_use]
pub fn schema() -> Schema {
    Schema::new().with::<Festival>().with::<Wallet>().with::<Transaction>().with::<Order>()
}

/// The columns of a wallet, in order.
pub const WALLET_COLUMNS: &str = "festival_id, id, holder, balance";
/// Reads a wallet.
pub const READ: &str = "SELECT festival_id, id, holder, balance FROM wallets WHERE festival_id = $1 AND id = $2";
/// Gives a wallet its new balance.
pub const UPDATE: &str = "UPDATE wallets SET balance = $3 WHERE festival_id = $1 AND id = $2";
/// Stores a [`Transaction`].
pub const INSERT_TRANSACTION: &str =
    "INSERT INTO transactions (festival_id, id, wallet_id, amount) VALUES ($1, $2, $3, $4)";
/// Stores an [`Order`].
pub const INSERT_ORDER: &str =
    "INSERT INTO orders (festival_id, id, wallet_id, item, total) VALUES ($1, $2, $3, $4, $5)";

/// A wallet that is there, and what it takes to find it by hand.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The tenant.
    pub festival_id: Uuid,
    /// The wallet.
    pub id: Uuid,
    /// The place of the node that owns it, among the nodes that own any.
    pub owner: usize,
}

impl Key {
    /// What the wallet held when it was stored. It follows from the key, so that each read can be checked.
    #[must_use]
    pub fn first_balance(&self) -> i64 {
        const SMALLEST: i64 = 1_000_000_000;
        let own = (self.festival_id.as_u128() ^ self.id.as_u128()) % 1_000_000;
        SMALLEST + i64::try_from(own).unwrap_or_default()
    }

    /// The wallet as it is stored first.
    #[must_use]
    pub fn wallet(&self) -> Wallet {
        let holder = format!("holder of {}", self.id.simple());
        Wallet { festival_id: self.festival_id, id: self.id, holder, balance: self.first_balance() }
    }

    /// Whether this is the wallet, as it was stored.
    ///
    /// # Errors
    /// When it is another one.
    pub fn verify(&self, wallet: &Wallet) -> Result<()> {
        let is_it =
            (wallet.festival_id, wallet.id, wallet.balance) == (self.festival_id, self.id, self.first_balance());
        ensure!(is_it && !wallet.holder.is_empty(), "another wallet came back than was asked for");
        Ok(())
    }
}

/// A payment, drawn up before anybody is asked to make it.
#[derive(Debug, Clone)]
pub struct Payment {
    /// From where.
    pub key: Key,
    /// What is written of it.
    pub transaction: Transaction,
    /// What is bought.
    pub order: Order,
}

impl Payment {
    /// A new one.
    #[must_use]
    pub fn new(key: Key, amount: i64) -> Self {
        let (festival_id, wallet_id) = (key.festival_id, key.id);
        Self {
            key,
            transaction: Transaction { festival_id, id: Uuid::now_v7(), wallet_id, amount },
            order: Order { festival_id, id: Uuid::now_v7(), wallet_id, item: "a cold drink".to_owned(), total: amount },
        }
    }
}
