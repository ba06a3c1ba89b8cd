//! Contenders in turns: what runs at another time runs on another machine.

use std::pin::Pin;

use anyhow::{Context as _, Result};
use rand::seq::SliceRandom as _;

use crate::report::say;

/// A boxed future: one per round, so its allocation is of no weight.
pub type Round<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// One of those that are compared.
pub struct Contender<'a, T> {
    /// As it is called in the names of results.
    pub slug: &'static str,
    /// As it is called in tables and plots.
    pub title: &'static str,
    round: Box<dyn Fn() -> Round<'a, T> + Send + Sync + 'a>,
}

impl<'a, T> Contender<'a, T> {
    /// A contender, and what it does in a round.
    pub fn new<F>(slug: &'static str, title: &'static str, round: impl Fn() -> F + Send + Sync + 'a) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'a,
    {
        Self { slug, title, round: Box::new(move || Box::pin(round())) }
    }
}

/// What a contender reached, round by round.
#[derive(Debug)]
pub struct Outcome<T> {
    /// As it is called in the names of results.
    pub slug: &'static str,
    /// As it is called in tables and plots.
    pub title: &'static str,
    /// Of each round that counts.
    pub rounds: Vec<T>,
}

impl<T> Outcome<T> {
    /// One number of each round.
    pub fn each(&self, of: impl Fn(&T) -> f64) -> Vec<f64> {
        self.rounds.iter().map(of).collect()
    }
}

/// Has all of them do so many rounds, in another order each time. Returns what each reached, in the order of the contenders.
///
/// There is one round more, whose results are dropped: it opens connections, prepares statements and fills caches. A round that
/// fails is said and tried once more: a connection that breaks on a busy machine should not cost the results of minutes.
///
/// # Errors
/// What any of them met twice.
pub async fn contest<T>(rounds: usize, contenders: &[Contender<'_, T>]) -> Result<Vec<Outcome<T>>> {
    let start = |contender: &Contender<'_, T>| {
        let Contender { slug, title, .. } = *contender;
        Outcome { slug, title, rounds: Vec::with_capacity(rounds) }
    };
    let mut outcomes: Vec<Outcome<T>> = contenders.iter().map(start).collect();
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    for round in 0..=rounds {
        order.shuffle(&mut rand::rng());
        for &at in &order {
            let contender = &contenders[at];
            let result = match (contender.round)().await {
                Err(error) => {
                    say(&format!("again, for {} failed: {error:#}", contender.title));
                    (contender.round)().await.with_context(|| contender.title)?
                }
                Ok(result) => result,
            };
            if round > 0 {
                outcomes[at].rounds.push(result);
            }
        }
    }
    Ok(outcomes)
}
