//! A figure: a number, what it counts, and the limit that it is held to.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Something that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: Unit,
    limit: Option<Limit>,
    detail: String,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Ratio,
    Count,
    Seconds,
    Milliseconds,
    Percent,
}

/// What a figure is held to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    /// One number divided by another.
    pub(crate) fn ratio(name: &str, value: f64) -> Figure {
        Figure::new(name, value, Unit::Ratio)
    }

    /// A number of things.
    pub(crate) fn count(name: &str, count: usize) -> Figure {
        Figure::new(name, count as f64, Unit::Count)
    }

    /// A number of things of which there must be none.
    pub(crate) fn none(name: &str, count: usize) -> Figure {
        Figure::count(name, count).at_most(0.0)
    }

    /// A time that people think of in seconds.
    pub(crate) fn seconds(name: &str, time: Duration) -> Figure {
        Figure::new(name, time.as_secs_f64(), Unit::Seconds)
    }

    /// A time that people think of in milliseconds.
    pub(crate) fn milliseconds(name: &str, time: Duration) -> Figure {
        Figure::new(name, time.as_secs_f64() * 1000.0, Unit::Milliseconds)
    }

    /// Hundredths.
    pub(crate) fn percent(name: &str, value: f64) -> Figure {
        Figure::new(name, value, Unit::Percent)
    }

    fn new(name: &str, value: f64, unit: Unit) -> Figure {
        Figure { name: name.to_owned(), value, unit, limit: None, detail: String::new() }
    }

    /// It must be no less, in its own unit.
    pub(crate) fn at_least(self, limit: f64) -> Figure {
        Figure { limit: Some(Limit::AtLeast(limit)), ..self }
    }

    /// It must be no more, in its own unit.
    pub(crate) fn at_most(self, limit: f64) -> Figure {
        Figure { limit: Some(Limit::AtMost(limit)), ..self }
    }

    /// What it was made of.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Figure {
        Figure { detail: detail.into(), ..self }
    }

    /// Whether it keeps to its limit; none without a limit.
    pub(super) fn is_kept(&self) -> Option<bool> {
        self.limit.map(|limit| match limit {
            Limit::AtLeast(limit) => self.value >= limit,
            Limit::AtMost(limit) => self.value <= limit,
        })
    }

    /// Name, value, limit and detail, for people.
    pub(super) fn cells(&self) -> [String; 4] {
        let limit = self.limit.map(|limit| match limit {
            Limit::AtLeast(limit) => format!("≥ {}", self.unit.show(limit)),
            Limit::AtMost(0.0) => "none".to_owned(),
            Limit::AtMost(limit) => format!("≤ {}", self.unit.show(limit)),
        });
        let value = match self.unit {
            // Limits are round numbers; what was measured has its digits.
            Unit::Ratio => format!("{:.2}", self.value),
            Unit::Percent => format!("{:.1} %", self.value),
            Unit::Seconds => format!("{:.2} s", self.value),
            Unit::Milliseconds => format!("{:.1} ms", self.value),
            Unit::Count => self.unit.show(self.value),
        };
        [self.name.clone(), value, limit.unwrap_or_default(), self.detail.clone()]
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, value, limit, detail] = self.cells();
        write!(f, "{name}: {value}")?;
        if !limit.is_empty() {
            write!(f, " (limit: {limit})")?;
        }
        if detail.is_empty() { Ok(()) } else { write!(f, "; {detail}") }
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Ratio | Unit::Count => value.to_string(),
            Unit::Seconds => format!("{value} s"),
            Unit::Milliseconds => format!("{value} ms"),
            Unit::Percent => format!("{value} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_itself_is_kept() {
        assert_eq!(Figure::ratio("x", 0.6).at_least(0.6).is_kept(), Some(true));
        assert_eq!(Figure::ratio("x", 0.59).at_least(0.6).is_kept(), Some(false));
        assert_eq!(Figure::seconds("x", Duration::from_secs(2)).at_most(2.0).is_kept(), Some(true));
        assert_eq!(Figure::none("x", 1).is_kept(), Some(false));
        assert_eq!(Figure::count("x", 1).is_kept(), None);
    }

    #[test]
    fn what_is_not_a_number_keeps_to_nothing() {
        assert_eq!(Figure::ratio("x", f64::NAN).at_least(0.6).is_kept(), Some(false));
        assert_eq!(Figure::ratio("x", f64::NAN).at_most(3.0).is_kept(), Some(false));
    }

    #[test]
    fn people_read_value_limit_and_detail() {
        let figure = Figure::milliseconds("p99", Duration::from_micros(4321)).at_most(50.0).detail("of 7");
        assert_eq!(figure.to_string(), "p99: 4.3 ms (limit: ≤ 50 ms); of 7");
        assert_eq!(Figure::none("lost", 0).to_string(), "lost: 0 (limit: none)");
        assert_eq!(Figure::percent("growth", -1.25).to_string(), "growth: -1.2 %");
    }
}
