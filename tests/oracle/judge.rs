//! Whether a statement had to do with rows of others. It knows nothing of SQL: it only looks at what comes out.
//!
//! There are two worlds in which a tenant's own rows are the same, and those of the other tenant are not. Whoever stays with their
//! own rows can't tell one from the other: not by rows, not by a count, an order or an error. And after a write, the other tenant's
//! rows are as they were.

use super::rows::{Owner, TENANTS, Version};
use super::world::{Answer, Contents, Sent, World};
use crate::support::place::Place;

pub struct Worlds {
    real: World,
    before: Contents,
    /// For each tenant the world in which the other has other rows.
    twins: [World; 2],
}

#[derive(Debug)]
pub enum Verdict {
    /// The server refused it, with this SQLSTATE and message.
    Failed(String),
    /// It stayed with the tenant, and gave or changed so many rows.
    Fine(usize),
    /// It did not stay with the tenant.
    Foreign(String),
}

impl Worlds {
    pub async fn new(place: Place) -> Self {
        let real = World::new(place, [Version::Real, Version::Real]).await;
        let before = real.contents().await;
        let twins = [
            World::new(place, [Version::Real, Version::Other]).await,
            World::new(place, [Version::Other, Version::Real]).await,
        ];
        Self { real, before, twins }
    }

    pub async fn judge(&self, sent: &Sent, tenant: Owner) -> Verdict {
        let twin = &self.twins[usize::from(tenant == TENANTS[1])];
        let here = self.real.execute(sent, tenant).await;
        if let Err(error) = &here
            && is_before_rows(error)
        {
            return Verdict::Failed(error.clone());
        }
        let there = twin.execute(sent, tenant).await;
        match (here, there) {
            (Err(error), Err(_)) if error.starts_with("25006") => {
                Verdict::Foreign("it writes, and says it reads".to_owned())
            }
            (Err(error), Err(_)) => Verdict::Failed(error),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) if may_be_of_any_row(&error) => Verdict::Failed(error),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
                Verdict::Foreign(format!("only in one of two worlds: {error}"))
            }
            (Ok(here), Ok(there)) => self.compare(&here, &there, tenant),
        }
    }

    fn compare(&self, here: &Answer, there: &Answer, tenant: Owner) -> Verdict {
        if let Some(cell) = here.rows.iter().flatten().flatten().find(|cell| is_of(tenant.other(), cell)) {
            return Verdict::Foreign(format!("a cell is another tenant's: {:?}", String::from_utf8_lossy(cell)));
        }
        if here.rows != there.rows {
            return Verdict::Foreign(format!("{} rows, or {} others", here.rows.len(), there.rows.len()));
        }
        if here.affected != there.affected {
            return Verdict::Foreign(format!("{} rows are changed, or {}", here.affected, there.affected));
        }
        if let (Some(here), Some(there)) = (&here.after, &there.after) {
            let (own, others) = (Some(tenant.festival().to_string()), Some(tenant.other().festival().to_string()));
            if here.get(&others) != self.before.get(&others) || here.keys().any(|one| !self.before.contains_key(one)) {
                return Verdict::Foreign("rows of another tenant are changed".to_owned());
            }
            if here.get(&own) != there.get(&own) || here.get(&None) != there.get(&None) {
                return Verdict::Foreign("what is written depends on rows of another tenant".to_owned());
            }
        }
        Verdict::Fine(here.rows.len().max(usize::try_from(here.affected).unwrap()))
    }
}

/// Whether a cell holds a text or an id that only this tenant has.
fn is_of(owner: Owner, cell: &[u8]) -> bool {
    let holds = |what: &[u8]| cell.windows(what.len()).any(|part| part == what);
    let id = String::from(owner.mark).repeat(8) + "-";
    holds(owner.poison().as_bytes()) || holds(&owner.id_bytes()) || holds(id.as_bytes())
}

/// Errors of the text, which come before any row is looked at: class 42 and what is not supported.
fn is_before_rows(error: &str) -> bool {
    error.starts_with("42") || error.starts_with("0A")
}

/// PostgreSQL may try a condition on a row that another condition will drop. So a value that can't be cast, or a number that is too
/// large, can be in any row: that is true of every statement, and only tells that there is such a row.
fn may_be_of_any_row(error: &str) -> bool {
    error.starts_with("22") || error.starts_with("57014")
}
