//! Whether this revision is worse than another one: by ratios of galley to cargo, never by seconds.

use std::fmt;

use serde::Serialize;

use crate::report::{Row, Section};
use crate::stats::{Spread, error_of_median};

/// Smaller changes are not looked for, however steady the rounds are: they are few. `--against HEAD`, which compares a
/// revision with itself, shows what a machine makes of that.
const LEAST_BAND: f64 = 0.10;
/// How many standard errors of the median are noise. At 3, one of 700 comparisons of one and the same revision fails.
const ERRORS: f64 = 3.0;
/// Where more than this is noise, the machine is not quiet, and what is not found proves nothing.
const WIDEST_BAND: f64 = 0.30;

/// How this revision's ratio of galley to cargo compares with another one's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// The scenario.
    pub(crate) scenario: String,
    /// The other revision's ratio.
    pub(crate) before: f64,
    /// This one's.
    pub(crate) now: f64,
    /// How many times the other one this one is, by the median of rounds.
    pub(crate) change: f64,
    /// By how much of 1 that may differ from 1 by noise; none of fewer than three rounds.
    pub(crate) band: Option<f64>,
    /// What follows.
    pub(crate) verdict: Verdict,
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Not worse by more than noise.
    Fine,
    /// Worse by more than noise.
    Worse,
    /// There is too much noise to tell.
    Unclear,
}

/// The name of a row for another revision.
pub(crate) fn of(name: &str, revision: &str) -> String {
    format!("{name}@{revision}")
}

/// Compares the two revisions in a section; none where it lacks one of them, or cargo.
pub(crate) fn compare(section: &Section, revision: &str) -> Option<Change> {
    let (galley, old_galley) = (section.row("galley")?, section.row(&of("galley", revision))?);
    let cargo = section.row("cargo")?;
    let old_cargo = section.row(&of("cargo", revision)).unwrap_or(cargo);
    let ratios = |galley: &Row, cargo: &Row| {
        let main = section.main;
        galley.values(main).zip(cargo.values(main)).map(|(galley, cargo)| galley / cargo).collect::<Vec<_>>()
    };
    let (now, before) = (ratios(galley, cargo), ratios(old_galley, old_cargo));
    let changes = now.iter().zip(&before).map(|(now, before)| now / before).collect::<Vec<_>>();
    let change = Spread::of(changes.iter().copied())?.median;
    let band = error_of_median(&changes).map(|error| LEAST_BAND.max(ERRORS * error));
    let verdict = match band {
        Some(band) if change > 1.0 + band => Verdict::Worse,
        Some(band) if band <= WIDEST_BAND => Verdict::Fine,
        _ => Verdict::Unclear,
    };
    let median = |values: Vec<f64>| Spread::of(values).map(|spread| spread.median);
    Some(Change {
        scenario: section.scenario.clone(),
        before: median(before)?,
        now: median(now)?,
        change,
        band,
        verdict,
    })
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { scenario, before, now, change, band, verdict } = self;
        let percent = (change - 1.0) * 100.0;
        let verdict = match verdict {
            Verdict::Fine => "fine",
            Verdict::Worse => "WORSE",
            Verdict::Unclear => "unclear, measure again when the machine is quiet",
        };
        write!(f, "{scenario}: {now:.3} times cargo, {before:.3} before: {percent:+.1} %, ")?;
        match band {
            Some(band) => write!(f, "of which {:.1} % may be noise: {verdict}", band * 100.0),
            None => write!(f, "and it takes three rounds to tell what is noise: {verdict}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::measure::{Quantity, Sample};

    fn verdict(now: &[f64]) -> Verdict {
        let row = |name: &str, seconds: &[f64]| Row {
            name: name.to_owned(),
            samples: seconds.iter().map(|seconds| Sample::from([(Quantity::Seconds, *seconds)])).collect(),
        };
        // The machine gets twice as slow in the middle, which changes no ratio.
        let slow = |seconds: &[f64]| {
            let slowed =
                seconds.iter().enumerate().map(|(index, one)| if index > 1 { one * 2.0 } else { *one });
            slowed.collect::<Vec<_>>()
        };
        let ones = vec![1.0; now.len()];
        let section = Section {
            scenario: "edit".to_owned(),
            title: String::new(),
            how: String::new(),
            main: Quantity::Seconds,
            base: "galley".to_owned(),
            limit: None,
            growth: None,
            noise: None,
            commands: BTreeMap::new(),
            rows: vec![
                row("galley", &slow(now)),
                row("cargo", &slow(&ones)),
                row("galley@main", &slow(&ones)),
                row("cargo@main", &slow(&ones)),
            ],
            left_out: vec![],
        };
        compare(&section, "main").unwrap().verdict
    }

    #[test]
    fn what_is_worse_by_more_than_noise_fails() {
        assert_eq!(verdict(&[1.0, 1.01, 0.99, 1.0, 1.0]), Verdict::Fine);
        assert_eq!(verdict(&[1.2, 1.21, 1.19, 1.2, 1.2]), Verdict::Worse);
        assert_eq!(verdict(&[0.5, 0.5, 0.5, 0.5, 0.5]), Verdict::Fine);
        assert_eq!(verdict(&[1.2, 1.9, 0.7, 1.3, 1.0]), Verdict::Unclear);
        // Within the noise of these very runs.
        assert_eq!(verdict(&[1.12, 1.3, 1.0, 1.14, 1.06]), Verdict::Fine);
        assert_eq!(verdict(&[1.5, 1.5]), Verdict::Unclear);
        assert_eq!(verdict(&[9.0, 7.0, 8.0]), Verdict::Worse);
    }
}
