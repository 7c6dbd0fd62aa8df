//! `up` and `down`: the service beside its database, in containers as compose.yaml describes them.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{bd, image, words};
use crate::cli::{BdFlags, DownFlags, ImageFlags};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Product, Step};
use crate::tools::Compose;

/// What the service offers to a browser on each of its ports, in their order.
const PAGES: [&str; 2] = ["/docs", "/metrics"];

/// Plans `up`: the steps of `bd`, then the profile of compose.yaml that is named like the backend.
///
/// # Errors
/// Docker or its plugin compose is not there, several images would be built, and as [`bd::plan`].
pub(crate) fn plan(config: &Config, flags: &ImageFlags) -> Result<Plan> {
    check_compose(config)?;
    let backends = config.backends(&flags.build.backends)?;
    let [backend] = backends[..] else {
        return Err(
            Usage("the service runs for one database at a time; name one --backend".to_owned()).into()
        );
    };
    if config.platforms(&flags.build.platforms)?.len() > 1 {
        return Err(Usage("a container runs one platform; name one --platform".to_owned()).into());
    }
    let name = image::tags(config, flags, backend, false)?[0].to_string();
    let load = BdFlags { image: flags.clone(), load: true, ..BdFlags::default() };
    let mut plan = bd::plan(config, &load)?;
    for product in &mut plan.products {
        if let Product::Image { run, .. } = product {
            // It runs already, and has the ports.
            run.clear();
        }
    }
    let others = config.pipeline.build.backends.iter().filter(|other| *other != backend);
    let others = others.map(String::as_str).collect::<Vec<_>>();
    if !others.is_empty() {
        push(&mut plan, stop_step(&others));
    }
    push(&mut plan, up_step(backend, name));
    plan.products.push(Product::Service { urls: urls(config), end: "cargo xtask down".to_owned() });
    Ok(plan)
}

/// What a service that runs on this machine has for a browser.
pub(super) fn urls(config: &Config) -> Vec<String> {
    let ports = config.pipeline.image.ports.iter().zip(PAGES);
    ports.map(|(port, page)| format!("http://localhost:{port}{page}")).collect()
}

/// Plans `down`.
///
/// # Errors
/// Docker or its plugin compose is not there.
pub(crate) fn end(config: &Config, flags: &DownFlags) -> Result<Plan> {
    check_compose(config)?;
    let (why, volumes) = match flags.volumes {
        true => ("end what runs, and delete its data", &["--volumes"][..]),
        false => ("end what runs; its data stays", &[][..]),
    };
    let step = Step {
        name: "down".to_owned(),
        why: why.to_owned(),
        argv: compose(&["*"], &[&["down"], volumes].concat()),
        ..Step::default()
    };
    Ok(Plan { cwd: config.root.clone(), steps: vec![step], ..Plan::default() })
}

/// Adds a step that comes after all others.
fn push(plan: &mut Plan, mut step: Step) {
    step.needs.extend(plan.steps.last().map(|last| last.name.clone()));
    plan.steps.push(step);
}

/// All services publish the same ports. What is not there is no failure; volumes stay.
fn stop_step(others: &[&str]) -> Step {
    Step {
        name: "stop".to_owned(),
        why: format!("end what runs for {}", others.join(" or ")),
        argv: compose(others, &["rm", "--stop", "--force"]),
        ..Step::default()
    }
}

fn up_step(backend: &str, image: String) -> Step {
    Step {
        name: "up".to_owned(),
        why: format!("start the service for {backend}, and wait until it is ready"),
        argv: compose(&[backend], &["up", "--detach", "--wait"]),
        env: BTreeMap::from([("APP_IMAGE".to_owned(), image)]),
        ..Step::default()
    }
}

/// A command of compose for what belongs to `profiles`.
fn compose(profiles: &[&str], command: &[&str]) -> Vec<String> {
    let profiles = profiles.iter().flat_map(|profile| ["--profile", profile]).collect::<Vec<_>>();
    words(&[&["docker", "compose"], &profiles[..], command].concat())
}

/// Said before anything is compiled.
fn check_compose(config: &Config) -> Result<()> {
    let tools = &config.host.tools;
    if !tools.has("docker") {
        bail!("docker is not on PATH; `cargo xtask doctor` shows how to install it");
    }
    let (oldest, install) = (Compose::OLDEST, Compose::INSTALL);
    match &tools.compose {
        None => bail!("docker has no plugin compose; {install} says how to install it"),
        Some(found) if !found.is_recent() => {
            bail!("docker compose is {}, and has to be {oldest} or later; {install} says how", found.version)
        }
        Some(_) => {}
    }
    if tools.runtime.as_ref().is_none_or(|runtime| runtime.program != "docker") {
        bail!("docker does not answer; start it, or see what `docker version` says");
    }
    Ok(())
}
