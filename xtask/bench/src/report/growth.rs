//! How costs grow: rows that are points of lines.

use serde::Serialize;

use super::{LeftOut, Row};
use crate::measure::Quantity;
use crate::rounds::Rounds;
use crate::stats;

/// The lines that a section's rows are points of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Growth {
    /// What grows, such as `crates`.
    pub(crate) of: &'static str,
    /// A line for each who took part, of each quantity.
    pub(crate) lines: Vec<Line>,
}

/// What something costs while something else grows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    /// Whose it is.
    pub(crate) name: String,
    /// What it costs.
    pub(crate) quantity: Quantity,
    /// What there is, and the median of what it costs.
    pub(crate) points: Vec<(f64, f64)>,
    /// What it would cost without any.
    pub(crate) base: f64,
    /// What each adds.
    pub(crate) slope: f64,
}

/// Points while they are measured.
pub(crate) struct Points {
    of: &'static str,
    /// The name of the line, and what there was, for each row.
    places: Vec<(String, f64)>,
    rows: Vec<Row>,
    left_out: Vec<LeftOut>,
}

impl Points {
    /// None yet.
    pub(crate) fn new(of: &'static str) -> Points {
        Points { of, places: Vec::new(), rows: Vec::new(), left_out: Vec::new() }
    }

    /// Adds what was measured with so many of it; the rows have the names of their lines.
    pub(crate) fn add(&mut self, at: f64, rounds: Rounds) {
        let name = |name: &str| format!("{name}, {}", counted(at, self.of));
        for row in rounds.rows {
            self.rows.push(Row { name: name(&row.name), ..row.clone() });
            self.places.push((row.name, at));
        }
        self.left_out.extend(rounds.left_out.into_iter().map(|one| LeftOut { name: name(&one.name), ..one }));
    }

    /// The rows, and the lines of `quantities` through them.
    pub(crate) fn finish(self, quantities: &[Quantity]) -> (Rounds, Growth) {
        let mut names = Vec::new();
        for (name, _) in &self.places {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let line = |quantity: Quantity, name: &String| {
            let own = self.places.iter().zip(&self.rows).filter(|((line, _), _)| line == name);
            let points = own.filter_map(|((_, at), row)| Some((*at, row.spread(quantity)?.median)));
            let points = points.collect::<Vec<_>>();
            let (base, slope) = stats::line(&points)?;
            Some(Line { name: name.clone(), quantity, points, base, slope })
        };
        let lines =
            quantities.iter().flat_map(|quantity| names.iter().filter_map(|name| line(*quantity, name)));
        let growth = Growth { of: self.of, lines: lines.collect() };
        (Rounds { rows: self.rows, left_out: self.left_out }, growth)
    }
}

impl Line {
    /// Its slope, for people.
    pub(super) fn shown(&self, of: &str) -> String {
        format!("{} and {} for each {}", significant(self.base), significant(self.slope), one(of))
    }
}

/// How many there are, for people: `1 crate`, `10 crates`.
pub(super) fn counted(count: f64, of: &str) -> String {
    let count = significant(count);
    let of = if count == "1" { one(of) } else { of };
    format!("{count} {of}")
}

/// The singular; units have no other.
fn one(of: &str) -> &str {
    of.strip_suffix('s').unwrap_or(of)
}

/// A number with three digits that mean something.
pub(super) fn significant(value: f64) -> String {
    let digits = value.abs().log10().floor();
    match digits {
        // A zero has no logarithm that is a number.
        _ if !digits.is_finite() => "0".to_owned(),
        _ if digits >= 2.0 => format!("{value:.0}"),
        _ => {
            let text = format!("{value:.*}", (2.0 - digits) as usize);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Sample;

    fn rounds(seconds: f64) -> Rounds {
        let row = |name: &str, seconds| Row {
            name: name.to_owned(),
            samples: vec![Sample::from([(Quantity::Seconds, seconds)])],
        };
        let left_out = vec![LeftOut { name: "c".to_owned(), why: "why".to_owned() }];
        Rounds { rows: vec![row("b", seconds), row("a", 7.0)], left_out }
    }

    #[test]
    fn a_line_goes_through_the_points_of_one() {
        let mut points = Points::new("crates");
        for count in [1.0, 10.0, 50.0] {
            points.add(count, rounds(4.0 + 0.03 * count));
        }
        let (rounds, growth) = points.finish(&[Quantity::Seconds, Quantity::Sent]);
        let names = rounds.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names[..3], ["b, 1 crate", "a, 1 crate", "b, 10 crates"]);
        assert_eq!(rounds.left_out[2].name, "c, 50 crates");
        let [b, a] = &growth.lines[..] else { panic!("{growth:?}") };
        assert_eq!((b.name.as_str(), b.shown(growth.of).as_str()), ("b", "4 and 0.03 for each crate"));
        assert_eq!((a.shown(growth.of).as_str(), a.points.len()), ("7 and 0 for each crate", 3));
    }

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        let shown = [0.0, 1234.5, 1.0, 0.1234, 0.000_012_34, -2.5].map(significant);
        assert_eq!(shown, ["0", "1234", "1", "0.123", "0.0000123", "-2.5"]);
    }
}
