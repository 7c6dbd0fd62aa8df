//! What is built: the package as Cargo.toml describes it, and the commit.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use toml::{Table, Value};

use crate::git;

/// What manifests say of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its version.
    pub(crate) version: String,
    /// SPDX expression.
    pub(crate) license: Option<String>,
    /// Where the source is published.
    pub(crate) repository: Option<String>,
}

/// The commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its full hash, followed by `-dirty` when the work tree differs; none outside of git.
    pub(crate) revision: Option<String>,
    /// The time that images and the files in them get, in seconds since the Unix epoch.
    pub(crate) created: u64,
}

impl Package {
    /// Reads the manifest of the service, `manifest` from the workspace at `root`, and what the workspace says for all.
    ///
    /// # Errors
    /// One of them is not right, or neither has a version.
    pub(crate) fn read(root: &Path, manifest: &str) -> Result<Package> {
        let own = table(root, manifest)?;
        let common = if manifest == MANIFEST { own.clone() } else { table(root, MANIFEST)? };
        let own = own.get("package").and_then(Value::as_table);
        let common = common.get("workspace").and_then(|workspace| workspace.get("package"));
        // What the package inherits is no text, but a table that says so.
        let of = |key: &str| {
            let text = own.and_then(|own| own.get(key)).and_then(Value::as_str);
            text.or_else(|| common.and_then(|common| common.get(key)).and_then(Value::as_str))
                .map(str::to_owned)
        };
        let version = of("version").with_context(|| {
            format!("neither {manifest} nor [workspace.package] in {MANIFEST} has a version, which images are named by")
        })?;
        Ok(Package { version, license: of("license"), repository: of("repository") })
    }
}

/// The manifest of the workspace, from its root.
const MANIFEST: &str = "Cargo.toml";
/// The manifest of xtask, from the workspace root.
pub(crate) const TOOLS: &str = "xtask/Cargo.toml";

/// Whether the pipeline's packages are a workspace of their own, as where a project that was there before has taken them
/// over: its own dependencies have nothing to do with theirs.
///
/// # Errors
/// The manifest of xtask is not right.
pub(super) fn has_own_tools(root: &Path) -> Result<bool> {
    Ok(table(root, TOOLS)?.contains_key("workspace"))
}

/// A manifest. What one says that is not there is for cargo to miss.
fn table(root: &Path, manifest: &str) -> Result<Table> {
    let text = fs::read_to_string(root.join(manifest)).unwrap_or_default();
    toml::from_str(&text).with_context(|| format!("{manifest} is not right"))
}

/// Reads the version of Rust from `rust-toolchain.toml` of the workspace at `root`, if there is one: container builds share
/// it.
pub(super) fn rust(root: &Path) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct File {
        toolchain: Toolchain,
    }
    #[derive(Deserialize)]
    struct Toolchain {
        channel: String,
    }
    const PATH: &str = "rust-toolchain.toml";
    let Ok(text) = fs::read_to_string(root.join(PATH)) else { return Ok(None) };
    let file: File =
        toml::from_str(&text).with_context(|| format!("{PATH} has no [toolchain] with a channel"))?;
    Ok(Some(file.toolchain.channel))
}

impl Source {
    /// Asks git, and SOURCE_DATE_EPOCH, which
    /// [overrides](https://reproducible-builds.org/docs/source-date-epoch/) the time of the commit.
    pub(crate) fn of(root: &Path) -> Result<Source> {
        let head = git::ask(root, &["log", "-1", "--no-show-signature", "--format=%H %ct"]);
        let (hash, time) = head.as_deref().and_then(|head| head.split_once(' ')).unzip();
        let is_dirty =
            || git::ask(root, &["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
        let revision = hash.map(|hash| if is_dirty() { format!("{hash}-dirty") } else { hash.to_owned() });
        let created = match env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text
                .parse()
                .with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970"))?,
            Err(_) => time.and_then(|time| time.parse().ok()).unwrap_or_default(),
        };
        Ok(Source { revision, created })
    }
}
