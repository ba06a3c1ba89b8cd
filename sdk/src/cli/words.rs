//! What somebody who mistyped a word may have meant.

/// ` (did you mean "…"?)`, where a known word is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    /// Below that it would be a guess.
    const NEAR: f64 = 0.75;
    let near =
        known.into_iter().map(|known| (strsim::jaro_winkler(&word.to_lowercase(), &known.to_lowercase()), known));
    let nearest = near.filter(|(likeness, _)| *likeness >= NEAR).max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, known)| format!(" (did you mean {known:?}?)")).unwrap_or_default()
}

/// The words with commas; `none` where there are none.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn only_a_near_word_is_offered() {
        let known = ["transactions", "wallets"];
        assert_eq!(did_you_mean("Transaction", known), " (did you mean \"transactions\"?)");
        assert_eq!(did_you_mean("festivals", ["users"]), "");
    }
}
