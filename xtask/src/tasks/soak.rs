//! `soak`: builds what is measured, for each database in a place of its own, and has xtask-soak measure it.

use anyhow::Result;

use super::build::{self, Build};
use super::{MESSAGES, engine_step, linking, service, tool_argv, word, words};
use crate::cli::{BuildFlags, Format, Scenario, SoakFlags};
use crate::config::{Config, Linker, Profile};
use crate::plan::{Plan, Step, in_turn};

/// Plans `soak`.
///
/// # Errors
/// For a backend that there is not, and as [`build::plan`].
pub(crate) fn plan(config: &Config, flags: &SoakFlags) -> Result<Plan> {
    let backends = backends(config, flags)?;
    let mut steps = vec![tool_step(config), folders_step(config, &backends)];
    steps.extend(backends.iter().flat_map(|backend| service_steps(config, backend)));
    // What one database's steps copy, the next one's would overwrite.
    in_turn(&mut steps);

    let mut measure = measure_step(config, flags, &backends);
    let mut last = steps[steps.len() - 1].name.clone();
    if let Some(Build { artifacts, steps: mut musl, .. }) = musl(config, flags, backends[0])? {
        musl[0].needs.push(last);
        last = artifacts[0].step.clone();
        steps.push(engine_step(config));
        steps.extend(musl);
        let path = artifacts[0].path.to_string_lossy().into_owned();
        measure.argv.extend(["--musl".to_owned(), path]);
    }
    measure.needs.push(last);
    steps.push(measure);
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.lock()), ..Plan::default() })
}

fn backends<'a>(config: &'a Config, flags: &SoakFlags) -> Result<Vec<&'a str>> {
    match flags.backends.as_slice() {
        [] => Ok(config.pipeline.build.backends.iter().map(String::as_str).collect()),
        asked => asked.iter().map(|backend| config.backend(Some(backend.name()))).collect(),
    }
}

fn tool_step(config: &Config) -> Step {
    Step {
        name: "tool".to_owned(),
        why: "build what measures".to_owned(),
        argv: tool_argv(config, "xtask-soak", &["--release"]),
        crates: true,
        ..Step::default()
    }
}

fn folders_step(config: &Config, backends: &[&str]) -> Step {
    let folders = backends.iter().map(|backend| folder(config, backend));
    Step {
        name: "folders".to_owned(),
        why: "make a place for each database".to_owned(),
        argv: words(&["mkdir", "-p"]).into_iter().chain(folders).collect(),
        ..Step::default()
    }
}

/// The service as it is shipped, then its yardstick: examples bring features that tests need, so not both at once.
fn service_steps(config: &Config, backend: &str) -> [Step; 3] {
    let package = &config.pipeline.build.package;
    let build = |what: &[&str]| {
        let command = words(&["cargo", "build", "--locked", "--release", MESSAGES]);
        [command, service(config, backend), words(what)].concat()
    };
    let output = |path: &str| config.target(&format!("release/{path}")).to_string_lossy().into_owned();
    let copy = [output(package), output("examples/bare"), folder(config, backend)];
    let step = |name: &str, why: &str, argv, crates| Step {
        name: format!("{name}-{backend}"),
        why: format!("{why} for {backend}"),
        argv,
        crates,
        ..Step::default()
    };
    [
        step("service", "build the service", build(&["--bin", package]), true),
        step("bare", "build plain axum, the yardstick,", build(&["--example", "bare"]), true),
        step("keep", "keep both", words(&["cp"]).into_iter().chain(copy).collect(), false),
    ]
}

/// Where the programs for a database are kept.
fn folder(config: &Config, backend: &str) -> String {
    config.target(&format!("soak/{backend}")).to_string_lossy().into_owned()
}

/// The service linked against musl, where that is asked for and works here.
fn musl(config: &Config, flags: &SoakFlags, backend: &str) -> Result<Option<Build>> {
    if !flags.scenarios.is_empty() && !flags.scenarios.contains(&Scenario::Musl) {
        return Ok(None);
    }
    let platform = config.own_platform();
    let works = |linker: &Linker| linking::choose(config, *linker, &[platform]).is_ok();
    let Some(linker) = [Linker::Zigbuild, Linker::MuslGcc].into_iter().find(works) else { return Ok(None) };
    let flags = BuildFlags {
        backends: vec![backend.to_owned()],
        linker: Some(linker),
        profile: Some(Profile::Release),
        ..BuildFlags::default()
    };
    Ok(build::builds(config, &flags, &[platform])?.pop())
}

fn measure_step(config: &Config, flags: &SoakFlags, backends: &[&str]) -> Step {
    let target = |path: &str| config.target(path).to_string_lossy().into_owned();
    let extension = match flags.format {
        Format::Markdown => "md",
        Format::Json => "json",
    };
    let report = target(&format!("soak/report.{extension}"));
    let mut argv = vec![target("release/xtask-soak")];
    argv.extend(flags.scenarios.iter().map(word));
    argv.extend(backends.iter().flat_map(|backend| words(&["--backend", backend])));
    argv.extend(words(&["--rounds", &flags.rounds.to_string(), "--seconds", &flags.seconds.to_string()]));
    argv.extend(words(&["--format", &word(&flags.format), "--report", &report]));
    argv.extend(words(&["--binaries", &target("soak")]));
    Step {
        name: "soak".to_owned(),
        why: "put the service under load".to_owned(),
        argv,
        outputs: vec![report.into()],
        ..Step::default()
    }
}
