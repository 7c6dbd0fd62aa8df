//! `kitchen`: the build dashboard, a program of its own that is built on its first use.

use std::path::PathBuf;

use super::{beside_xtask, tool_step, words};
use crate::cli::{KitchenFlags, KitchenTask};
use crate::config::Config;
use crate::plan::{Plan, Step};

/// Plans `kitchen`, which has the terminal to itself.
pub(crate) fn plan(config: &Config, flags: &KitchenFlags) -> Plan {
    let built = tool_step(config, "xtask-kitchen", "the dashboard");
    let open = Step {
        name: "kitchen".to_owned(),
        why: "open the dashboard, or ask the one that is open".to_owned(),
        argv: [vec![beside_xtask(config, "xtask-kitchen")], argv(flags)].concat(),
        ..Step::default()
    };
    Plan { cwd: config.root.clone(), steps: vec![built], then: Some(open), ..Plan::default() }
}

fn argv(flags: &KitchenFlags) -> Vec<String> {
    match &flags.task {
        Some(KitchenTask::Builds) => words(&["builds"]),
        Some(KitchenTask::Logs { build, follow }) => {
            let flag = if *follow { &["--follow"][..] } else { &[] };
            [words(&["logs", &build.to_string()]), words(flag)].concat()
        }
        Some(KitchenTask::Export { build }) => {
            let build = build.map(|build| build.to_string());
            words(&["export"]).into_iter().chain(build).collect()
        }
        Some(KitchenTask::Kill { build }) => words(&["kill", &build.to_string()]),
        None => opened(flags),
    }
}

fn opened(flags: &KitchenFlags) -> Vec<String> {
    let KitchenFlags { task: _, port, open, host, names, tls_cert, tls_key, insecure, at_once, keep } = flags;
    let file =
        |name: &str, path: &Option<PathBuf>| path.as_ref().map(|path| format!("--{name}={}", path.display()));
    let values = [
        Some(format!("--port={port}")),
        Some(format!("--at-once={at_once}")),
        keep.days.map(|days| format!("--keep-days={days}")),
        keep.builds.map(|builds| format!("--keep-builds={builds}")),
        keep.size.map(|size| format!("--keep-size={size}")),
        host.map(|host| format!("--host={host}")),
        Some(format!("--name={}", names.join(","))).filter(|_| !names.is_empty()),
        file("tls-cert", tls_cert),
        file("tls-key", tls_key),
    ];
    let switches = [("--insecure", *insecure), ("--open", *open)];
    let switches = switches.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned());
    values.into_iter().flatten().chain(switches).collect()
}
