//! What every scenario works with.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command::Runner;
use crate::docker;
use crate::flags::{BenchFlags, Scenario};
use crate::janitor::Janitor;
use crate::registry::Registry;
use crate::revision;
use crate::throttle::Throttle;

/// Bytes.
pub(crate) const GIGABYTE: u64 = 1_000_000_000;

/// What was asked for, and what there is to do it with.
pub(crate) struct Bench {
    /// The checkout, which is only read.
    pub(crate) root: PathBuf,
    /// A folder that is removed at the end.
    pub(crate) folder: PathBuf,
    /// Names what Docker has of this run.
    pub(crate) id: String,
    /// Starts programs.
    pub(crate) runner: Runner,
    /// The commit of the checkout.
    pub(crate) commit: String,
    /// What the checkout says of the service.
    pub(crate) settings: Settings,
    /// Images that stand in for others.
    pub(crate) images: Vec<(String, String)>,
    /// Whether to be quick.
    pub(crate) is_quick: bool,
    rounds: Option<u32>,
    edits: Cell<u32>,
    network: OnceCell<Network>,
    /// The builder's records before, if what comes to them is to go.
    records: Option<BTreeSet<String>>,
}

/// A registry behind a line of any bandwidth.
pub(crate) struct Network {
    /// The registry.
    pub(crate) registry: Registry,
    /// The line to it.
    pub(crate) line: Throttle,
}

/// What the files of the checkout say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Databases; the first is the default.
    pub(crate) backends: Vec<String>,
    /// For a registry another one, or a place in it.
    pub(crate) mirrors: BTreeMap<String, String>,
    /// The index of crates, if it is another than crates.io's.
    pub(crate) crates: Option<String>,
    /// The version of Rust.
    pub(crate) rust: String,
    /// Variables that give cargo the service's own profile, whatever a Dockerfile says.
    pub(crate) profile: Vec<(String, String)>,
}

impl Bench {
    /// Takes what was asked for, and makes a folder to work in.
    ///
    /// # Errors
    /// When the checkout is none of this repository, or there can be no such folder.
    pub(crate) fn new(flags: &BenchFlags, root: &Path) -> Result<Bench> {
        let images = flags.images.iter().map(|image| stand_in(image)).collect::<Result<_>>()?;
        let settings = Settings::read(root)?;
        let commit = revision::commit(root, "HEAD")?;
        let folder =
            tempfile::Builder::new().prefix("galley-bench-").tempdir().context("cannot make a folder")?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let id = format!("galley-bench-{}-{seconds}", std::process::id());
        // From here on the janitor removes it.
        let folder = folder.keep();
        let runner = Runner::new(Janitor::start(&folder, &id)?, &folder);
        Ok(Bench {
            root: root.to_owned(),
            folder,
            id,
            runner,
            commit,
            settings,
            images,
            is_quick: flags.quick,
            rounds: flags.rounds.map(Into::into),
            edits: Cell::new(0),
            network: OnceCell::new(),
            records: flags.prune.then(docker::records),
        })
    }

    /// How often each side of a scenario is measured.
    pub(crate) fn rounds(&self, scenario: Scenario) -> u32 {
        let asked = self.rounds.unwrap_or(if self.is_quick { 3 } else { 5 });
        match scenario {
            // The same bytes each time.
            Scenario::Size => 1,
            // What was compiled stays, and only the first time is the first.
            Scenario::Lock => 1,
            // Minutes each, or many points of one line.
            Scenario::Fresh
            | Scenario::Cached
            | Scenario::Crates
            | Scenario::Matrix
            | Scenario::History
            | Scenario::Payload
            | Scenario::Layers => asked.min(3),
            _ => asked,
        }
    }

    /// So many bytes, or a hundredth of them where it has to be quick.
    pub(crate) fn scaled(&self, bytes: u64) -> u64 {
        if self.is_quick { bytes / 100 } else { bytes }
    }

    /// A number that no edit has had so far.
    pub(crate) fn number(&self) -> u32 {
        self.edits.set(self.edits.get() + 1);
        // So many digits each time that nothing else moves.
        10_000 + self.edits.get()
    }

    /// The registry, which is started when it is first needed.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn network(&self) -> Result<&Network> {
        if self.network.get().is_none() {
            let registry = Registry::start(&self.folder.join("registry"))?;
            let line = Throttle::start(registry.address)?;
            let _ = self.network.set(Network { registry, line });
        }
        self.network.get().context("there is no registry")
    }

    /// Has the janitor remove what came to the builder's cache meanwhile, if that is wanted.
    pub(crate) fn prune(&self) {
        let (Some(before), Some(janitor)) = (&self.records, self.runner.janitor()) else { return };
        docker::records().difference(before).for_each(|record| janitor.prune(record));
    }
}

fn stand_in(image: &str) -> Result<(String, String)> {
    match image.split_once('=') {
        Some((name, reference)) if !name.is_empty() && !reference.is_empty() => {
            Ok((name.to_owned(), reference.to_owned()))
        }
        _ => bail!(
            "--image {image}: write it as NAME=REFERENCE, such as debian:bookworm-slim=mirror.example.com/debian:12"
        ),
    }
}

#[derive(Deserialize)]
struct Pipeline {
    build: Build,
    #[serde(default)]
    mirrors: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Build {
    backends: Vec<String>,
}

#[derive(Deserialize)]
struct Toolchain {
    toolchain: Channel,
}

#[derive(Deserialize)]
struct Channel {
    channel: String,
}

#[derive(Deserialize)]
struct Manifest {
    profile: BTreeMap<String, toml::Table>,
}

impl Settings {
    fn read(root: &Path) -> Result<Settings> {
        let pipeline: Pipeline = read(root, "config/pipeline.toml")?;
        let toolchain: Toolchain = read(root, "rust-toolchain.toml")?;
        let manifest: Manifest = read(root, "Cargo.toml")?;
        let mut mirrors = pipeline.mirrors;
        if pipeline.build.backends.is_empty() {
            bail!("config/pipeline.toml is not right: `build.backends` must name at least one");
        }
        Ok(Settings {
            backends: pipeline.build.backends,
            crates: mirrors.remove("crates-io"),
            mirrors,
            rust: toolchain.toolchain.channel,
            profile: manifest.profile.get("release").map(variables).unwrap_or_default(),
        })
    }
}

fn read<T: for<'a> Deserialize<'a>>(root: &Path, name: &str) -> Result<T> {
    let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
    toml::from_str(&text).with_context(|| format!("{name} is not right"))
}

/// A profile, as [cargo's variables](https://doc.rust-lang.org/cargo/reference/environment-variables.html) have it.
fn variables(profile: &toml::Table) -> Vec<(String, String)> {
    let name = |key: &str| format!("CARGO_PROFILE_RELEASE_{}", key.to_uppercase().replace('-', "_"));
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    profile
        .iter()
        .filter(|(_, value)| !value.is_table())
        .map(|(key, value)| (name(key), text(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_says_what_peers_have_in_common() {
        let settings = Settings::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
        let names = settings.profile.iter().map(|(name, _)| &name["CARGO_PROFILE_RELEASE_".len()..]);
        // Those that the peers' Dockerfiles can be told.
        assert_eq!(names.collect::<Vec<_>>(), ["CODEGEN_UNITS", "INCREMENTAL", "LTO", "STRIP"]);
        assert!(settings.profile.contains(&("CARGO_PROFILE_RELEASE_LTO".to_owned(), "off".to_owned())));
        assert!(settings.rust.starts_with("1.") && !settings.backends.is_empty());
    }

    #[test]
    fn stand_ins_have_a_name_and_a_reference() {
        let pair = ("a:1".to_owned(), "m.example/a:2".to_owned());
        assert_eq!(stand_in("a:1=m.example/a:2").unwrap(), pair);
        assert!(stand_in("a:1").unwrap_err().to_string().contains("NAME=REFERENCE"));
    }
}
