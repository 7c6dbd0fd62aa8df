//! What was measured: a line at once for whoever waits, a table or JSON at the end.

use std::fmt::Write as _;

use clap::ValueEnum;
use db_servers::Backend;
use serde::Serialize;

use crate::figure::Figure;
use crate::flags::{Format, Scenario};
use crate::process::Machine;
use crate::say;

/// Everything measured so far.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    scenario: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<&'static str>,
    #[serde(flatten)]
    outcome: Outcome,
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Measured(Figure),
    /// Why there is no figure.
    NotMeasured {
        reason: String,
    },
}

/// What became of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It keeps to its limit.
    Pass,
    /// It does not, or measuring it went wrong.
    Fail,
    /// It has no limit.
    Shown,
    /// There is no way to measure it here.
    Skipped,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Shown => "",
            Verdict::Skipped => "skipped",
        }
    }
}

impl Report {
    /// An empty one.
    pub(crate) fn new(machine: Machine) -> Report {
        Report { machine, rows: Vec::new() }
    }

    /// Where a scenario writes what it measures with a database, or with none in particular.
    pub(crate) fn section(&mut self, scenario: Scenario, backend: Option<Backend>) -> Section<'_> {
        Section { report: self, scenario, backend }
    }

    /// How many figures have this verdict.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    /// All of it.
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Markdown => self.markdown(),
            // Numbers and text always become JSON.
            Format::Json => serde_json::to_string_pretty(self).unwrap_or_default() + "\n",
        }
    }

    fn markdown(&self) -> String {
        let mut text = "| scenario | database | figure | measured | limit | | |\n".to_owned();
        text += "|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            let [name, value, limit, detail] = match &row.outcome {
                Outcome::Measured(figure) => figure.cells(),
                Outcome::NotMeasured { reason } => ["", "", "", reason].map(str::to_owned),
            };
            let (scenario, backend, verdict) =
                (&row.scenario, row.backend.unwrap_or_default(), row.verdict.word());
            let detail = detail.replace('\n', " ").replace('|', "/");
            let _ = writeln!(
                text,
                "| {scenario} | {backend} | {name} | {value} | {limit} | {verdict} | {detail} |"
            );
        }
        format!("{text}\n{}\n", self.machine)
    }
}

/// The part of a report that one scenario writes.
pub(crate) struct Section<'a> {
    report: &'a mut Report,
    scenario: Scenario,
    backend: Option<Backend>,
}

impl Section<'_> {
    /// Adds a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        let verdict = match figure.is_kept() {
            None => Verdict::Shown,
            Some(true) => Verdict::Pass,
            Some(false) => Verdict::Fail,
        };
        self.push(Outcome::Measured(figure), verdict);
    }

    /// Adds that there is no way to measure this here.
    pub(crate) fn skip(&mut self, reason: impl Into<String>) {
        self.push(Outcome::NotMeasured { reason: reason.into() }, Verdict::Skipped);
    }

    /// Adds that measuring went wrong.
    pub(crate) fn fail(&mut self, reason: impl Into<String>) {
        self.push(Outcome::NotMeasured { reason: reason.into() }, Verdict::Fail);
    }

    fn push(&mut self, outcome: Outcome, verdict: Verdict) {
        let scenario = word_for(self.scenario);
        let backend = self.backend.map(Backend::name);
        let text = match &outcome {
            Outcome::Measured(figure) => figure.to_string(),
            Outcome::NotMeasured { reason } => reason.clone(),
        };
        say(&format!("{:>7} {scenario} {}: {text}", verdict.word(), backend.unwrap_or_default()));
        self.report.rows.push(Row { scenario, backend, outcome, verdict });
    }
}

/// The word that a scenario is called by on the command line.
pub(crate) fn word_for(scenario: Scenario) -> String {
    scenario.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let machine = Machine { cores: 2, memory_mib: Some(4096), processor: None, load: Some(0.5) };
        let mut report = Report::new(machine);
        let mut section = report.section(Scenario::Read, Some(Backend::Sqlite));
        section.add(Figure::ratio("throughput", 0.5).at_least(0.7).detail("a|b"));
        section.add(Figure::count("requests", 7));
        report.section(Scenario::Musl, None).skip("no\nmusl");
        report
    }

    #[test]
    fn a_table_has_a_line_a_figure_and_the_machine() {
        let expected = "\
| scenario | database | figure | measured | limit | | |
|---|---|---|---|---|---|---|
| read | sqlite | throughput | 0.50 | ≥ 0.7 | FAIL | a/b |
| read | sqlite | requests | 7 |  |  |  |
| musl |  |  |  |  | skipped | no musl |

2 cores, 4 GiB of memory; load average before: 0.5
";
        assert_eq!(report().render(Format::Markdown), expected);
        assert_eq!(report().count(Verdict::Fail), 1);
    }

    #[test]
    fn json_has_the_same() {
        let json: serde_json::Value = serde_json::from_str(&report().render(Format::Json)).unwrap();
        assert_eq!(json["machine"]["cores"], 2);
        assert_eq!(json["rows"][0]["limit"]["at-least"], 0.7);
        assert_eq!(json["rows"][0]["verdict"], "fail");
        assert_eq!(json["rows"][2]["reason"], "no\nmusl");
    }
}
