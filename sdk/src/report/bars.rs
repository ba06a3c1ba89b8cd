//! A picture of several values of one kind: a bar for each, below its name.

use maud::{Markup, html};

/// The picture's own units. It is drawn about as wide as it says, on a phone and on a desk, so that its text has one size.
const WIDTH: f64 = 340.0;
const ROW: f64 = 40.0;
const BAR: f64 = 12.0;
/// Below the rows, for the scale.
const FOOT: f64 = 22.0;

/// As many letters of a name as have room beside its value, whatever the font.
const MOST_OF_A_NAME: usize = 22;

pub(super) struct Bars {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) rows: Vec<Bar>,
    /// The whole width.
    pub(super) most: f64,
    pub(super) most_text: String,
    /// Where it begins to be a warning, and to be critical, with the words for it.
    pub(super) bounds: Vec<Bound>,
}

/// The class of its line, where it lies, and the words for it.
pub(super) type Bound = (&'static str, f64, String);

pub(super) struct Bar {
    pub(super) name: String,
    pub(super) text: String,
    /// `None`: it is not known.
    pub(super) value: Option<f64>,
    /// A thin line from the bar's end to here.
    pub(super) up_to: Option<f64>,
    /// A mark on it.
    pub(super) mark: Option<f64>,
    /// The class of its colour.
    pub(super) class: &'static str,
}

impl Bars {
    pub(super) fn figure(&self) -> Markup {
        let rows = f64::from(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let height = rows * ROW + FOOT;
        let shown: Vec<_> = self.bounds.iter().filter(|(_, at, _)| *at <= self.most).collect();
        let spoken = format!("{}: {}", self.title, self.spoken());
        html! {
            figure.chart {
                figcaption { b { (self.title) } " " span.soft { (self.about) } }
                svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(spoken) {
                    @for (at, row) in self.rows.iter().enumerate() { (self.row(at, row, &shown)) }
                    text.scale x="0" y=(height - 6.0) { "0" }
                    text.scale x=(WIDTH) y=(height - 6.0) text-anchor="end" { (self.most_text) }
                }
                @if !self.bounds.is_empty() {
                    p.key {
                        @for (class, _, words) in &self.bounds { span class=(format!("key {class}")) { (words) } }
                    }
                }
            }
        }
    }

    fn row(&self, at: usize, row: &Bar, bounds: &[&Bound]) -> Markup {
        let top = f64::from(u32::try_from(at).unwrap_or(u32::MAX)) * ROW;
        let (line, bar) = (top + 13.0, top + 19.0);
        html! {
            g {
                title { (row.name) ": " (row.text) }
                text x="0" y=(line) { (shortened(&row.name)) }
                text.value x=(WIDTH) y=(line) text-anchor="end" { (row.text) }
                rect.track x="0" y=(bar) width=(WIDTH) height=(BAR) rx="2" {}
                @for (class, at, _) in bounds {
                    line class=(class) x1=(self.x(*at)) x2=(self.x(*at)) y1=(bar - 2.0) y2=(bar + BAR + 2.0) {}
                }
                @if let Some(value) = row.value {
                    rect class=(row.class) x="0" y=(bar) width=(self.x(value).max(1.5)) height=(BAR) rx="2" {}
                    @if let Some(up_to) = row.up_to {
                        line.reach x1=(self.x(value)) x2=(self.x(up_to)) y1=(bar + BAR / 2.0) y2=(bar + BAR / 2.0) {}
                        line.reach x1=(self.x(up_to)) x2=(self.x(up_to)) y1=(bar + 2.0) y2=(bar + BAR - 2.0) {}
                    }
                    @if let Some(mark) = row.mark {
                        circle.mark cx=(self.x(mark).clamp(4.0, WIDTH - 4.0)) cy=(bar + BAR / 2.0) r="4" {}
                    }
                }
            }
        }
    }

    /// Within the picture, whatever it is.
    fn x(&self, value: f64) -> f64 {
        let share = if self.most > 0.0 { value / self.most } else { 0.0 };
        (share.clamp(0.0, 1.0) * WIDTH * 10.0).round() / 10.0
    }

    fn spoken(&self) -> String {
        let all: Vec<String> = self.rows.iter().map(|row| format!("{} {}", row.name, row.text)).collect();
        all.join("; ")
    }
}

/// What is in the middle of a long name tells least.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= MOST_OF_A_NAME {
        return name.to_owned();
    }
    let (begin, end) = (MOST_OF_A_NAME / 2, MOST_OF_A_NAME / 2 - 1);
    let begin: String = letters[..begin].iter().collect();
    let end: String = letters[letters.len() - end..].iter().collect();
    format!("{begin}…{end}")
}
