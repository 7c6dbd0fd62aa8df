//! The cache of the builder.

use anyhow::Result;

use super::super::builder::configured;
use super::super::words;
use crate::cli::{CleanFlags, Limits};
use crate::config::{Config, Pipeline};
use crate::plan::{Plan, Step, in_turn};
use crate::report::BuilderSpace;
use crate::size::Size;
use crate::tools::{Buildx, Need};

/// What has to be known of the machine: the builder is asked for only where something is shown or done of it.
pub(super) fn need(pipeline: &Pipeline, flags: &CleanFlags) -> Need {
    let is_asked_for = flags.builder || !flags.limits.are_set();
    if is_asked_for && pipeline.builder.is_some() { Need::Builder } else { Need::Nothing }
}

/// What the builder keeps, where it runs.
pub(super) fn space(config: &Config) -> Option<BuilderSpace> {
    let builder = config.host.tools.buildx.as_ref()?.builder.as_ref()?;
    Some(BuilderSpace { name: builder.name.clone(), size: builder.cache_size()? })
}

/// Plans what has the builder's cache keep to the limits; no step, with the reason why, where none of its daemons could.
///
/// # Errors
/// As [`configured`].
pub(crate) fn plan(config: &Config, limits: &Limits) -> Result<(Plan, Option<String>)> {
    let (wanted, buildx) = configured(config)?;
    let name = &wanted.name;
    let idle = match &buildx.builder {
        None => Some(format!("there is no builder `{name}`, and so no cache of it")),
        Some(found) if !found.is_running() => Some(format!(
            "the builder `{name}` does not run, and so its cache stays: `cargo xtask builder bootstrap` starts it"
        )),
        Some(_) => None,
    };
    let mut steps = if idle.is_some() { vec![] } else { steps(name, buildx, limits) };
    in_turn(&mut steps);
    Ok((Plan { cwd: config.root.clone(), steps, ..Plan::default() }, idle))
}

/// One step for each limit: given both at once, BuildKit takes away only what breaks both.
fn steps(name: &str, buildx: &Buildx, limits: &Limits) -> Vec<Step> {
    let prune = |what: &str, why: String, limit: [&str; 2]| Step {
        name: format!("builder-{what}"),
        why,
        argv: words(&[&["docker", "buildx", "prune", "--builder", name, "--force"], &limit[..]].concat()),
        ..Step::default()
    };
    let age = limits.older_than.map(|age| {
        let why = format!("take away what builds did not use for {}", humantime::format_duration(age));
        prune("age", why, ["--filter", &format!("until={}s", age.as_secs())])
    });
    let size = limits.keep.map(|Size(bytes)| {
        let why = format!("take away what builds did not use for longest, until {bytes} B stay");
        prune("size", why, [buildx.keep_flag(), &bytes.to_string()])
    });
    age.into_iter().chain(size).collect()
}
