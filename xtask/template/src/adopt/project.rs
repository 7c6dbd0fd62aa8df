//! The project, as cargo describes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// A workspace, or a package that is none.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    /// The root of the workspace.
    #[serde(rename = "workspace_root")]
    pub(super) root: PathBuf,
    /// The packages of the workspace.
    pub(super) packages: Vec<Package>,
    /// The package in the folder that was named, where that is not the root.
    #[serde(skip)]
    pub(super) named: Option<String>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    pub(super) edition: String,
    pub(super) repository: Option<String>,
    pub(super) default_run: Option<String>,
    pub(super) features: BTreeMap<String, Vec<String>>,
    pub(super) dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

/// What a package depends on.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Project {
    /// Asks cargo about the project in a folder.
    ///
    /// # Errors
    /// There is no project, or cargo refuses it.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let shown = folder.display();
        ensure!(folder.is_dir(), "{shown} is no folder");
        ensure!(
            folder.join("Cargo.toml").is_file(),
            "{shown} is no cargo project: there is no Cargo.toml in it; `cargo xtask init` makes a project of this \
             template instead"
        );
        let output = Command::new("cargo")
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .current_dir(folder)
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("cargo does not understand the project in {shown}: {}", said.trim());
        }
        let mut project: Self = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let here = folder.canonicalize().with_context(|| shown.to_string())?;
        let is_here = |package: &&Package| package.folder().canonicalize().is_ok_and(|folder| folder == here);
        let is_root = project.root.canonicalize().is_ok_and(|root| root == here);
        let named = project.packages.iter().find(is_here).filter(|_| !is_root);
        project.named = named.map(|package| package.name.clone());
        Ok(project)
    }
}

impl Package {
    /// The folder of its manifest.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The names of its binaries.
    pub(super) fn binaries(&self) -> Vec<&str> {
        let is_binary = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        self.targets.iter().filter(is_binary).map(|target| target.name.as_str()).collect()
    }
}
