//! `registry check`: finds out what a registry can do.

use anyhow::Result;
use image_spec::{CheckSpec, Repository};

use super::image::{check_repository, registries};
use super::{engine_step, engine_task};
use crate::config::Config;
use crate::plan::{Plan, Product, Step, Topic};

/// Plans `registry check`.
///
/// # Errors
/// For a repository that is in no registry.
pub(crate) fn plan(config: &Config, asked: Option<&Repository>) -> Result<Plan> {
    let repository = asked.unwrap_or(&config.pipeline.image.repository);
    check_repository(repository)?;
    let spec = CheckSpec {
        repository: repository.clone(),
        tags: vec![],
        immutable: vec![],
        registries: registries(config),
    };
    let file = config.target("registry.json");
    let check = Step {
        why: format!("push something small to {repository}, and remove it again"),
        ..engine_task(config, "check", &["check", "--report-file", &file.to_string_lossy()], &spec)?
    };
    Ok(Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config), check],
        products: vec![Product::Finding { topic: Topic::Registry, file }],
        lock: Some(config.lock()),
        ..Plan::default()
    })
}
