//! The rows of the worlds. Two tenants have rows of the same ids, so that whoever forgets the tenant finds somebody else's;
//! what else is in them tells whose they are.

use shardwise::Uuid;
use tokio_postgres::Client;

/// A tenant. Everything of its own that is a text or an id has its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub mark: char,
    /// What numbers begin at: near to the other's, so that the least and the greatest of both are not one tenant's alone.
    base: i64,
}

pub const TENANTS: [Owner; 2] = [Owner { mark: 'a', base: 1_000_000 }, Owner { mark: 'b', base: 1_000_005 }];

/// How the rows of a tenant are: as they are, or others of the same kind, more of them, in a world where they must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Real,
    Other,
}

impl Owner {
    /// Its key, which the reference table of festivals tells everybody: it is no poison.
    pub fn festival(self) -> Uuid {
        format!("77777777-0000-4000-8000-00000000000{}", self.mark).parse().unwrap()
    }

    pub fn other(self) -> Self {
        TENANTS[usize::from(self == TENANTS[0])]
    }

    /// The text that no row of others has.
    pub fn poison(self) -> String {
        format!("poison-{}", self.mark)
    }

    /// What ids begin with that only this tenant has.
    pub fn id_bytes(self) -> [u8; 4] {
        let digit = u8::try_from(self.mark.to_digit(16).unwrap()).unwrap();
        [digit * 17; 4]
    }
}

/// Every other id is one that both tenants have; and one is the key of the other tenant, so that whoever takes one column for
/// the other arrives there.
pub fn id(owner: Owner, number: u32) -> Uuid {
    match number {
        3 => owner.other().festival(),
        _ if number.is_multiple_of(2) => shared_id(number),
        _ => own_id(owner.mark, number),
    }
}

/// Users are everybody's; two have ids that are keys of tenants.
pub fn user_id(number: u32) -> Uuid {
    match number {
        3 => TENANTS[0].festival(),
        4 => TENANTS[1].festival(),
        _ => shared_id(number),
    }
}

pub fn shared_id(number: u32) -> Uuid {
    format!("55555555-0000-4000-8000-{number:012}").parse().unwrap()
}

pub fn own_id(mark: char, number: u32) -> Uuid {
    let begin = String::from(mark).repeat(8);
    format!("{begin}-0000-4000-8000-{number:012}").parse().unwrap()
}

const USERS: u32 = 8;

/// The reference tables: they are everybody's.
pub async fn shared(client: &Client) {
    for owner in TENANTS {
        let sql = format!(
            "INSERT INTO festivals (id, slug, name, city, country, region, created_at)
             VALUES ('{id}', 'fest-{mark}', 'Fest', 'Town', 'DE', 'eu', {MONTH})",
            id = owner.festival(),
            mark = owner.mark,
        );
        client.batch_execute(&sql).await.unwrap();
    }
    for number in 0..USERS {
        let sql = format!(
            "INSERT INTO users (id, email, name, created_at) VALUES ('{}', 'u{number}@example.org', 'User {}', {MONTH})",
            user_id(number),
            number % 3,
        );
        client.batch_execute(&sql).await.unwrap();
    }
}

/// The first moment of this month: there are partitions from then on.
pub const MONTH: &str = "date_trunc('month', now(), 'UTC')";

/// All rows of one tenant.
pub async fn of_tenant(client: &Client, owner: Owner, version: Version) {
    let (more, shift, word) = match version {
        Version::Real => (0, 0, "real"),
        Version::Other => (3, 77, "other"),
    };
    let festival = owner.festival();
    let mut sql = String::new();
    let mut insert = |table: &str, values: String| sql.push_str(&format!("INSERT INTO {table} VALUES ({values});\n"));
    let at = |number: u32| format!("{MONTH} + interval '{} days'", number * 4);
    let amount = |number: u32| owner.base + shift + i64::from(number) * 10;
    let text = |number: u32| format!("{} {word} {}", owner.poison(), number);
    for number in 0..3 + more {
        insert("stands", format!("'{festival}', '{}', '{}', {}", id(owner, number), text(number), at(number)));
    }
    for number in 0..USERS - 3 + more {
        let (id, user) = (id(owner, number), user_id(number));
        insert("wallets", format!("'{festival}', '{id}', '{user}', {}, {}", amount(number), at(number)));
    }
    for number in 0..6 + more {
        let (own, wallet, stand) = (id(owner, number), id(owner, number % 5), id(owner, number % 3));
        let (state, refunded) = if number % 3 == 1 { ("refunded", at(number)) } else { ("paid", "NULL".to_owned()) };
        let amount = amount(number);
        insert(
            "orders",
            format!(
                "'{festival}', '{own}', '{wallet}', '{stand}', '', {amount}, '{state}', {}, {refunded}",
                at(number)
            ),
        );
    }
    for number in 0..8 + more {
        let (own, wallet) = (id(owner, number), id(owner, number % 5));
        let kind = ["top_up", "payment", "refund"][number as usize % 3];
        let order = if number % 3 == 1 { format!("'{}'", id(owner, number % 6)) } else { "NULL".to_owned() };
        let amount = amount(number);
        insert(
            "transactions",
            format!("'{festival}', '{own}', '{wallet}', '{kind}', {amount}, {order}, {}", at(number)),
        );
    }
    for number in 0..6 + more {
        let (own, user) = (id(owner, number), user_id(number % USERS));
        let (state, scanned, gate) = match number % 2 {
            0 => ("scanned", at(number), format!("'{}'", text(number))),
            _ => ("issued", "NULL".to_owned(), "NULL".to_owned()),
        };
        insert("tickets", format!("'{festival}', '{own}', '{user}', '{state}', {}, {scanned}, {gate}", at(number)));
    }
    for number in 0..3 + more {
        let body = text(number);
        insert(
            "idempotent_requests",
            format!("'{festival}', 'k{number}', '\\x0{number}', 20{number}, '{body}', {}", at(number)),
        );
    }
    client.batch_execute(&sql).await.unwrap();
}
