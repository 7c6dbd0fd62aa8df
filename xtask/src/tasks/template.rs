//! `template`, which has a project follow its template, and `init`, which makes one. xtask-template does both.

use super::{beside_xtask, tool_step, words};
// template: if is_template
use crate::cli::{AdoptFlags, InitFlags};
// template: end
use crate::cli::{TemplateTask, UpdateFlags};
use crate::config::Config;
use crate::plan::{Plan, Step};

/// Plans `template`.
pub(crate) fn plan(config: &Config, task: &TemplateTask) -> Plan {
    let (name, why, argv) = match task {
        // It asks questions.
        TemplateTask::Update(flags) if !flags.check && !flags.pull_request => {
            let step = tool(config, "update", "merge a version of the template", update(flags));
            return Plan { then: Some(step), ..built(config) };
        }
        TemplateTask::Update(flags) if flags.pull_request => {
            ("update", "open a pull request with a version of the template", update(flags))
        }
        TemplateTask::Update(flags) => {
            ("update", "see whether the template has a later version", update(flags))
        }
        // template: if is_template
        TemplateTask::Pack { check: true } => {
            ("pack", "see that what is made for cargo-generate is up to date", words(&["pack", "--check"]))
        }
        TemplateTask::Pack { check: false } => {
            ("pack", "make what only cargo-generate needs", words(&["pack"]))
        }
        // template: end
        TemplateTask::Diff => ("diff", "compare the project with its template", words(&["diff"])),
    };
    let mut plan = built(config);
    let mut step = tool(config, name, why, argv);
    step.needs = plan.steps.iter().map(|step| step.name.clone()).collect();
    plan.steps.push(step);
    plan
}

fn update(flags: &UpdateFlags) -> Vec<String> {
    let mut argv = words(&["update"]);
    argv.extend(flags.to.iter().flat_map(|version| words(&["--to", version])));
    argv.extend(flags.check.then(|| "--check".to_owned()));
    argv.extend(flags.pull_request.then(|| "--pull-request".to_owned()));
    argv.extend(flags.silent.then(|| "--silent".to_owned()));
    argv
}

fn built(config: &Config) -> Plan {
    let step = tool_step(config, "xtask-template", "what knows the template");
    Plan { cwd: config.root.clone(), steps: vec![step], ..Plan::default() }
}

fn tool(config: &Config, name: &str, why: &str, argv: Vec<String>) -> Step {
    let argv = [vec![beside_xtask(config, "xtask-template")], argv].concat();
    Step { name: name.to_owned(), why: why.to_owned(), argv, ..Step::default() }
}
// template: if is_template

/// Plans `init`, which asks questions.
pub(crate) fn init(config: &Config, flags: &InitFlags) -> Plan {
    let mut argv = words(&["init"]);
    argv.extend(flags.name.iter().flat_map(|name| words(&["--name", name])));
    argv.extend(flags.define.iter().flat_map(|answer| words(&["--define", answer])));
    argv.extend(flags.silent.then(|| "--silent".to_owned()));
    Plan { then: Some(tool(config, "init", "make a project of this clone", argv)), ..built(config) }
}

/// Plans `adopt`, which asks questions, and shows what it is going to do.
pub(crate) fn adopt(config: &Config, flags: &AdoptFlags, dry_run: bool) -> Plan {
    let mut argv = vec!["adopt".to_owned(), flags.project.to_string_lossy().into_owned()];
    let texts = [("--package", &flags.package), ("--bin", &flags.bin), ("--name", &flags.name)];
    // One word each, so that nothing in it is a flag.
    argv.extend(texts.into_iter().filter_map(|(flag, text)| Some(format!("{flag}={}", text.as_ref()?))));
    argv.extend(flags.port.iter().map(|port| format!("--port={port}")));
    argv.extend(flags.define.iter().map(|answer| format!("--define={answer}")));
    let switches = [("--silent", flags.silent), ("--yes", flags.yes), ("--dry-run", dry_run)];
    argv.extend(switches.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.to_owned()));
    Plan { then: Some(tool(config, "adopt", "add the pipeline to another project", argv)), ..built(config) }
}
// template: end
