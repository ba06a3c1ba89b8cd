//! A message that can be put together while a program is compiled.

/// Longer ones are cut.
const LONGEST: usize = 1024;
/// Of a line of the text, so much is shown before the place, and so much from there on.
const BEFORE: usize = 60;
const BEHIND: usize = 60;

/// A text of up to a thousand bytes, made of pieces. What a constant panics with has to be one `&str`.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Message {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: [0; LONGEST], len: 0 }
    }

    /// With this piece behind.
    #[must_use]
    pub const fn and(mut self, piece: &str) -> Self {
        let piece = piece.as_bytes();
        let len = start_of_character(piece, smaller(piece.len(), LONGEST - self.len));
        let mut at = 0;
        while at < len {
            self.bytes[self.len + at] = piece[at];
            at += 1;
        }
        self.len += len;
        self
    }

    /// With the line of the text behind that has this place, and a mark under it.
    #[must_use]
    pub const fn pointing_into(self, text: &str, place: (usize, usize)) -> Self {
        let bytes = text.as_bytes();
        let start = smaller(place.0, bytes.len());
        let mut line = start;
        while line > 0 && bytes[line - 1] != b'\n' && start - line < BEFORE {
            line -= 1;
        }
        let line = start_of_character(bytes, line);
        let mut end = start;
        while end < bytes.len() && bytes[end] != b'\n' && end - start < BEHIND {
            end += 1;
        }
        let end = start_of_character(bytes, end);
        let mut out = self.and("\n  ").and(between(text, line, end)).and("\n  ");
        let mut at = line;
        while at < start {
            if is_start(bytes[at]) {
                // What is as wide as it, at least in most fonts.
                out = out.and(if bytes[at] == b'\t' { "\t" } else { " " });
            }
            at += 1;
        }
        out = out.and("^");
        at = start + 1;
        while at < smaller(place.1, end) {
            if is_start(bytes[at]) {
                out = out.and("^");
            }
            at += 1;
        }
        out
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => panic!("whole characters were put in"),
        }
    }
}

impl Default for Message {
    fn default() -> Self {
        Self::new()
    }
}

const fn between(text: &str, start: usize, end: usize) -> &str {
    text.split_at(end).0.split_at(start).1
}

/// The place, or the start of the character that it is in.
const fn start_of_character(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && at > 0 && !is_start(bytes[at]) {
        at -= 1;
    }
    at
}

const fn is_start(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

const fn smaller(one: usize, other: usize) -> usize {
    if one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Message};

    #[test]
    fn a_place_is_marked_in_its_line() {
        let text = "SELECT größe\nFROM wällets w\nWHERE true";
        let start = text.find("wällets").expect("it is there");
        let message = Message::new().and("no").pointing_into(text, (start, start + "wällets".len()));
        assert_eq!(message.as_str(), "no\n  FROM wällets w\n       ^^^^^^^");
        let message = Message::new().pointing_into(text, (7, text.len()));
        assert_eq!(message.as_str(), "\n  SELECT größe\n         ^^^^^");
    }

    #[test]
    fn places_at_the_edges_are_marked() {
        let at = |text: &str, place| Message::new().pointing_into(text, place).as_str().to_owned();
        assert_eq!(at("", (0, 0)), "\n  \n  ^");
        assert_eq!(at("ab", (2, 2)), "\n  ab\n    ^");
        assert_eq!(at("ab", (9, 12)), "\n  ab\n    ^");
        assert_eq!(at("a\tb", (2, 3)), "\n  a\tb\n   \t^");
    }

    #[test]
    fn long_lines_and_messages_are_cut_between_characters() {
        let line = "ü".repeat(500);
        let message = Message::new().pointing_into(&line, (400, 600));
        assert!(message.as_str().lines().all(|line| line.chars().count() < 70), "{}", message.as_str());
        let message = Message::new().and("x").and(&"ü".repeat(LONGEST));
        assert_eq!(message.as_str().len(), LONGEST - 1);
        assert_eq!(message.and("more").and("ü").as_str().len(), LONGEST);
    }

    #[test]
    fn it_is_a_constant() {
        const MESSAGE: Message = Message::new().and("a").pointing_into("b", (0, 1));
        assert_eq!(MESSAGE.as_str(), "a\n  b\n  ^");
    }
}
