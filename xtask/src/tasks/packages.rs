//! Lists of what binaries are made of, which go into the binaries themselves and into SBOMs.

use std::path::PathBuf;

use image_spec::Platform;

use super::build::{mirror, name};
use super::words;
use crate::config::Config;
use crate::plan::Step;

/// What the binaries for a platform are made of.
pub(super) struct Packages {
    /// Where cargo's list of it is.
    pub(super) list: PathBuf,
    /// The step that makes the list, unless it is there.
    pub(super) step: Option<Step>,
}

impl Packages {
    /// The steps of whoever reads the list.
    pub(super) fn needs(&self) -> impl Iterator<Item = String> {
        self.step.iter().map(|step| step.name.clone())
    }
}

/// Has cargo list what the binaries for a platform are made of, where manifests have changed since. Beside the compiler,
/// which takes longer.
pub(super) fn packages(
    config: &Config,
    backend: &str,
    platform: Platform,
    target: &str,
    distinct: &[(bool, &str)],
) -> Packages {
    let manifest = config.pipeline.build.within("Cargo.toml");
    let mut argv = words(&["cargo", "metadata", "--locked", "--format-version", "1"]);
    argv.extend(words(&["--manifest-path", &manifest, "--filter-platform", target]));
    argv.extend(config.pipeline.build.features(backend));
    argv.extend(mirror(config));
    let start = format!("packages-{backend}-{}", platform.slug());
    let file = config.lists.name(&start, &config.root, &argv);
    let list = config.target(&file);
    let step = Step {
        name: name("packages", distinct),
        why: format!("list what the service for {platform} and {backend} is made of"),
        argv,
        // Three cargos at once would wait for each other's locks, and say so.
        needs: words(&["engine"]),
        stdout: Some(list.clone()),
        outputs: vec![list.clone()],
        ..Step::default()
    };
    let is_there = config.lists.has(&config.host.target_dir.join(file));
    Packages { list, step: (!is_there).then_some(step) }
}
