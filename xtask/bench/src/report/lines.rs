//! Plots of how costs grow, as SVG: one below the other for each quantity, a line for each who took part.

use std::fmt::Write as _;

use super::growth::{Growth, Line, counted};
use super::page::escaped;
use crate::measure::Quantity;

/// Sizes in pixels: of a plot, and of what is around its lines.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 54.0;
const BOTTOM: f64 = 30.0;
/// From which factor between the least and the greatest value on an axis is logarithmic.
const WIDE: f64 = 30.0;

/// How high the plots are together, in pixels.
pub(super) fn height(growth: &Growth) -> f64 {
    quantities(growth).len() as f64 * HEIGHT
}

/// The plots. Their colours are by the page's variables.
pub(super) fn plot(growth: &Growth, title: &str) -> String {
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        height(growth),
        escaped(title)
    );
    for (index, quantity) in quantities(growth).into_iter().enumerate() {
        let lines = growth.lines.iter().filter(|line| line.quantity == quantity).collect::<Vec<_>>();
        panel(&mut svg, index as f64 * HEIGHT, growth.of, &lines);
    }
    svg + "</svg>"
}

fn quantities(growth: &Growth) -> Vec<Quantity> {
    let mut all = growth.lines.iter().map(|line| line.quantity).collect::<Vec<_>>();
    all.sort_unstable();
    all.dedup();
    all
}

fn panel(svg: &mut String, top: f64, of: &str, lines: &[&Line]) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = Axis::new(points().map(|(x, _)| *x), LEFT, WIDTH - RIGHT);
    let up = Axis::new(points().map(|(_, y)| *y), top + HEIGHT - BOTTOM, top + TOP);
    let floor = top + HEIGHT - BOTTOM;
    let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {floor}H{}\"/>", WIDTH - RIGHT);
    for (index, line) in lines.iter().enumerate() {
        let kind = if index == 0 { "base" } else { "other" };
        let legend = format!("{}: {} = {}", line.name, line.quantity.title(), line.shown(of));
        let _ = write!(
            svg,
            "<text class=\"legend {kind}\" x=\"{LEFT}\" y=\"{}\">{}</text>",
            top + 16.0 + 18.0 * index as f64,
            escaped(&legend)
        );
        let places = line.points.iter().map(|(x, y)| format!("{:.1} {:.1}", across.at(*x), up.at(*y)));
        let path = places.collect::<Vec<_>>().join("L");
        let _ = write!(svg, "<path class=\"line {kind}\" d=\"M{path}\"/>");
        for (x, y) in &line.points {
            // Figures of the uppermost line are above it, those of others below.
            let is_uppermost = points().all(|(other, cost)| other.total_cmp(x).is_ne() || cost <= y);
            let beside = if is_uppermost { -8.0 } else { 18.0 };
            let _ = write!(
                svg,
                "<circle class=\"{kind}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>\
                 <text class=\"figure middle\" x=\"{0:.1}\" y=\"{:.1}\">{}</text>",
                across.at(*x),
                up.at(*y),
                up.at(*y) + beside,
                line.quantity.show(*y),
            );
        }
    }
    let mut places = points().map(|(x, _)| *x).collect::<Vec<_>>();
    places.sort_by(f64::total_cmp);
    places.dedup();
    for place in places {
        let _ = write!(
            svg,
            "<text class=\"middle\" x=\"{:.1}\" y=\"{}\">{}</text>",
            across.at(place),
            floor + 18.0,
            escaped(&counted(place, of))
        );
    }
}

/// Where values are in pixels.
struct Axis {
    from: f64,
    to: f64,
    least: f64,
    most: f64,
    is_logarithmic: bool,
}

impl Axis {
    /// One that begins with 0 at `from`, or is logarithmic if values are far apart.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (least, most) =
            values.fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), one| (least.min(one), most.max(one)));
        let is_logarithmic = least > 0.0 && most / least > WIDE;
        Axis { from, to, least, most, is_logarithmic }
    }

    fn at(&self, value: f64) -> f64 {
        // Room for what stands at the least of them.
        let share = if self.is_logarithmic {
            0.06 + 0.94 * (value / self.least).ln() / (self.most / self.least).ln()
        } else {
            value / self.most
        };
        self.from + share * (self.to - self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_within_their_plots() {
        let line = |name: &str, quantity, scale: f64| Line {
            name: name.to_owned(),
            quantity,
            points: vec![(1.0, scale), (10.0, 2.0 * scale), (1000.0, 100.0 * scale)],
            base: scale,
            slope: 0.1,
        };
        let lines = vec![
            line("galley", Quantity::Seconds, 1.0),
            line("<cargo>", Quantity::Seconds, 0.5),
            line("galley", Quantity::Memory, 3.0),
        ];
        let growth = Growth { of: "crates", lines };
        let svg = plot(&growth, "a & b");
        assert_eq!((svg.matches("<circle").count(), svg.matches("class=\"line").count()), (9, 3));
        assert!(svg.contains("&lt;cargo&gt;: seconds = 0.5 and 0.1 for each crate"), "{svg}");
        let numbers = |name: &str| {
            let of = format!(" {name}=\"");
            let found = svg.split(&of).skip(1).map(|rest| rest.split('"').next().unwrap().parse::<f64>());
            found.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let (across, up) = (numbers("cx"), numbers("cy"));
        assert!(across.iter().all(|x| (LEFT..=WIDTH - RIGHT).contains(x)), "{across:?}");
        assert!(up.iter().all(|y| (TOP..=height(&growth) - BOTTOM).contains(y)), "{up:?}");
        // Figures are where no other line is: above the first line, and below the second.
        let figures = svg.split("class=\"figure middle\"").skip(1).map(|rest| {
            rest.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
        });
        let is_above = figures.zip(&up).map(|(figure, point)| figure < *point).collect::<Vec<_>>();
        assert_eq!(is_above, [true, true, true, false, false, false, true, true, true]);
        // What costs more is higher.
        assert!(up[0] > up[1] && up[1] > up[2] && up[3] > up[0], "{up:?}");
    }
}
