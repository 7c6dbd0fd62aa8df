//! What was measured, with everything that is needed to measure it again: JSON, a table, and a page with plots.

pub(crate) mod growth;
mod lines;
mod page;
mod plot;
pub(crate) mod png;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use self::growth::Growth;
use crate::against::Change;
use crate::machine::Machine;
use crate::measure::{Quantity, Sample};
use crate::stats::Spread;

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When it was begun: RFC 3339.
    pub(crate) began: String,
    /// What was typed.
    pub(crate) command: String,
    /// The commit that was measured.
    pub(crate) commit: String,
    /// The machine.
    pub(crate) machine: Machine,
    /// What else a reader has to know.
    pub(crate) notes: Vec<String>,
    /// What was measured.
    pub(crate) sections: Vec<Section>,
    /// How this revision does beside another one, if that was asked for.
    pub(crate) changes: Vec<Change>,
}

/// One scenario, or one part of it.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    /// Its word on the command line.
    pub(crate) scenario: String,
    /// What it is.
    pub(crate) title: String,
    /// How its figures come about.
    pub(crate) how: String,
    /// What is compared.
    pub(crate) main: Quantity,
    /// The row that others are compared with.
    pub(crate) base: String,
    /// The row that nothing can be better than, if there is one.
    pub(crate) limit: Option<String>,
    /// The lines that rows are points of, if it is about how costs grow.
    pub(crate) growth: Option<Growth>,
    /// What others did on the machine when it began.
    pub(crate) noise: Option<String>,
    /// What was run, by row.
    pub(crate) commands: BTreeMap<String, String>,
    /// Figures, by who took part.
    #[serde(serialize_with = "with_figures")]
    pub(crate) rows: Vec<Row>,
    /// Who did not.
    pub(crate) left_out: Vec<LeftOut>,
}

/// The figures of one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What it is called.
    pub(crate) name: String,
    /// Its runs, in turn with those of the others.
    pub(crate) samples: Vec<Sample>,
}

/// Somebody who did not take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    /// Who.
    pub(crate) name: String,
    /// Why, in one line.
    pub(crate) why: String,
}

/// A row with what follows from it.
#[derive(Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    row: &'a Row,
    figures: BTreeMap<Quantity, Spread>,
}

fn with_figures<S: serde::Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| Figures {
        row,
        figures: row.quantities().into_iter().filter_map(|one| Some((one, row.spread(one)?))).collect(),
    }))
}

impl LeftOut {
    /// Somebody who failed; the last line that was said tells most.
    pub(crate) fn by(name: &str, error: &anyhow::Error) -> LeftOut {
        let text = format!("{error:#}");
        let why = text.trim_end().lines().last().unwrap_or_default().trim().to_owned();
        LeftOut { name: name.to_owned(), why }
    }
}

impl Row {
    /// What was measured of it.
    pub(crate) fn quantities(&self) -> BTreeSet<Quantity> {
        self.samples.iter().flat_map(|sample| sample.keys().copied()).collect()
    }

    /// The values of one quantity, run by run.
    pub(crate) fn values(&self, quantity: Quantity) -> impl Iterator<Item = f64> {
        self.samples.iter().filter_map(move |sample| sample.get(&quantity).copied())
    }

    /// Their middle, and how far they reach.
    pub(crate) fn spread(&self, quantity: Quantity) -> Option<Spread> {
        Spread::of(self.values(quantity))
    }

    /// How many times as much this is as `other`, run by run, so that what slows the machine slows both.
    pub(crate) fn beside(&self, other: &Row, quantity: Quantity) -> Option<Spread> {
        let pairs = self.values(quantity).zip(other.values(quantity)).filter(|(_, other)| *other > 0.0);
        Spread::of(pairs.map(|(own, other)| own / other))
    }
}

impl Section {
    /// A row by its name.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl Report {
    /// Writes it as JSON to `file`, and a page beside it.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let json = serde_json::to_string_pretty(self).context("cannot write JSON")?;
        write(file, &json)?;
        write(&file.with_extension("html"), &page::page(self, &json))
    }

    /// It as a table for a terminal.
    pub(crate) fn table(&self) -> String {
        table::table(self)
    }
}

/// Writes beside the file first, so that what is there is whole.
fn write(file: &Path, text: &str) -> Result<()> {
    let beside = file.with_added_extension(std::process::id().to_string());
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report with whatever pages have to bear.
    pub(crate) fn report() -> Report {
        let sample = |seconds: f64| {
            Sample::from([
                (Quantity::Seconds, seconds),
                (Quantity::Cpu, 2.0 * seconds),
                (Quantity::Memory, 512.0),
            ])
        };
        let row = |name: &str, seconds: [f64; 3]| Row {
            name: name.to_owned(),
            samples: seconds.map(sample).to_vec(),
        };
        let hostile = "</script><img src=//example.org/x><script>console.error(1)</script>";
        Report {
            began: "2026-11-22T07:00:00Z".to_owned(),
            command: "cargo xtask bench edit".to_owned(),
            commit: "0123456789abcdef".to_owned(),
            machine: Machine {
                cores: 2,
                processor: Some(hostile.to_owned()),
                memory_mib: Some(4096),
                kernel: None,
                storage: None,
                docker: None,
                rustc: None,
            },
            notes: vec![hostile.to_owned()],
            sections: vec![Section {
                scenario: "edit".to_owned(),
                title: "One line edited".to_owned(),
                how: "by & by".to_owned(),
                main: Quantity::Seconds,
                base: "galley".to_owned(),
                limit: Some("cargo".to_owned()),
                growth: None,
                noise: Some("others keep 1.0 of 2 cores busy".to_owned()),
                commands: BTreeMap::from([("galley".to_owned(), hostile.to_owned())]),
                rows: vec![
                    row("galley", [4.0, 4.4, 4.2]),
                    row("cargo", [4.0, 4.0, 4.0]),
                    row("chef", [44.0, 40.0, 42.0]),
                ],
                left_out: vec![LeftOut { name: "upx".to_owned(), why: hostile.to_owned() }],
            }],
            changes: vec![],
        }
    }

    #[test]
    fn ratios_are_of_runs_that_were_beside_each_other() {
        let report = report();
        let [galley, _, chef] = &report.sections[0].rows[..] else { panic!() };
        let ratio = chef.beside(galley, Quantity::Seconds).unwrap();
        assert!((ratio.median - 10.0).abs() < 1e-9 && (ratio.max - 11.0).abs() < 1e-9, "{ratio:?}");
    }

    #[test]
    fn json_has_runs_and_figures_and_what_it_takes_to_repeat_them() {
        let json: serde_json::Value = serde_json::to_value(report()).unwrap();
        let section = &json["sections"][0];
        assert_eq!(section["rows"][0]["samples"][1]["seconds"], 4.4);
        assert_eq!(section["rows"][0]["figures"]["seconds"]["median"], 4.2);
        assert_eq!(json["machine"]["cores"], 2);
        assert!(section["commands"]["galley"].is_string() && json["command"].is_string());
    }

    #[test]
    fn a_report_is_written_with_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sub/report.json");
        report().write(&file).unwrap();
        let names = fs::read_dir(folder.path().join("sub")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        assert_eq!(names, ["report.html", "report.json"]);
    }
}
