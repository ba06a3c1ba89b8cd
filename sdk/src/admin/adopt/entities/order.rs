//! In which order rows are written: what a row points at comes before it. Pure.

use super::model::{Entity, Link};
use super::samples;

/// In which order rows are written.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The entities' places.
    pub(super) places: Vec<usize>,
    /// Those that no row can be written of, each with the reason.
    pub(super) without: Vec<(usize, String)>,
}

impl Order {
    pub(super) fn of(entities: &[Entity]) -> Self {
        let alone = |(at, entity): (usize, &Entity)| Some((at, alone(at, entity)?));
        let mut order = Self { places: Vec::new(), without: entities.iter().enumerate().filter_map(alone).collect() };
        loop {
            let left: Vec<usize> = (0..entities.len()).filter(|at| !order.has(*at)).collect();
            let ready = |counts: fn(&Entity, &Link) -> bool| {
                left.iter().copied().find(|at| order.is_ready(entities, *at, counts))
            };
            // What may point at nothing waits for its row as long as something else can be taken.
            match ready(|_, _| true).or_else(|| ready(is_strong)) {
                Some(at) => order.places.push(at),
                None => {
                    let reason = "what it points at can't be written before it";
                    order.without.extend(left.into_iter().map(|at| (at, reason.to_owned())));
                    return order;
                }
            }
        }
    }

    fn has(&self, at: usize) -> bool {
        self.places.contains(&at) || self.without.iter().any(|(without, _)| *without == at)
    }

    fn is_ready(&self, entities: &[Entity], at: usize, counts: fn(&Entity, &Link) -> bool) -> bool {
        let entity = &entities[at];
        let links = entity.links.iter().filter(|link| link.target != at && counts(entity, link));
        // All that is a tenant's comes behind the tenant.
        let roots =
            (0..entities.len()).filter(|root| entities[*root].is_root && *root != at && entity.distribution.is_some());
        links.map(|link| link.target).chain(roots).all(|target| self.places.contains(&target))
    }
}

/// Whether a row has to point at another one.
fn is_strong(entity: &Entity, link: &Link) -> bool {
    !entity.may_be_null(link.pairs.iter().map(|(own, _)| *own))
}

/// Why no row can be written, whatever the others are.
fn alone(at: usize, entity: &Entity) -> Option<String> {
    let outside = entity.outside.iter().find(|(fields, _)| !entity.may_be_null(fields.iter().copied()));
    if let Some((_, table)) = outside {
        return Some(format!("it has to point at a row of {table}, which has no entity here"));
    }
    if entity.links.iter().any(|link| link.target == at && is_strong(entity, link)) {
        return Some("each of its rows has to point at one of the same table".to_owned());
    }
    let unknown = entity.fields.iter().find(|field| !field.is_nullable && !samples::is_known(field))?;
    let sql_type = unknown.typed.as_text.as_deref().unwrap_or_default();
    Some(format!("no value of the type {sql_type} is known for its column {}", unknown.column))
}
