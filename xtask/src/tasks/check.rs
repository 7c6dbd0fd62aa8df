//! `check`: the whole gate.

use super::words;
use crate::config::Config;
use crate::plan::{Plan, Step};

/// The packages of the workspace. They are named, because xtask never builds the whole workspace by accident.
const PACKAGES: [&str; 4] = ["app", "xtask", "xtask-oci", "image-spec"];

/// Plans `check`.
pub(crate) fn plan(config: &Config) -> Plan {
    let packages = PACKAGES.iter().flat_map(|name| ["--package", name]).collect::<Vec<_>>();
    let step = |name, why: &str, argv: &[&str], needs| Step {
        name,
        why: why.to_owned(),
        argv: words(argv),
        needs,
        ..Step::default()
    };
    let clippy =
        [&["cargo", "clippy", "--locked", "--all-targets"], &packages[..], &["--", "-D", "warnings"]]
            .concat();
    let test = [&["cargo", "test", "--locked"], &packages[..]].concat();
    Plan {
        cwd: config.root.clone(),
        steps: vec![
            step("format", "the sources are formatted", &["cargo", "fmt", "--all", "--check"], vec![]),
            step("clippy", "the sources have no lints", &clippy, vec![]),
            // One after the other: both would wait for the same target folder.
            step("test", "all tests pass", &test, vec!["clippy"]),
        ],
        ..Plan::default()
    }
}
