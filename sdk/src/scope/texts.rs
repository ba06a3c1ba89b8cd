//! Texts that are made at run time: each is read once.

use std::sync::Arc;

use moka::sync::Cache;
use shardwise_scope::{Analysis, Effect, TableFacts, analyse};

use crate::error::{Error, ErrorKind};

/// What is kept of all texts together, in bytes of their length. What the checker found is about ten times as large.
const KEPT: u64 = 1 << 20;

/// What was found of the texts so far; those that are used least are forgotten.
pub struct Texts(Cache<String, Found>);

/// A refusal is kept as well: reading the text again would tell the same.
type Found = Result<Arc<Analysis>, Arc<str>>;

/// A text that one tenant may run.
pub(crate) struct Text(Arc<Analysis>);

impl Texts {
    pub(crate) fn new() -> Self {
        let weigher = |text: &String, _: &Found| u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(KEPT).weigher(weigher).build())
    }

    /// The text, if it stays with one tenant. `given` are the parameters that the caller gives a value.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] with what is wrong and what to write instead. The text may hold values: nothing of it is shown
    /// but names.
    pub(crate) fn check(
        &self,
        text: &str,
        given: &[&str],
        tables: &[TableFacts<'static>],
    ) -> crate::error::Result<Text> {
        let found = self.0.get(text).unwrap_or_else(|| {
            let found = read(text);
            self.0.insert(text.to_owned(), found.clone());
            found
        });
        let analysis = found.map_err(|message| usage(&message))?;
        analysis.verify(given, tables).map_err(|refusal| usage(&refusal.message))?;
        Ok(Text(analysis))
    }
}

impl Text {
    /// The text with its parameters numbered.
    pub(crate) fn sql(&self) -> &str {
        &self.0.sql
    }

    /// The names of the parameters, in the order of their numbers.
    pub(crate) fn params(&self) -> &[String] {
        &self.0.params
    }

    pub(crate) fn writes(&self) -> bool {
        self.0.effect == Effect::Writes
    }
}

fn read(text: &str) -> Found {
    analyse(text).map(Arc::new).map_err(|refusals| {
        let messages: Vec<String> = refusals.into_iter().map(|one| one.message).collect();
        messages.join("; ").into()
    })
}

fn usage(message: &str) -> Error {
    Error::new(ErrorKind::Usage, message)
}
