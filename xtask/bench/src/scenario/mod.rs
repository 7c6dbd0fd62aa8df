//! What is measured: a file for each kind of scenario.

mod cached;
mod compile;
mod crates;
mod engine;
mod fresh;
mod history;
mod image;
mod layers;
mod matrix;
mod payload;
mod push;
mod start;
mod tree;

use std::collections::BTreeMap;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Bench;
use crate::command::shell;
use crate::field::Field;
use crate::flags::Scenario;
use crate::machine;
use crate::measure::{Quantity, measure};
use crate::peer::{Build, Contestant};
use crate::report::Section;
use crate::report::growth::Growth;
use crate::rounds::{Rounds, Side};

/// Runs a scenario, which may have several parts.
///
/// # Errors
/// When a signal asks us to stop, or nothing of it can be measured.
pub(crate) fn run(bench: &Bench, field: &mut Field, scenario: Scenario) -> Result<Vec<Section>> {
    match scenario {
        Scenario::Edit | Scenario::Same | Scenario::Deep | Scenario::Bump | Scenario::Lock => {
            compile::run(bench, field, scenario).map(|section| vec![section])
        }
        Scenario::Fresh | Scenario::Backends | Scenario::Platforms => {
            fresh::run(bench, field, scenario).map(|section| vec![section])
        }
        Scenario::Size => image::run(bench, field).map(|section| vec![section]),
        Scenario::Push => push::run(bench, field),
        Scenario::Start => start::run(bench, field).map(|section| vec![section]),
        Scenario::Cached => cached::run(bench, field).map(|section| vec![section]),
        Scenario::Crates => crates::run(bench, field).map(|section| vec![section]),
        Scenario::Matrix => matrix::run(bench, field).map(|section| vec![section]),
        Scenario::History => history::run(bench, field).map(|section| vec![section]),
        Scenario::Payload => payload::run(bench, field).map(|section| vec![section]),
        Scenario::Layers => layers::run(bench, field),
    }
}

/// The word that a scenario is called by on the command line.
pub(crate) fn word(scenario: Scenario) -> String {
    scenario.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Somebody who builds, after `prepare`.
fn side<'a>(
    bench: &'a Bench,
    contestant: &'a Contestant,
    build: &'a Build<'a>,
    prepare: impl FnMut() -> Result<()> + 'a,
) -> Side<'a> {
    Side {
        name: contestant.name.clone(),
        prepare: Box::new(prepare),
        run: Box::new(move || measure(&bench.runner, contestant.build(bench, build)?)),
    }
}

/// What each of them runs to build, as one types it.
fn commands(
    bench: &Bench,
    contestants: &[&Contestant],
    build: &Build<'_>,
) -> Result<BTreeMap<String, String>> {
    let line = |contestant: &&Contestant| {
        let commands = contestant.build(bench, build)?;
        Ok((contestant.name.clone(), commands.iter().map(shell).collect::<Vec<_>>().join(" && ")))
    };
    contestants.iter().map(line).collect()
}

impl Section {
    /// Makes it one about how costs grow.
    fn grown(&mut self, growth: Growth) {
        // What the others are compared with is the first point.
        self.base = self.rows.first().map(|row| row.name.clone()).unwrap_or_default();
        self.growth = Some(growth);
    }
}

/// What a scenario begins with.
struct Opening {
    scenario: Scenario,
    noise: Option<String>,
}

impl Opening {
    fn new(scenario: Scenario) -> Opening {
        let noise = machine::noise();
        if let Some(noise) = &noise {
            crate::say(&format!("warning: {noise}; what is measured now is worth little"));
        }
        Opening { scenario, noise }
    }

    /// The section for what came out.
    fn section(self, field: &Field, title: &str, how: &str, main: Quantity, rounds: Rounds) -> Section {
        let mut left_out = field.left_out.clone();
        left_out.extend(rounds.left_out);
        Section {
            scenario: word(self.scenario),
            title: title.to_owned(),
            how: how.to_owned(),
            main,
            base: "galley".to_owned(),
            limit: None,
            growth: None,
            noise: self.noise,
            commands: BTreeMap::new(),
            rows: rounds.rows,
            left_out,
        }
    }
}
