//! Texts of statements, without what stands in them of values: pg_stat_statements leaves constants out of most, but not out of all.

/// A longer text is cut off.
const LONGEST: usize = 300;

/// What reads or writes rows. Others, such as CREATE ROLE, are kept with all that stands in them, passwords too.
const SHOWN: [&str; 6] = ["select", "insert", "update", "delete", "with", "merge"];

/// The statement on one line, with `?` for each constant, without comments; `None` for one that is not shown at all. On a node of Citus the
/// number of a shard is cut off its name: so the statements of all shards are one.
pub(super) fn masked(text: &str, is_citus: bool) -> Option<String> {
    let mut out = Masked { text: String::with_capacity(text.len().min(LONGEST)), needs_space: false };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = piece(rest, c, is_citus, &mut out);
        rest = rest.get(taken..).unwrap_or_default();
        if out.text.chars().count() > LONGEST {
            out.text = out.text.chars().take(LONGEST).collect();
            out.text.push('…');
            break;
        }
    }
    let first = out.text.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty())?;
    SHOWN.contains(&first.to_ascii_lowercase().as_str()).then_some(out.text)
}

struct Masked {
    text: String,
    needs_space: bool,
}

impl Masked {
    fn push(&mut self, piece: &str) {
        if self.needs_space && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.needs_space = false;
        self.text.push_str(piece);
    }
}

/// Reads one piece of the text, and returns how long it is.
fn piece(rest: &str, first: char, is_citus: bool, out: &mut Masked) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    if first.is_whitespace() {
        out.needs_space = true;
        return first.len_utf8();
    }
    if rest.starts_with("--") {
        out.needs_space = true;
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        out.needs_space = true;
        return comment(rest);
    }
    match first {
        '\'' => {
            out.push("?");
            quoted(rest, '\'', false)
        }
        '"' => {
            let end = quoted(rest, '"', false);
            out.push(rest.get(..end).unwrap_or_default());
            end
        }
        '$' => match dollar_quoted(rest) {
            Some(end) => {
                out.push("?");
                end
            }
            None => {
                let end = rest.char_indices().skip(1).find(|(_, c)| !is_word(*c)).map_or(rest.len(), |(at, _)| at);
                out.push(rest.get(..end).unwrap_or_default());
                end
            }
        },
        digit if digit.is_ascii_digit() => {
            out.push("?");
            let in_number = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            rest.find(|c: char| !in_number(c)).unwrap_or(rest.len())
        }
        letter if is_word(letter) => {
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            let behind = rest.get(end..).unwrap_or_default();
            // E'…', B'…', X'…', N'…'
            if behind.starts_with('\'') && word.len() == 1 {
                out.push("?");
                return end + quoted(behind, '\'', word.eq_ignore_ascii_case("e"));
            }
            out.push(if is_citus { without_shard(word) } else { word });
            end
        }
        sign => {
            out.push(rest.get(..sign.len_utf8()).unwrap_or_default());
            sign.len_utf8()
        }
    }
}

/// Behind the quote that ends it; the whole text where none does.
fn quoted(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if has_escapes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..tag_end)?;
    let name = tag.trim_matches('$');
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let body = text.get(tag_end..)?;
    Some(body.find(tag).map_or(text.len(), |end| tag_end + end + tag.len()))
}

/// Behind a comment; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = match rest {
            open if open.starts_with("/*") => {
                depth += 1;
                2
            }
            close if close.starts_with("*/") => {
                depth = depth.saturating_sub(1);
                2
            }
            other => other.chars().next().map_or(1, char::len_utf8),
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Numbers of shards begin at 102008.
fn without_shard(word: &str) -> &str {
    match word.rsplit_once('_') {
        Some((name, number)) if number.len() >= 6 && !name.is_empty() && number.bytes().all(|c| c.is_ascii_digit()) => {
            name
        }
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn no_constant_is_shown() {
        for (text, shown) in [
            ("SELECT * FROM t WHERE a = $1", "SELECT * FROM t WHERE a = $1"),
            ("select\n  'se''cret',  E'se\\'cret', 42, 4.2e5, t1 from t2", "select ?, ?, ?, ?, t1 from t2"),
            ("SELECT $$secret$$, $a$se$cret$a$ -- secret\n FROM /* se /* cre */ t */ t", "SELECT ?, ? FROM t"),
            ("INSERT INTO \"select 1\" VALUES (x'1f', -1)", "INSERT INTO \"select 1\" VALUES (?, -?)"),
            ("WITH x AS (SELECT 1) UPDATE t SET a = 'cut off in the middl", "WITH x AS (SELECT ?) UPDATE t SET a = ?"),
            ("(SELECT 'ä' || ü)", "(SELECT ? || ü)"),
        ] {
            assert_eq!(masked(text, false).as_deref(), Some(shown));
        }
    }

    #[test]
    fn what_may_hold_a_password_is_not_shown() {
        for text in [
            "CREATE ROLE a PASSWORD 'secret'",
            "ALTER ROLE a PASSWORD 'secret'",
            "SET x = 'secret'",
            "",
            "--",
            "$$select$$",
        ] {
            assert_eq!(masked(text, false), None, "{text}");
        }
    }

    #[test]
    fn the_statements_of_all_shards_are_one() {
        let one = "SELECT id FROM public.wallets_102008 wallets WHERE a_1 = $1";
        assert_eq!(masked(one, true).as_deref(), Some("SELECT id FROM public.wallets wallets WHERE a_1 = $1"));
        assert_eq!(masked("SELECT id FROM entries_202401", false).as_deref(), Some("SELECT id FROM entries_202401"));
    }

    #[test]
    fn a_long_text_is_cut_off() {
        let long = masked(&format!("SELECT {}", "a + ".repeat(1_000)), false).expect("it is shown");
        assert_eq!((long.chars().count(), long.ends_with('…')), (301, true));
    }
}
