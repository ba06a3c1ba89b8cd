//! Words: what somebody who mistyped one may have meant, and how times are said.

use std::time::Duration;

/// A time as people say it: `1m 30s`. Of one that was measured, to the millisecond.
pub(super) fn time(time: Duration) -> String {
    let millis = Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    humantime::format_duration(if millis.is_zero() { time } else { millis }).to_string()
}

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
