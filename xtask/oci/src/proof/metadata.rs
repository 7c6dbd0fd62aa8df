//! Which packages a build compiles, from what `cargo metadata` says.
//!
//! Like [cargo-auditable](https://github.com/rust-secure-code/cargo-auditable): what is linked in is `runtime`, procedural
//! macros, build scripts and all that only they need is `build`, and dependencies for tests are left out.
//!
//! One thing is done better. cargo unites the features that all members of a workspace ask for, so its graph has edges
//! that only another member opens: a tool that needs sqlx for one database would put its driver into a service that is
//! built for another. Hence [`features`] follows the features once more from the root.

// template: if pipeline_tests
#[cfg(test)]
mod tests;

// template: end
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use auditable_serde::{Package, Source, VersionInfo};
use serde::Deserialize;

use super::features::{self, Compiled};
use crate::error::PathContext as _;

/// The format of lists in which procedural macros are `build`.
const FORMAT: u32 = 1;
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The output of `cargo metadata --format-version 1`, in the part that matters here.
#[derive(Debug, Deserialize)]
pub struct Metadata<'a> {
    #[serde(borrow)]
    packages: Vec<MetadataPackage<'a>>,
    #[serde(borrow)]
    workspace_members: Vec<&'a str>,
    resolve: Option<Resolve<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MetadataPackage<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    version: semver::Version,
    source: Option<&'a str>,
    #[serde(borrow)]
    license: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) features: BTreeMap<&'a str, Vec<&'a str>>,
    pub(super) dependencies: Vec<Dependency<'a>>,
    targets: Vec<Target<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency<'a> {
    pub(super) name: &'a str,
    pub(super) rename: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) optional: bool,
    pub(super) uses_default_features: bool,
    #[serde(borrow)]
    pub(super) features: Vec<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Target<'a> {
    #[serde(borrow)]
    kind: Vec<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Resolve<'a> {
    #[serde(borrow)]
    nodes: Vec<Node<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node<'a> {
    pub(super) id: &'a str,
    #[serde(borrow)]
    pub(super) deps: Vec<Edge<'a>>,
    pub(super) features: Vec<&'a str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Edge<'a> {
    pub(super) name: &'a str,
    pub(super) pkg: &'a str,
    #[serde(borrow)]
    pub(super) dep_kinds: Vec<EdgeKind<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EdgeKind<'a> {
    pub(super) kind: Option<&'a str>,
}

/// Reads a file that cargo wrote, or standard input for `-`.
///
/// # Errors
/// It cannot be read.
pub fn read(source: &Path) -> Result<Vec<u8>> {
    if source == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).context("cannot read cargo's metadata from standard input")?;
        return Ok(bytes);
    }
    fs::read(source).cannot("read", source)
}

/// The licences that the packages in the output of `cargo metadata --format-version 1` name, by name and version.
///
/// # Errors
/// It is no such output.
pub fn licences(json: &[u8]) -> Result<BTreeMap<(String, String), String>> {
    let metadata = Metadata::parse(json)?;
    let known = metadata.packages.iter().filter_map(|package| {
        let licence = package.license.as_ref()?;
        Some(((package.name.to_owned(), package.version.to_string()), licence.clone().into_owned()))
    });
    Ok(known.collect())
}

impl<'a> Metadata<'a> {
    /// Reads the output of `cargo metadata --format-version 1`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(json: &'a [u8]) -> Result<Self> {
        serde_json::from_slice(json).context("not the output of `cargo metadata --format-version 1`")
    }

    /// The packages that the package `root` of the workspace is compiled from, with the features that were asked for, in
    /// the order of their names.
    ///
    /// # Errors
    /// The workspace has no such package, or the metadata has no dependencies.
    pub fn packages_of(&self, root: &str) -> Result<VersionInfo> {
        let root = self.find(root)?;
        let Some(resolve) = &self.resolve else {
            bail!("the metadata has no dependencies; call `cargo metadata` without --no-deps");
        };
        let compiled = features::follow(&self.packages, &resolve.nodes, root)?;
        let mut packages: Vec<_> = self.packages.iter().filter(|it| compiled.contains_key(it.id)).collect();
        packages.sort_by_key(|package| (package.name, &package.version, package.id));
        let places: HashMap<_, _> =
            packages.iter().enumerate().map(|(place, package)| (package.id, place)).collect();
        let packages = packages.into_iter().map(|package| {
            let Compiled { kind, dependencies } = &compiled[package.id];
            let mut dependencies: Vec<_> = dependencies.iter().map(|id| places[id]).collect();
            dependencies.sort_unstable();
            Package {
                name: package.name.to_owned(),
                version: package.version.clone(),
                source: package.source.map_or(Source::Local, source),
                kind: *kind,
                dependencies,
                root: package.id == root,
            }
        });
        Ok(VersionInfo { packages: packages.collect(), format: FORMAT })
    }

    fn find(&self, name: &str) -> Result<&'a str> {
        let members = || self.packages.iter().filter(|package| self.workspace_members.contains(&package.id));
        let found = members().find(|package| package.name == name).map(|package| package.id);
        found.with_context(|| {
            let names: Vec<_> = members().map(|package| package.name).collect();
            format!("the workspace has no package `{name}`; it has {}", names.join(", "))
        })
    }
}

impl MetadataPackage<'_> {
    /// Whether it is a procedural macro, which runs in the compiler and nowhere else.
    pub(super) fn is_proc_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.contains(&"proc-macro"))
    }
}

fn source(id: &str) -> Source {
    if id == CRATES_IO {
        return Source::CratesIo;
    }
    Source::from(id.split('+').next().unwrap_or(id))
}
