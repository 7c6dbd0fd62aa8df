//! What is built: the package as Cargo.toml describes it, and the commit.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::tools::output_of;

/// What Cargo.toml says of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Package {
    /// The version of the workspace.
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
    /// Reads Cargo.toml of the workspace at `root`.
    pub(crate) fn read(root: &Path) -> Result<Package> {
        #[derive(Deserialize)]
        struct Manifest {
            workspace: Workspace,
        }
        #[derive(Deserialize)]
        struct Workspace {
            package: Package,
        }
        let path = root.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Manifest =
            toml::from_str(&text).context("Cargo.toml has no [workspace.package] with a version")?;
        Ok(manifest.workspace.package)
    }
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
        let root = root.to_string_lossy();
        let head = output_of("git", &["-C", &root, "log", "-1", "--no-show-signature", "--format=%H %ct"]);
        let (hash, time) = head.as_deref().and_then(|head| head.split_once(' ')).unzip();
        let is_dirty =
            || output_of("git", &["-C", &root, "status", "--porcelain"]).is_none_or(|s| !s.is_empty());
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
