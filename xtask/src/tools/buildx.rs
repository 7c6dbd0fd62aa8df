//! Docker's buildx, and the BuildKit builder that it reaches.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;

use anyhow::{Result, bail};

use super::{number_in, output_of};
use crate::size::Size;

/// Where buildx comes from.
pub(crate) const INSTALL: &str = "https://github.com/docker/buildx#installing";

/// The oldest buildx whose options and progress this pipeline knows.
const OLDEST: Version = Version { major: 0, minor: 13, patch: 0 };

/// The first buildx that calls what `prune` keeps `--reserved-space`; to those before it is `--keep-storage`.
const RESERVED_SPACE: Version = Version { major: 0, minor: 17, patch: 0 };

/// Docker's buildx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Buildx {
    /// Its version; none where a build does not tell.
    pub(crate) version: Option<Version>,
    /// The builder that was asked for; none when it is not there.
    pub(crate) builder: Option<Builder>,
}

/// A builder: BuildKit daemons under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Builder {
    /// Its name.
    pub(crate) name: String,
    /// How its daemons run: `docker`, `docker-container`, `kubernetes`, `remote` or `cloud`.
    pub(crate) driver: String,
    /// The daemons.
    pub(crate) nodes: Vec<Node>,
    /// Whether images are stored by containerd, where it is Docker's own.
    pub(crate) has_containerd: bool,
}

/// A BuildKit daemon, or several alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// Where it is: a Docker context or host, or the daemon's URL.
    pub(crate) endpoint: String,
    /// The options of its driver.
    pub(crate) options: BTreeMap<String, String>,
    /// `running`, `inactive`, `stopped`; for one that cannot be asked, what is wrong.
    pub(crate) status: String,
    /// The version of BuildKit; none while it does not run, and where a build does not tell.
    pub(crate) buildkit: Option<Version>,
    /// What it builds for, such as `linux/arm64`.
    pub(crate) platforms: Vec<String>,
}

/// A version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// The first number.
    pub(crate) major: u32,
    /// The second.
    pub(crate) minor: u32,
    /// The third.
    pub(crate) patch: u32,
}

impl Buildx {
    /// Asks buildx for its version; none where it is not installed.
    pub(crate) fn probe() -> Option<Buildx> {
        let said = output_of("docker", &["buildx", "version"])?;
        Some(Buildx { version: Version::parse(&number_in(said.trim())), builder: None })
    }

    /// Asks for the builder of this name as well. Daemons that cannot be reached can take 20 seconds.
    pub(crate) fn probe_builder(name: Option<&str>) -> Option<Buildx> {
        thread::scope(|scope| {
            let builder = scope.spawn(|| Builder::inspect(name));
            Some(Buildx { builder: builder.join().unwrap_or_default(), ..Buildx::probe()? })
        })
    }

    /// The same, with the builder that builds use unless told otherwise where there is none of that name.
    pub(crate) fn probe_any_builder(name: Option<&str>) -> Option<Buildx> {
        thread::scope(|scope| {
            let current = scope.spawn(|| Builder::inspect(None));
            let found = Buildx::probe_builder(name)?;
            let current = current.join().unwrap_or_default();
            Some(Buildx { builder: found.builder.or(current), ..found })
        })
    }

    /// Whether it is known to lack what this pipeline needs.
    pub(crate) fn is_too_old(&self) -> bool {
        self.version.is_some_and(|version| version < OLDEST)
    }

    /// Its version, for people.
    pub(crate) fn describe(&self) -> String {
        match self.version {
            None => "of an unknown version".to_owned(),
            Some(version) if self.is_too_old() => format!("{version}, too old: {OLDEST} is needed"),
            Some(version) => version.to_string(),
        }
    }

    /// The flag of `prune` for how many bytes may stay.
    ///
    /// `--max-used-space` sounds more like it, but needs BuildKit 0.17 as well; to every BuildKit this one is the same as
    /// the old `--keep-storage`.
    pub(crate) fn keep_flag(&self) -> &'static str {
        let is_new = self.version.is_some_and(|version| version >= RESERVED_SPACE);
        if is_new { "--reserved-space" } else { "--keep-storage" }
    }

    /// The buildx of a machine that has one that can be used.
    ///
    /// # Errors
    /// It is missing or too old.
    pub(crate) fn usable(found: Option<&Buildx>) -> Result<&Buildx> {
        match found {
            None => bail!("docker has no buildx, or is not on PATH: {INSTALL}"),
            Some(old) if old.is_too_old() => bail!("docker buildx is {}: {INSTALL}", old.describe()),
            Some(buildx) => Ok(buildx),
        }
    }
}

impl Builder {
    fn inspect(name: Option<&str>) -> Option<Builder> {
        let mut args = vec!["buildx", "inspect"];
        args.extend(name);
        output_of("docker", &args).and_then(|said| Builder::parse(&said))
    }

    /// Whether all of its daemons run: only then buildx tells of caches, and empties them.
    pub(crate) fn is_running(&self) -> bool {
        self.nodes.iter().all(|node| node.status == "running")
    }

    /// How much its caches hold, in bytes; none where it does not say.
    pub(crate) fn cache_size(&self) -> Option<u64> {
        if !self.is_running() {
            return None;
        }
        total(&output_of("docker", &["buildx", "du", "--builder", &self.name])?)
    }

    /// Reads what `docker buildx inspect` prints. What belongs to a longer list of a node is indented.
    fn parse(text: &str) -> Option<Builder> {
        let mut builder = Builder::default();
        let mut in_nodes = false;
        for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
            let Some((key, value)) = line.split_once(':') else { continue };
            match (key, value.trim()) {
                ("Nodes", _) => in_nodes = true,
                ("Name", name) if in_nodes => {
                    builder.nodes.push(Node { name: name.to_owned(), ..Node::default() });
                }
                ("Name", name) => name.clone_into(&mut builder.name),
                ("Driver", driver) => driver.clone_into(&mut builder.driver),
                (key, value) => {
                    if let Some(node) = builder.nodes.last_mut() {
                        node.set(key, value);
                    }
                }
            }
        }
        // A label of its node.
        let is_containerd = |line: &str| line.contains("worker.executor:") && line.ends_with("containerd");
        builder.has_containerd = text.lines().any(is_containerd);
        (!builder.driver.is_empty()).then_some(builder)
    }
}

impl Node {
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "Endpoint" => value.clone_into(&mut self.endpoint),
            "Driver Options" => self.options = options(value),
            "Status" | "Error" => value.clone_into(&mut self.status),
            "BuildKit version" => self.buildkit = Version::parse(value),
            // A star marks those that were set by hand.
            "Platforms" => {
                let platforms = value.split(',').map(|platform| platform.trim().trim_end_matches('*'));
                self.platforms = platforms.map(str::to_owned).collect();
            }
            _ => {}
        }
    }
}

/// Reads the last line of what `docker buildx du` prints.
fn total(said: &str) -> Option<u64> {
    let total = said.lines().rev().find_map(|line| line.strip_prefix("Total:"))?;
    total.trim().parse().ok().map(|Size(bytes)| bytes)
}

/// Reads `key="value" key="value"`, where a backslash makes a quote or a backslash part of the value.
fn options(text: &str) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = after.chars();
        while let Some(character) = characters.next().filter(|character| *character != '"') {
            value.extend(if character == '\\' { characters.next() } else { Some(character) });
        }
        options.insert(key.trim().to_owned(), value);
        rest = characters.as_str();
    }
    options
}

impl Version {
    /// Reads `v0.12.5`, `0.13.1+ds1` and the like. Builds that do not tell say 0.0.0.
    fn parse(text: &str) -> Option<Version> {
        let number = text.trim_start_matches('v').split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut parts = number.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let version = Version { major, minor, patch: parts.next().flatten().unwrap_or(0) };
        ((major, minor, version.patch) != (0, 0, 0)).then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
// template: if pipeline_tests

#[cfg(test)]
mod tests;
// template: end
