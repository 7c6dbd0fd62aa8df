//! `sqlx`: renews or checks the cache that lets sqlx check SQL without a database.
//!
//! Throw-away databases get the migrations; with their URL in the environment, sqlx's macros ask them about every query
//! while the service is compiled, and write what they learn to a folder. That folder is the cache as it should be.

use anyhow::{Result, bail};

use super::{MESSAGES, databases, databases_step, debug, service, words};
use crate::cli::{SqlxFlags, SqlxTask};
use crate::config::Config;
use crate::plan::{Plan, Step};

/// Plans `sqlx prepare` or `sqlx check`.
///
/// # Errors
/// For a backend that there is not, and where a database is missing.
pub(crate) fn plan(config: &Config, task: &SqlxTask) -> Result<Plan> {
    let (SqlxTask::Prepare(flags) | SqlxTask::Check(flags)) = task;
    let backends = backends(config, flags)?;
    let missing = backends.iter().filter_map(|backend| config.missing_database(backend)).collect::<Vec<_>>();
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    let mut steps = vec![databases_step(config)];
    for backend in backends {
        steps.push(describe_step(config, backend));
        steps.push(match task {
            SqlxTask::Prepare(_) => replace_step(config, backend),
            SqlxTask::Check(_) => compare_step(config, backend),
        });
    }
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.lock()), ..Plan::default() })
}

fn backends<'a>(config: &'a Config, flags: &'a SqlxFlags) -> Result<Vec<&'a str>> {
    match &flags.backend {
        Some(_) => Ok(vec![config.backend(flags.backend.as_deref())?]),
        None => Ok(config.pipeline.build.backends.iter().map(String::as_str).collect()),
    }
}

/// Fills a folder with what the database says of every query.
pub(super) fn describe_step(config: &Config, backend: &str) -> Step {
    let package = &config.pipeline.build.package;
    let mut argv = words(&[&databases(config), "exec", "--backend", backend]);
    argv.extend(queries(config, backend));
    argv.extend(words(&["--", "cargo", "check", "--locked", "--all-targets", MESSAGES]));
    argv.extend(service(config, backend));
    // To cargo this is another service than the everyday one, which stays up to date, with the same dependencies.
    // Nothing is optimised by a check.
    argv.extend(["--config".to_owned(), format!("profile.dev.package.{package}.opt-level=1")]);
    Step {
        name: format!("describe-{backend}"),
        why: format!("ask a database about every query of the service for {backend}"),
        argv,
        needs: words(&["databases"]),
        crates: true,
        folder: Some(debug(config)),
        ..Step::default()
    }
}

/// What has a command beside a database ask it about every query that is compiled, and note the answers.
pub(super) fn queries(config: &Config, backend: &str) -> Vec<String> {
    let migrations = config.pipeline.build.within(&format!("migrations/{backend}"));
    words(&["--migrate", &migrations, "--queries", &fresh(config, backend)])
}

/// Compares that folder with the cache.
pub(super) fn compare_step(config: &Config, backend: &str) -> Step {
    let repair = format!("cargo xtask sqlx prepare --backend {backend}");
    let mut argv = words(&[&databases(config), "queries", "check", "--repair", &repair]);
    argv.extend([fresh(config, backend), kept(config, backend)]);
    Step {
        name: format!("sqlx-{backend}"),
        why: format!("the query cache for {backend} is up to date"),
        argv,
        needs: vec![format!("describe-{backend}")],
        ..Step::default()
    }
}

/// Puts that folder in the place of the cache.
pub(super) fn replace_step(config: &Config, backend: &str) -> Step {
    let mut argv = words(&[&databases(config), "queries", "replace"]);
    argv.extend([fresh(config, backend), kept(config, backend)]);
    Step {
        name: format!("sqlx-{backend}"),
        why: format!("put the query cache for {backend} in its place"),
        argv,
        needs: vec![format!("describe-{backend}")],
        ..Step::default()
    }
}

fn fresh(config: &Config, backend: &str) -> String {
    config.target(&format!("sqlx/{backend}")).to_string_lossy().into_owned()
}

fn kept(config: &Config, backend: &str) -> String {
    config.pipeline.build.within(&format!(".sqlx/{backend}"))
}
