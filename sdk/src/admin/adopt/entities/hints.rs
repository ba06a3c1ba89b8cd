//! Values that meet simple conditions on one column, read from the conditions as PostgreSQL prints them. Pure.
//!
//! What is not understood gives no hint: then a person changes the value where it is refused.

/// A text that meets a condition.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// This one.
    Is(String),
    /// One of so many letters.
    Length(usize),
}

/// What a text has to be.
pub(super) fn text(conditions: &[String]) -> Option<Hint> {
    conditions.iter().find_map(|condition| {
        let literal = literal(condition);
        if condition.contains(" ~~ ") {
            return literal.map(|text| Hint::Is(text.replace(['%', '_'], "a")));
        }
        if condition.contains("length(") {
            return number(std::slice::from_ref(condition))
                .and_then(|length| usize::try_from(length).ok())
                .map(Hint::Length);
        }
        let is_listed = condition.contains(" = ANY (") || condition.contains(" = '");
        literal.filter(|_| is_listed).map(Hint::Is)
    })
}

/// What a number has to be.
pub(super) fn number(conditions: &[String]) -> Option<i64> {
    let found = conditions.iter().filter_map(|condition| {
        let words: Vec<&str> = condition.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let found = words.windows(2).filter_map(|pair| {
            let [operator, value] = pair else { return None };
            match *operator {
                ">=" | "=" => plain(value),
                ">" => plain(value).map(|number| number + 1),
                "ANY" => plain(value.rsplit('[').next()?),
                _ => None,
            }
        });
        found.max()
    });
    found.max()
}

/// `10` of `(10)::numeric`.
fn plain(word: &str) -> Option<i64> {
    let word = word.split("::").next().unwrap_or(word);
    word.trim_matches(['(', ')', '[', ']', '\'']).parse().ok()
}

/// The first literal.
fn literal(condition: &str) -> Option<String> {
    let mut letters = condition[condition.find('\'')? + 1..].chars().peekable();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '\'' if letters.peek() == Some(&'\'') => {
                letters.next();
                text.push('\'');
            }
            '\'' => return Some(text),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hint, number, text};

    #[test]
    fn simple_conditions_tell_a_value() {
        let is = |condition: &str| text(&[condition.to_owned()]);
        let found = is("(state)::text = ANY ((ARRAY['open'::character varying, 'won''t'::character varying])::text[])");
        assert_eq!(found, Some(Hint::Is("open".to_owned())));
        assert_eq!(is("kind = 'it''s'::text"), Some(Hint::Is("it's".to_owned())));
        assert_eq!(is("email ~~ '%@%'::text"), Some(Hint::Is("a@a".to_owned())));
        assert_eq!(is("char_length(code) = 2"), Some(Hint::Length(2)));
        assert_eq!(is("name ~ '^[a-z]+$'::text"), None);
        assert_eq!(is("name <> ''::text"), None);
    }

    #[test]
    fn simple_conditions_tell_a_number() {
        let is = |condition: &str| number(&[condition.to_owned()]);
        assert_eq!(is("balance >= 0"), Some(0));
        assert_eq!(is("(price > (10)::numeric) AND (price < (100)::numeric)"), Some(11));
        assert_eq!(is("stars = ANY (ARRAY[3, 5])"), Some(3));
        assert_eq!(is("amount <> 0"), None);
        assert_eq!(is("rate > '-5'::integer"), Some(-4));
    }
}
