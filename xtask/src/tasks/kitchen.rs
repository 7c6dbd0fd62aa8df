//! `kitchen`: the build dashboard, a program of its own that is built on its first use.

use super::{tool_argv, words};
use crate::cli::{KitchenFlags, KitchenTask};
use crate::config::Config;
use crate::plan::{Plan, Step};

/// Plans `kitchen`, which has the terminal to itself.
pub(crate) fn plan(config: &Config, flags: &KitchenFlags) -> Plan {
    let built = Step {
        name: "tool".to_owned(),
        why: "build the dashboard, on its first use".to_owned(),
        argv: tool_argv(config, "xtask-kitchen", &[]),
        crates: true,
        ..Step::default()
    };
    let program = config.target("debug/xtask-kitchen").to_string_lossy().into_owned();
    let open = Step {
        name: "kitchen".to_owned(),
        why: "open the dashboard, or ask the one that is open".to_owned(),
        argv: [vec![program], argv(flags)].concat(),
        ..Step::default()
    };
    Plan { cwd: config.root.clone(), steps: vec![built], then: Some(open), ..Plan::default() }
}

fn argv(flags: &KitchenFlags) -> Vec<String> {
    match &flags.task {
        Some(KitchenTask::Builds) => words(&["builds"]),
        Some(KitchenTask::Logs { build }) => words(&["logs", &build.to_string()]),
        Some(KitchenTask::Kill { build }) => words(&["kill", &build.to_string()]),
        None => {
            let (port, at_once) = (flags.port.to_string(), flags.at_once.to_string());
            let mut argv = words(&["--port", &port, "--at-once", &at_once]);
            argv.extend(flags.open.then(|| "--open".to_owned()));
            argv
        }
    }
}
