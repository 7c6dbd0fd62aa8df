//! A chart of points over builds, drawn as SVG whose places are shares of its width: it fits every screen without a script,
//! and its text stays as large as that of the page.

use maud::{Markup, html};

use super::units::ticks;

/// The height of the area, in pixels.
const HEIGHT: f64 = 220.0;
/// How many builds the line of medians looks back on.
const WINDOW: usize = 9;

/// One value of one build.
pub(super) struct Point {
    /// The build.
    pub(super) build: i64,
    /// Where it is among all builds of the page.
    pub(super) place: usize,
    /// Which series it belongs to.
    pub(super) series: usize,
    /// In the chart's unit.
    pub(super) value: f64,
    /// Whether the build failed.
    pub(super) is_failed: bool,
    /// What it is, for people.
    pub(super) title: String,
}

/// A piece of the line of a series, from one place and value to another.
type Piece = ((usize, f64), (usize, f64), usize);

/// What a chart is of.
pub(super) struct Chart<'a> {
    /// Its heading, which labels it.
    pub(super) title: &'a str,
    /// How a value is written beside the axis.
    pub(super) unit: fn(f64) -> String,
    /// Whether values are seconds.
    pub(super) is_time: bool,
    /// The builds of the page, first to last.
    pub(super) builds: &'a [i64],
    /// What is shown.
    pub(super) points: &'a [Point],
}

impl Chart<'_> {
    /// The chart; the table beside it is for those who cannot see it.
    pub(super) fn draw(&self) -> Markup {
        let (from, to) = self.range();
        let y = |value: f64| format!("{:.1}", HEIGHT * (to - value) / (to - from));
        let lines = ticks(from, to, 5, self.is_time);
        html! {
            div.chart role="img" aria-label={ (self.title) ": the values are in the table below" } {
                svg.values aria-hidden="true" {
                    @for at in &lines { text x="100%" y=(y(*at)) { ((self.unit)(*at)) } }
                }
                svg.area aria-hidden="true" {
                    @for at in &lines { line.grid x1="0" x2="100%" y1=(y(*at)) y2=(y(*at)) {} }
                    @for (from, to, series) in self.medians() {
                        line class={ "median s" (series) } x1=(self.x(from.0)) y1=(y(from.1)) x2=(self.x(to.0)) y2=(y(to.1)) {}
                    }
                    @for point in self.points { (self.dot(point, &y(point.value))) }
                }
                svg.places aria-hidden="true" {
                    @for (place, build) in self.places() {
                        text class=(side(place, self.builds.len())) x=(self.x(place)) y="14" { "#" (build) }
                    }
                }
            }
        }
    }

    /// What the height stands for. Times begin at 0; of sizes, which differ by little, only where they are is shown.
    fn range(&self) -> (f64, f64) {
        let values = || self.points.iter().map(|point| point.value);
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        if self.is_time || least > most {
            return (0.0, (most * 1.06).max(0.001));
        }
        let margin = ((most - least) * 0.15).max(most * 0.01).max(1.0);
        ((least - margin).max(0.0), most + margin)
    }

    /// A disc, or a cross for a build that failed. The table has the same links for the keyboard.
    fn dot(&self, point: &Point, y: &str) -> Markup {
        let x = self.x(point.place);
        html! {
            a href={ "/builds/" (point.build) } tabindex="-1" {
                title { (point.title) }
                @if point.is_failed {
                    svg.cross x=(x) y=(y) { path d="M-4-4 4 4M-4 4 4-4" {} circle.hit r="7" {} }
                } @else {
                    circle class={ "s" (point.series) } cx=(x) cy=(y) r="3.5" {}
                }
            }
        }
    }

    /// Pieces of a line through the medians of the last few builds that were done, for each series.
    fn medians(&self) -> Vec<Piece> {
        let count = self.points.iter().map(|point| point.series + 1).max().unwrap_or(0);
        let mut pieces = Vec::new();
        for series in 0..count {
            let done = self.points.iter().filter(|point| point.series == series && !point.is_failed);
            let done: Vec<(usize, f64)> = done.map(|point| (point.place, point.value)).collect();
            let line = (0..done.len()).map(|at| {
                let window = &done[(at + 1).saturating_sub(WINDOW)..=at];
                (done[at].0, median(window.iter().map(|(_, value)| *value)).unwrap_or_default())
            });
            let line: Vec<_> = line.collect();
            pieces.extend(line.windows(2).map(|pair| (pair[0], pair[1], series)));
        }
        pieces
    }

    fn x(&self, place: usize) -> String {
        format!("{:.2}%", 100.0 * (place as f64 + 0.5) / self.builds.len().max(1) as f64)
    }

    /// The builds that the axis names.
    fn places(&self) -> impl Iterator<Item = (usize, i64)> {
        let step = self.builds.len().div_ceil(5).max(1);
        self.builds.iter().copied().enumerate().step_by(step)
    }
}

/// On which side of its place a text is, so that none sticks out.
fn side(place: usize, count: usize) -> &'static str {
    match place * 10 / count.max(1) {
        0 => "first",
        9 => "last",
        _ => "middle",
    }
}

/// The middle of some values.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values.get(middle).copied(),
        _ => Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(place: usize, value: f64, is_failed: bool) -> Point {
        Point { build: place as i64, place, series: 0, value, is_failed, title: String::new() }
    }

    #[test]
    fn medians_are_of_the_builds_that_were_done() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
        let points = [point(0, 1.0, false), point(1, 99.0, true), point(2, 3.0, false)];
        let chart =
            Chart { title: "", unit: |_| String::new(), is_time: true, builds: &[0, 1, 2], points: &points };
        assert_eq!(chart.medians(), [((0, 1.0), (2, 2.0), 0)]);
    }
}
