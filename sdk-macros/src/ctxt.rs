//! Gathers errors, so that one build shows all of them.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors so far.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: Option<syn::Error>,
}

impl Ctxt {
    /// Adds an error with the caret on these tokens.
    pub(crate) fn error(&mut self, on: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(on, message));
    }

    /// Adds an error.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// Whether there is no error so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// Does a part of the work, which sees its own errors alone.
    pub(crate) fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut part = Self::default();
        let value = work(&mut part);
        if let Some(errors) = part.errors {
            self.add(errors);
        }
        value
    }

    /// The value, or the error added and None.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// The value if there was no error; else all of them as code that makes the compiler show them.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, TokenStream> {
        match self.errors {
            None => Ok(value),
            Some(errors) => Err(errors.to_compile_error()),
        }
    }
}

/// The name in the list that the user may have meant.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `: did you mean …?` if there is such a name.
pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
    nearest(name, known).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["references", "rename", "key"];
        assert_eq!(nearest("reference", &known), Some("references"));
        assert_eq!(nearest("renamed", &known), Some("rename"));
        assert_eq!(nearest("kye", &known), None);
        assert_eq!(nearest("nothing", &known), None);
    }
}
