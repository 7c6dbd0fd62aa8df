//! A plot of a section: a bar for each row, with its least and its greatest value, as SVG; or lines, where costs grow.

use std::fmt::Write as _;

use super::page::escaped;
use super::{Section, lines};

/// Sizes in pixels.
const WIDTH: f64 = 760.0;
const NAMES: f64 = 150.0;
const FIGURES: f64 = 130.0;
const BAR: f64 = 18.0;
const ROW: f64 = 28.0;

/// How high the plot is, in pixels.
pub(super) fn height(section: &Section) -> f64 {
    section.growth.as_ref().map_or(section.rows.len() as f64 * ROW + 8.0, lines::height)
}

/// The plot. Its colours are by the page's variables.
pub(super) fn plot(section: &Section) -> String {
    match &section.growth {
        Some(growth) => lines::plot(growth, &section.title),
        None => bars(section),
    }
}

fn bars(section: &Section) -> String {
    let main = section.main;
    let spreads = section.rows.iter().map(|row| row.spread(main)).collect::<Vec<_>>();
    let most = spreads.iter().flatten().map(|spread| spread.max).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| NAMES + value / most * (WIDTH - NAMES - FIGURES);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        height(section),
        escaped(&format!("{}: {}", section.title, main.title()))
    );
    for (index, (row, spread)) in section.rows.iter().zip(&spreads).enumerate() {
        let top = 4.0 + index as f64 * ROW;
        let (middle, base) = (top + BAR / 2.0, top + BAR * 0.75);
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{}\" y=\"{base}\">{}</text>",
            NAMES - 8.0,
            escaped(&row.name)
        );
        let Some(spread) = spread else { continue };
        let kind = match &row.name {
            name if *name == section.base => "base",
            name if Some(name) == section.limit.as_ref() => "limit",
            _ => "other",
        };
        let width = x(spread.median) - NAMES;
        let _ = write!(
            svg,
            "<rect class=\"{kind}\" x=\"{NAMES}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR}\"/>\
             <path class=\"reach\" d=\"M{:.1} {middle}H{:.1}\"/>\
             <text class=\"figure\" x=\"{:.1}\" y=\"{base}\">{} {}</text>",
            x(spread.min),
            x(spread.max),
            x(spread.max) + 6.0,
            main.show(spread.median),
            escaped(unit(main.title())),
        );
    }
    svg + "</svg>"
}

/// Short where everybody knows it.
fn unit(title: &str) -> &str {
    match title {
        "seconds" => "s",
        "ms to an answer" => "ms",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn every_row_has_a_bar_within_the_plot() {
        let svg = plot(&report().sections[0]);
        assert_eq!(svg.matches("<rect").count(), 3);
        let of = |kind: &str| svg.matches(&format!("class=\"{kind}\"")).count();
        assert_eq!((of("base"), of("limit"), of("other"), of("reach")), (1, 1, 1, 3));
        let widths = svg
            .split(" width=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap());
        assert!(widths.clone().all(|width| width > 0.0 && width <= WIDTH - NAMES - FIGURES), "{svg}");
        assert!(widths.clone().fold(0.0, f64::max) > 400.0);
    }
}
