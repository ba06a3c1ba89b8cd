//! A statement in three forms: as the checker reads it, as a person reads it, and as it is told from others. Pure.

use std::ops::Range;

use super::making;
use super::words::{Kind, Style, Token, Writer, tokens};

/// What a program puts into a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole {
    /// What stands there: `${id}`.
    pub(super) spelled: String,
    /// Whether it surely is a value, which the driver sends apart from the text.
    pub(super) is_bound: bool,
}

/// A statement.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// With parameters of the form `:_1`.
    pub(super) named: String,
    /// As it was written, but for values that somebody has sent.
    pub(super) shown: String,
    /// Equal for statements that differ in nothing but blanks, comments and values.
    pub(super) fingerprint: String,
    /// Why it can't be read: what is put in is more than a value.
    pub(super) unread: Option<String>,
    /// Whether it can't end where it does: a program appends the rest.
    pub(super) goes_on: bool,
    /// What is put into the text and was taken for a value.
    pub(super) spliced: Vec<String>,
    /// Where the two texts differ, in their order.
    pub(super) spots: Vec<Spot>,
    /// How each parameter is written.
    pub(super) params: Vec<String>,
    pub(super) spelling: Spelling,
    pub(super) has_params: bool,
}

/// Where the two texts differ.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) named: Range<usize>,
    pub(super) shown: Range<usize>,
}

/// How a parameter is written that comes to those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As these are.
    Like(Style),
    /// `${name}`
    Template,
}

/// Something that is to be written into a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where, in bytes of [`Statement::named`].
    pub(super) at: usize,
    /// What; [`KEY`] in it is the tenant's key.
    pub(super) text: String,
}

/// Stands for the tenant's key in an [`Edit`].
pub(super) const KEY: char = '\u{1}';

/// The name of a parameter that comes to those that are there.
pub(super) const NEW: &str = "_key";

impl Statement {
    /// Reads one statement, in whose text each [`HOLE`](super::words::HOLE) is one of `holes`. `usual` is how parameters are written where
    /// it has none.
    pub(super) fn read(text: &str, holes: &[Hole], writer: Writer, usual: Spelling) -> Self {
        making::statement(text, holes, writer, usual)
    }

    /// How its parameters are written, if it has any.
    pub(super) fn style(&self) -> Option<Spelling> {
        self.has_params.then_some(self.spelling)
    }

    /// The statement with new parameters written so, if it has none to see it by.
    pub(super) fn or_spelled(mut self, usual: Spelling) -> Self {
        if !self.has_params {
            self.spelling = usual;
        }
        self
    }

    /// Whether a parameter stands for what is a constant in the text.
    pub(super) fn is_constant(&self, param: &str) -> bool {
        let number = param.strip_prefix('_').and_then(|number| number.parse::<usize>().ok());
        let spelled = number.and_then(|number| self.params.get(number.checked_sub(1)?));
        spelled.is_some_and(|spelled| {
            spelled.starts_with(['\'', 'E', 'e']) || spelled.starts_with(|c: char| c.is_ascii_digit())
        })
    }

    /// The first words, in small letters.
    pub(super) fn first_words(&self) -> [String; 3] {
        let all = self.tokens();
        let mut words = all.iter().filter(|token| !(token.kind == Kind::Blank || token.is_sign("(")));
        [(); 3].map(|()| words.next().map(|token| token.text.to_ascii_lowercase()).unwrap_or_default())
    }

    /// Words and signs of what the checker reads.
    pub(super) fn tokens(&self) -> Vec<Token<'_>> {
        let mut all = tokens(&self.named, Writer::Program { percent_binds: false });
        all.retain(|token| token.kind != Kind::Blank);
        all
    }

    /// Both texts with something written into them. `tenant` is the parameter with the tenant's key, [`NEW`] for one that is not there yet,
    /// which is then called as this column.
    pub(super) fn with(&self, edits: &[Edit], tenant: &str, column: &str) -> (String, String) {
        let named_key = format!(":{tenant}");
        let shown_key = self.spelled(tenant, column);
        let mut edits: Vec<&Edit> = edits.iter().collect();
        edits.sort_by_key(|edit| edit.at);
        let (mut named, mut shown) = (self.named.clone(), self.shown.clone());
        for edit in edits.into_iter().rev() {
            named.insert_str(edit.at, &edit.text.replace(KEY, &named_key));
            shown.insert_str(self.in_shown(edit.at), &edit.text.replace(KEY, &shown_key));
        }
        (named, shown)
    }

    /// The statement with something written into it that names no key.
    pub(super) fn edited(&self, edits: &[Edit]) -> Self {
        let (named, shown) = self.with(edits, NEW, "");
        let before = |at: usize| edits.iter().filter(|edit| edit.at <= at).map(|edit| edit.text.len()).sum::<usize>();
        let spots = self.spots.iter().map(|spot| {
            let moved = before(spot.named.start);
            let by = |range: &Range<usize>| range.start + moved..range.end + moved;
            Spot { named: by(&spot.named), shown: by(&spot.shown) }
        });
        Self { spots: spots.collect(), named, shown, ..self.clone() }
    }

    /// Where a place of `named` is in `shown`.
    fn in_shown(&self, at: usize) -> usize {
        let before = self.spots.partition_point(|spot| spot.named.start < at);
        match before.checked_sub(1).and_then(|last| self.spots.get(last)) {
            None => at,
            Some(spot) => at.saturating_sub(spot.named.end) + spot.shown.end,
        }
    }

    fn spelled(&self, tenant: &str, column: &str) -> String {
        let number = tenant.strip_prefix('_').and_then(|number| number.parse::<usize>().ok());
        if let Some(known) = number.and_then(|number| self.params.get(number.checked_sub(1)?)) {
            return known.clone();
        }
        let name: String = column.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        match self.spelling {
            Spelling::Template => format!("${{{name}}}"),
            Spelling::Like(Style::Dollar) => format!("${}", 1 + highest(&tokens(&self.shown, Writer::Server))),
            Spelling::Like(Style::Question) => "?".to_owned(),
            Spelling::Like(Style::Percent) => "%s".to_owned(),
            Spelling::Like(Style::PercentNamed) => format!("%({name})s"),
            Spelling::Like(Style::Colon) => format!(":{name}"),
            Spelling::Like(Style::At) => format!("@{name}"),
            Spelling::Like(Style::Hash) => format!("#{{{name}}}"),
        }
    }
}

/// The highest number of a parameter `$n`.
pub(super) fn highest(tokens: &[Token<'_>]) -> usize {
    let numbers = tokens.iter().filter(|token| token.kind == Kind::Param(Style::Dollar));
    numbers.filter_map(|token| token.text.get(1..)?.parse().ok()).max().unwrap_or(0)
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
