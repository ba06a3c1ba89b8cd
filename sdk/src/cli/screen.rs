//! What a person sees: lines and tables. Pure: the width of the terminal in, text out.

use std::fmt::Display;

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, TableStyle};

pub(super) use crate::status::bytes as size;

/// A line below the head and none elsewhere.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Lines and tables, one below the other.
#[derive(Debug)]
pub(super) struct Screen {
    width: Option<u16>,
    text: String,
}

impl Screen {
    /// For a terminal of so many columns; without one nothing is broken into lines.
    pub(super) fn new(width: Option<u16>) -> Self {
        Self { width, text: String::new() }
    }

    /// A line.
    pub(super) fn line(&mut self, line: impl Display) {
        for line in line.to_string().lines() {
            self.text.push_str(&harmless(line));
            self.text.push('\n');
        }
    }

    /// An empty line, unless nothing stands above it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A table; one without rows is left out.
    pub(super) fn table(&mut self, table: Table) {
        if table.rows.is_empty() {
            return;
        }
        let mut drawn = comfy_table::Table::new();
        drawn.load_style(STYLE).set_header(table.head);
        if let Some(width) = self.width {
            drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        for row in &table.rows {
            let cell = |(at, text): (usize, &String)| {
                let is_number = table.numbers.contains(&at);
                Cell::new(harmless(text)).set_alignment(if is_number {
                    CellAlignment::Right
                } else {
                    CellAlignment::Left
                })
            };
            drawn.add_row(row.iter().enumerate().map(cell).collect::<Vec<_>>());
        }
        for line in drawn.to_string().lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A table to be.
#[derive(Debug)]
pub(super) struct Table {
    head: Vec<&'static str>,
    numbers: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns. One whose name begins with `#` has numbers, which stand at its right.
    pub(super) fn new<const N: usize>(head: [&'static str; N]) -> Self {
        let numbers = head.iter().enumerate().filter(|(_, name)| name.starts_with('#')).map(|(at, _)| at).collect();
        let head = head.iter().map(|name| name.trim_start_matches('#')).collect();
        Self { head, numbers, rows: Vec::new() }
    }

    /// With these rows, where what they are is known elsewhere.
    pub(super) fn of(head: Vec<&'static str>, rows: Vec<Vec<String>>) -> Self {
        Self { head, numbers: Vec::new(), rows }
    }

    /// One more row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

/// Without what a terminal would obey: names come from elsewhere.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A number where there is one.
pub(super) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Screen, Table};

    #[test]
    fn tables_keep_within_the_terminal_and_obey_no_name() {
        let mut table = Table::new(["node", "#bytes"]);
        table.row(["a\u{1b}[2Jb ".repeat(20), "12".to_owned()]);
        let mut screen = Screen::new(Some(40));
        screen.table(table);
        let text = screen.into_text();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("a\u{fffd}[2Jb"), "{text}");
        let mut screen = Screen::new(None);
        screen.table(Table::new(["nothing"]));
        assert_eq!(screen.into_text(), "");
    }
}
