//! `builder`: makes, changes, shows, starts and removes the BuildKit builder, by buildx.
//!
//! Each node carries a digest of the settings that it was made from, where `docker buildx inspect` shows it: so it is
//! right whoever changed the builder by hand, and on every machine.

mod nodes;

use anyhow::{Context, Result, bail};
use nodes::{is_same, nodes, takes_settings};

use super::words;
use crate::cli::BuilderTask;
use crate::config::{Builder, Config, Nodes};
use crate::plan::{Plan, Step, in_turn};
use crate::tools::{Buildx, buildx};

/// Plans `builder`.
///
/// # Errors
/// buildx is missing or too old, the configuration has no builder, or there is none to show.
pub(crate) fn plan(config: &Config, task: BuilderTask) -> Result<Plan> {
    let (wanted, buildx) = configured(config)?;
    let found = buildx.builder.as_ref();
    let steps = match task {
        BuilderTask::Create => create(config, wanted, found, false),
        BuilderTask::Bootstrap => create(config, wanted, found, true),
        BuilderTask::Status => status(found.with_context(|| {
            format!("there is no builder `{}`; `cargo xtask builder create` makes it", wanted.name)
        })?),
        BuilderTask::Remove => remove(wanted, found),
    };
    let lock = (task != BuilderTask::Status).then(|| config.lock());
    Ok(Plan { cwd: config.root.clone(), steps, lock, ..Plan::default() })
}

/// The builder that the configuration describes, and what buildx has of it.
///
/// # Errors
/// There is no such section, buildx is missing or too old, or it has something else of that name.
pub(super) fn configured(config: &Config) -> Result<(&Builder, &Buildx)> {
    let wanted = config.pipeline.builder.as_ref().context(
        "config/pipeline.toml has no section [builder]; `name` and `driver` in it say which builder is meant",
    )?;
    let buildx = Buildx::usable(config.host.tools.buildx.as_ref())?;
    if buildx.builder.as_ref().is_some_and(|found| found.driver == "docker") {
        bail!("`{}` is a context of Docker; give `name` in [builder] another value", wanted.name);
    }
    Ok((wanted, buildx))
}

/// The steps that make the builder what it should be, and show it.
fn create(config: &Config, wanted: &Builder, found: Option<&buildx::Builder>, start: bool) -> Vec<Step> {
    let settings = config.target("builder/buildkitd.toml");
    let nodes = nodes(config, wanted, &settings);
    let mut steps = match found {
        Some(found) if is_same(found, wanted, &nodes) => vec![],
        found => {
            let keep = found.is_some_and(|found| found.driver == wanted.nodes.driver());
            let remove = found.map(|_| Step {
                why: format!("take the old one away{}", if keep { ", but not its cache" } else { "" }),
                ..rm(wanted, keep)
            });
            let write = takes_settings(&wanted.nodes).then(|| Step {
                name: "settings".to_owned(),
                why: "write what the daemons are told: config/buildkitd.toml, mirrors, registries".to_owned(),
                argv: words(&["cat"]),
                stdin: Some(config.buildkitd.to_string()),
                outputs: vec![settings.clone()],
                stdout: Some(settings),
                ..Step::default()
            });
            let create = nodes.into_iter().enumerate().map(|(index, node)| Step {
                name: format!("create-{index}"),
                why: format!("tell buildx of the node {}", node.name),
                argv: node.argv,
                ..Step::default()
            });
            remove.into_iter().chain(write).chain(create).collect()
        }
    };
    let why = match (steps.is_empty(), start) {
        (false, false) => "show it",
        (true, false) => "show it: it is as configured",
        (false, true) => "start its daemons, and show it",
        (true, true) => "start its daemons where they do not run, and show it: it is as configured",
    };
    let bootstrap = if start { &["--bootstrap"][..] } else { &[] };
    let inspect = [&["docker", "buildx", "inspect"], bootstrap, &[&*wanted.name]].concat();
    steps.push(Step {
        name: "inspect".to_owned(),
        why: why.to_owned(),
        argv: words(&inspect),
        ..Step::default()
    });
    in_turn(&mut steps);
    steps
}

/// The steps that show nodes and what their caches hold. buildx tells the latter only when all of them run.
fn status(found: &buildx::Builder) -> Vec<Step> {
    let name = &*found.name;
    let mut steps = vec![Step {
        name: "inspect".to_owned(),
        why: "show its nodes and their platforms".to_owned(),
        argv: words(&["docker", "buildx", "inspect", name]),
        ..Step::default()
    }];
    if found.is_running() {
        // The last lines are the sums; the thousands before them are records.
        let script = r#"use=$(docker buildx du --builder "$1") && printf '%s\n' "$use" | tail -n 4"#;
        steps.push(Step {
            name: "cache".to_owned(),
            why: "sum up what its cache holds".to_owned(),
            argv: words(&["sh", "-c", script, "cache", name]),
            ..Step::default()
        });
    }
    in_turn(&mut steps);
    steps
}

/// The steps that leave nothing of the builder.
fn remove(wanted: &Builder, found: Option<&buildx::Builder>) -> Vec<Step> {
    let rm =
        found.map(|_| Step { why: "take the builder and its cache away".to_owned(), ..rm(wanted, false) });
    let mut steps = rm.into_iter().collect::<Vec<_>>();
    if let Nodes::DockerContainer(nodes) = &wanted.nodes {
        // buildx itself leaves the cache of a daemon that was not started after its settings had changed.
        let here = nodes.iter().enumerate().filter(|(_, node)| node.endpoint.is_none());
        let caches = here.map(|(index, _)| format!("buildx_buildkit_{}{index}_state", wanted.name));
        steps.extend(caches.map(|volume| Step {
            name: "cache".to_owned(),
            why: "take away a cache that no daemon has, if there is one".to_owned(),
            argv: words(&["docker", "volume", "rm", "--force", &volume]),
            ..Step::default()
        }));
    }
    in_turn(&mut steps);
    steps
}

fn rm(wanted: &Builder, keep_state: bool) -> Step {
    let keep = if keep_state { &["--keep-state"][..] } else { &[] };
    let argv = [&["docker", "buildx", "rm"], keep, &[&*wanted.name]].concat();
    Step { name: "remove".to_owned(), argv: words(&argv), ..Step::default() }
}
