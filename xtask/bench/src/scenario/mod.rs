//! What is measured: a file for each kind of scenario.

mod compile;
mod fresh;
mod image;
mod push;
mod start;

use std::collections::BTreeMap;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Bench;
use crate::field::Field;
use crate::flags::Scenario;
use crate::machine;
use crate::measure::Quantity;
use crate::report::Section;
use crate::rounds::Rounds;

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
    }
}

/// The word that a scenario is called by on the command line.
pub(crate) fn word(scenario: Scenario) -> String {
    scenario.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
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
            noise: self.noise,
            commands: BTreeMap::new(),
            rows: rounds.rows,
            left_out,
        }
    }
}
