//! What `cache` says.

use syn::LitStr;

use crate::attr::Cache;
use crate::ctxt::{Ctxt, did_you_mean};
use crate::item::{set, unknown};
use crate::model::Caching;

/// The names, and the variants of `schema::CacheWay`.
const WAYS: [(&str, &str); 3] =
    [("read_through", "ReadThrough"), ("write_through", "WriteThrough"), ("cache_aside", "Aside")];

/// Below this a reader that loads a row has too little time to keep it.
const SHORTEST: u64 = 100;
/// What is kept for longer is no cache.
const LONGEST: u64 = 30 * 24 * 60 * 60 * 1_000;

/// How the rows are cached, if that makes sense.
pub(crate) fn caching(ctxt: &mut Ctxt, cache: &Cache) -> Option<Caching> {
    let way = WAYS.iter().find(|(name, _)| cache.way == name).map(|(_, variant)| *variant);
    if way.is_none() {
        let (name, known) = (cache.way.to_string(), WAYS.map(|(name, _)| name));
        let near = did_you_mean(&name, &known);
        ctxt.error(&cache.way, format!("`{name}` is no way to cache{near}\nthere are: {}", known.join(", ")));
    }
    let (mut ttl, mut negative) = (None, None);
    for item in &cache.items {
        match item.name.to_string().as_str() {
            "ttl" => set(ctxt, &mut ttl, item, item.text()),
            "negative" => set(ctxt, &mut negative, item, item.text()),
            _ => unknown(ctxt, item, "`cache`", &["ttl", "negative"], &[], ""),
        }
    }
    let Some(ttl_text) = ttl else {
        ctxt.error(&cache.way, "say how old a row may be: write `ttl = \"5m\"`");
        return None;
    };
    let ttl = time(ctxt, &ttl_text)?;
    let negative = match &negative {
        Some(text) => Some(time(ctxt, text)?),
        None => None,
    };
    if negative.is_some_and(|negative| negative > ttl) {
        ctxt.error(
            &ttl_text,
            "`negative` is longer than `ttl`: what is believed of a row that is not there is believed for less",
        );
    }
    Some(Caching { way: way?, ttl, negative })
}

/// A time with its unit, in milliseconds.
fn time(ctxt: &mut Ctxt, text: &LitStr) -> Option<u64> {
    let millis = millis(&text.value());
    match millis {
        None => ctxt.error(text, "write a time with its unit, such as \"500ms\", \"5s\", \"10m\", \"2h\" or \"1d\""),
        Some(millis) if !(SHORTEST..=LONGEST).contains(&millis) => {
            ctxt.error(text, "a cache keeps rows for 100 milliseconds at least, and for 30 days at most");
        }
        Some(_) => {}
    }
    millis
}

pub(crate) fn millis(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let unit = match text[digits..].trim() {
        "ms" => 1,
        "s" | "sec" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times_have_a_unit() {
        let good = [("500ms", 500), ("5s", 5_000), ("10 m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000)];
        for (text, expected) in good {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in ["", "5", "s", "5 s m", "-5s", "1.5s", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
