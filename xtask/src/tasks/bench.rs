//! `bench`: has xtask-bench measure the pipeline against what people use.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{beside_xtask, tool_step, word, words};
use crate::cli::BenchFlags;
use crate::config::Config;
use crate::plan::{Plan, Step};

/// Plans `bench`. It works on clones, and has nothing of this target folder but the report.
pub(crate) fn plan(config: &Config, flags: &BenchFlags) -> Plan {
    let tool = beside_xtask(config, "xtask-bench");
    let report = flags.report.clone().unwrap_or_else(|| config.target("bench/report.json"));
    let build = tool_step(config, "xtask-bench", "what measures");
    let bench = Step {
        name: "bench".to_owned(),
        why: "measure in turn, in clones of the last commit".to_owned(),
        argv: [vec![tool], arguments(flags, &report)].concat(),
        needs: words(&["tool"]),
        outputs: vec![report.with_extension("html"), report],
        ..Step::default()
    };
    Plan { cwd: config.root.clone(), steps: vec![build, bench], ..Plan::default() }
}

fn arguments(flags: &BenchFlags, report: &Path) -> Vec<String> {
    let BenchFlags { scenarios, peers, profiles, rounds, quick, against, report: _, png, images, prune } =
        flags;
    let named = |name: &str, value: Option<String>| {
        value.map_or_else(Vec::new, |value| vec![format!("--{name}"), value])
    };
    let list = |words: Vec<String>| Some(words.join(",")).filter(|words| !words.is_empty());
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let switch = |name: &str, is_set: bool| if is_set { words(&[name]) } else { vec![] };
    [
        all(scenarios),
        named("peer", list(all(peers))),
        profiles.iter().flat_map(|profile| named("profile", Some(word(profile)))).collect(),
        named("rounds", rounds.map(|rounds| rounds.to_string())),
        switch("--quick", *quick),
        named("against", against.clone()),
        images.iter().flat_map(|image| named("image", Some(image.clone()))).collect(),
        switch("--prune", *prune),
        named("png", path(png)),
        named("report", Some(report.to_string_lossy().into_owned())),
    ]
    .concat()
}

fn all(values: &[impl ValueEnum]) -> Vec<String> {
    values.iter().map(word).collect()
}
