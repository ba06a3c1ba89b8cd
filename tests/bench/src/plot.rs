//! Plots, as SVG without fonts of their own: a viewer has some.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::number;

const SIZE: (u32, u32) = (960, 560);
const TITLE: i32 = 20;
const TEXT: i32 = 14;
const MARGIN: i32 = 12;
const LEFT: u32 = 70;
const BOTTOM: u32 = 44;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line of a plot.
pub struct Line<'a> {
    /// As the legend calls it.
    pub title: &'a str,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// What the axes show.
pub struct Axes<'a> {
    /// Above all.
    pub title: &'a str,
    /// Below.
    pub x: &'a str,
    /// At the left.
    pub y: &'a str,
    /// The base of the marks below.
    pub x_base: f64,
    /// Whether the heights have to be comparable: from zero on, not by powers of ten.
    pub y_from_zero: bool,
}

/// Lines over a logarithmic axis, the first of them the thickest.
///
/// # Errors
/// When the file can't be written.
pub fn lines(path: &Path, axes: &Axes<'_>, lines: &[Line<'_>]) -> Result<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    draw_lines(&area, axes, lines).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn draw_lines(area: &Area<'_>, axes: &Axes<'_>, lines: &[Line<'_>]) -> Result<(), Failure> {
    area.fill(&WHITE)?;
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let least = |of: fn((f64, f64)) -> f64| all().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn((f64, f64)) -> f64| all().map(of).fold(0.0, f64::max);
    let (xs, highest) = (least(|(x, _)| x)..most(|(x, _)| x), most(|(_, y)| y) * 1.2);
    let mut chart = ChartBuilder::on(area);
    chart.caption(axes.title, ("sans-serif", TITLE)).margin(MARGIN);
    chart.x_label_area_size(BOTTOM).y_label_area_size(LEFT);
    // A macro, for the two kinds of chart have two types.
    macro_rules! draw {
        ($chart:expr) => {{
            let mut chart = $chart;
            let text = |number: &f64| label(*number);
            let mut mesh = chart.configure_mesh();
            mesh.x_desc(axes.x).y_desc(axes.y).label_style(("sans-serif", TEXT));
            mesh.light_line_style(WHITE).x_label_formatter(&text).y_label_formatter(&text).draw()?;
            for (at, line) in lines.iter().enumerate() {
                let style = colour(at).stroke_width(if at == 0 { 4 } else { 2 });
                chart
                    .draw_series(LineSeries::new(line.points.iter().copied(), style).point_size(3))?
                    .label(line.title)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            }
            let mut legend = chart.configure_series_labels();
            legend
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.2))
                .label_font(("sans-serif", TEXT));
            legend.draw()?;
        }};
    }
    if axes.y_from_zero {
        draw!(chart.build_cartesian_2d(xs.log_scale().base(axes.x_base), 0.0..highest)?);
    } else {
        draw!(
            chart
                .build_cartesian_2d(xs.log_scale().base(axes.x_base), (least(|(_, y)| y) * 0.8..highest).log_scale())?
        );
    }
    area.present()
}

/// A bar for each of these, with its number, in their order from the top; the one of this name stands out.
///
/// # Errors
/// When the file can't be written.
pub fn bars(path: &Path, title: &str, bars: &[(&str, f64)], ours: &str) -> Result<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    draw_bars(&area, title, bars, ours).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn draw_bars(area: &Area<'_>, title: &str, bars: &[(&str, f64)], ours: &str) -> Result<(), Failure> {
    const NAMES: i32 = 250;
    const NUMBERS: i32 = 90;
    const TOP: i32 = 50;
    area.fill(&WHITE)?;
    area.draw(&Text::new(title.to_owned(), (MARGIN, MARGIN), ("sans-serif", TITLE)))?;
    let (width, height) = (pixels(SIZE.0) - NAMES - NUMBERS, pixels(SIZE.1) - TOP - MARGIN);
    let most = bars.iter().map(|(_, number)| *number).fold(f64::MIN_POSITIVE, f64::max);
    let count = i32::try_from(bars.len()).unwrap_or(i32::MAX).max(1);
    for (at, (name, value)) in (0..).zip(bars) {
        let (top, thick) = (TOP + height * at / count, height / count * 2 / 3);
        let end = NAMES + scaled(width, value / most);
        let text = top + thick / 2 - TEXT / 2;
        area.draw(&Text::new((*name).to_owned(), (MARGIN, text), ("sans-serif", TEXT)))?;
        let colour = if *name == ours { colour(0) } else { RGBColor(150, 160, 175) };
        area.draw(&Rectangle::new([(NAMES, top), (end, top + thick)], colour.filled()))?;
        area.draw(&Text::new(number(*value), (end + 6, text), ("sans-serif", TEXT)))?;
    }
    area.present()
}

type Failure = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

fn colour(at: usize) -> RGBColor {
    let (red, green, blue) = Palette99::pick(at).rgb();
    RGBColor(red, green, blue)
}

/// A number of an axis.
fn label(number: f64) -> String {
    if number >= 10_000.0 { format!("{number:.0e}") } else { format!("{number:.0}") }
}

fn pixels(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A part of a length, to the pixel.
fn scaled(length: i32, part: f64) -> i32 {
    (0..=length).take_while(|&at| f64::from(at) <= f64::from(length) * part).last().unwrap_or(0)
}
