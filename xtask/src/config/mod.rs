//! The configuration: `config/pipeline.toml`, the environment and facts of the host, as one value.
//!
//! No task reads the environment, so a plan follows from a [`Config`] and flags alone.

mod build;
mod builder;
mod buildkit;
mod buildkitd;
mod cache;
mod check;
#[cfg(test)] // template: if pipeline_tests
pub(crate) mod fixture; // template: if pipeline_tests
mod host;
mod image;
mod jobs;
mod layers;
mod lists;
mod pgo; // template: if pipeline_tests
mod pipeline;
mod source;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use db_servers::Backend;
use image_spec::{Pins, Platform};
use toml::Table;

use crate::error::{Usage, did_you_mean};
use crate::tools::Need;

pub(crate) use build::{Linker, NO_DATABASE, Profile};
pub(crate) use builder::{Builder, Container, Nodes, Pods, Remote};
pub(crate) use buildkit::{CompileCache, Packaging};
pub(crate) use cache::Sccache;
pub(crate) use host::is_in_kitchen; // template: if kitchen
pub(crate) use host::{Host, is_dumb_terminal, no_color, target_dir};
#[cfg(all(test, unix))] // template: if pipeline_tests
pub(crate) use image::Debug; // template: if pipeline_tests
pub(crate) use image::{Engine, File};
pub(crate) use jobs::jobs;
pub(crate) use layers::LayerCache;
pub(crate) use lists::Lists;
pub(crate) use pgo::Pgo; // template: if pipeline_tests
pub(crate) use pipeline::{Pipeline, Push};
pub(crate) use source::{Package, Source, TOOLS};
pub(crate) use tree::{Tree, changed_since};

/// Where digests of images are kept, from the workspace root.
pub(crate) const IMAGES_LOCK: &str = "config/images.lock";

/// What runs of the pipeline lock, in the target folder.
pub(crate) const LOCK: &str = "xtask.lock";

/// Where GitHub looks for workflows, from the workspace root.
const WORKFLOWS: &str = ".github/workflows";

/// All that plans depend on besides flags.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The workspace: where every step runs.
    pub(crate) root: PathBuf,
    /// `config/pipeline.toml`.
    pub(crate) pipeline: Pipeline,
    /// `config/buildkitd.toml`, with what the pipeline's own file says of registries.
    pub(crate) buildkitd: Table,
    /// `config/images.lock`.
    pub(crate) pins: Pins,
    /// `Dockerfile`, if there is one.
    pub(crate) dockerfile: Option<String>,
    /// Whether there are workflows of GitHub.
    pub(crate) has_workflows: bool,
    /// The version of Rust in `rust-toolchain.toml`, if there is one.
    pub(crate) rust: Option<String>,
    /// What manifests say of the service.
    pub(crate) package: Package,
    /// Whether the pipeline's packages are a workspace of their own.
    pub(crate) has_own_tools: bool,
    /// The commit that is built.
    pub(crate) source: Source,
    /// What is known of lists of packages.
    pub(crate) lists: Lists,
    // template: if pipeline_tests
    /// Profiles of the service under load.
    pub(crate) pgo: Pgo,
    // template: end
    /// This machine.
    pub(crate) host: Host,
}

impl Config {
    /// Reads all of it.
    ///
    /// # Errors
    /// Says which file, line and key is wrong.
    pub(crate) fn load(need: Need) -> Result<Config> {
        Config::load_for(|_| need)
    }

    /// Reads all of it, where it depends on `config/pipeline.toml` what has to be known of the machine.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn load_for(need: impl FnOnce(&Pipeline) -> Need) -> Result<Config> {
        let root = host::workspace_root()?;
        let pipeline = Pipeline::read(&root)?;
        let need = need(&pipeline);
        let buildkitd = buildkitd::read(&root, &pipeline)?;
        let pins = read_pins(&root)?;
        let package = Package::read(&root, &pipeline.build.within("Cargo.toml"))?;
        let (host, source, lists) = std::thread::scope(|scope| {
            let source = scope.spawn(|| Source::of(&root));
            let lists = scope.spawn(|| Lists::read(&root, &target_dir(&root)));
            let host = Host::probe(&root, need, pipeline.builder.as_ref().map(|builder| &*builder.name));
            (host, source.join(), lists.join().unwrap_or_default())
        });
        let source = source.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let (dockerfile, rust) = (fs::read_to_string(root.join("Dockerfile")).ok(), source::rust(&root)?);
        let has_workflows = root.join(WORKFLOWS).is_dir();
        let has_own_tools = source::has_own_tools(&root)?;
        Ok(Config {
            pgo: Pgo::read(&root, &host, &pipeline.build), // template: if pipeline_tests
            root,
            pipeline,
            buildkitd,
            pins,
            dockerfile,
            has_workflows,
            rust,
            package,
            has_own_tools,
            source,
            lists,
            host,
        })
    }

    /// The backend that was asked for, or the default one.
    pub(crate) fn backend<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str> {
        let known = &self.pipeline.build.backends;
        match asked {
            None => Ok(&known[0]),
            Some(name) if known.iter().any(|backend| backend == name) => Ok(name),
            Some(name) => {
                Err(Usage(format!("unknown backend `{name}`, {}", did_you_mean(name, known))).into())
            }
        }
    }

    /// Why no server can be started for `backend`, and how that is mended.
    pub(crate) fn missing_database(&self, backend: &str) -> Option<String> {
        match backend.parse::<Backend>() {
            Err(unknown) => Some(unknown),
            Ok(backend) => {
                let mut databases = self.host.tools.databases.iter();
                databases.find(|(name, _)| *name == backend).and_then(|(_, found)| found.clone().err())
            }
        }
    }

    /// The backends that were asked for, `all` for all of them, or the default one.
    pub(crate) fn backends<'a>(&'a self, asked: &'a [String]) -> Result<Vec<&'a str>> {
        let known = &self.pipeline.build.backends;
        match asked {
            [] => Ok(vec![&known[0]]),
            [all] if all == "all" => Ok(known.iter().map(String::as_str).collect()),
            some => unique(some).map(|name| self.backend(Some(name))).collect(),
        }
    }

    /// The platforms that were asked for.
    pub(crate) fn platforms(&self, asked: &[Platform]) -> Result<Vec<Platform>> {
        let known = &self.pipeline.build.platforms;
        if let Some(platform) = asked.iter().find(|platform| !known.contains(platform)) {
            let known = known.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
            return Err(Usage(format!("config/pipeline.toml builds for {known}, not for {platform}")).into());
        }
        Ok(unique(asked).copied().collect())
    }

    /// The platform of this machine, which can run what is built, if it is built for; else the first that is.
    pub(crate) fn own_platform(&self) -> Platform {
        let known = &self.pipeline.build.platforms;
        self.host.platform.filter(|host| known.contains(host)).unwrap_or(known[0])
    }

    /// `path` as steps name it: relative to the workspace where it is inside.
    pub(crate) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// A path below cargo's target folder, as steps name it.
    pub(crate) fn target(&self, path: &str) -> PathBuf {
        self.relative(&self.host.target_dir.join(path))
    }

    /// What a plan locks that must not mix its outputs with those of another run.
    pub(crate) fn lock(&self) -> PathBuf {
        self.target(LOCK)
    }
}

/// Nobody needs the file before there is an image to pin.
fn read_pins(root: &Path) -> Result<Pins> {
    match fs::read_to_string(root.join(IMAGES_LOCK)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Pins::default()),
        text => text.with_context(|| format!("cannot read {IMAGES_LOCK}"))?.parse().context(IMAGES_LOCK),
    }
}

/// Each once, in the order in which they first come.
fn unique<T: PartialEq>(items: &[T]) -> impl Iterator<Item = &T> {
    items.iter().enumerate().filter(|(index, item)| !items[..*index].contains(item)).map(|(_, item)| item)
}
