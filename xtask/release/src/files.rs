//! What carries the version: Cargo.toml, and each Cargo.lock that names packages of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::git::Git;

/// A file that a release changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// From the workspace.
    pub(crate) path: String,
    /// What it says before; none for one that is not there.
    pub(crate) old: Option<String>,
    /// What it says after.
    pub(crate) new: String,
}

/// The manifest of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    text: String,
    version: Spanned<String>,
}

impl Manifest {
    /// Reads Cargo.toml in `folder`.
    ///
    /// # Errors
    /// It has no version that the workspace shares.
    pub(crate) fn read(folder: &Path) -> Result<Manifest> {
        #[derive(Deserialize)]
        struct File {
            workspace: Workspace,
        }
        #[derive(Deserialize)]
        struct Workspace {
            package: Package,
        }
        #[derive(Deserialize)]
        struct Package {
            version: Spanned<String>,
        }
        let path = folder.join("Cargo.toml");
        let text = read(&path)?.with_context(|| format!("there is no {}", path.display()))?;
        let file: File =
            toml::from_str(&text).context("Cargo.toml has no [workspace.package] with a version")?;
        Ok(Manifest { text, version: file.workspace.package.version })
    }

    /// The version.
    pub(crate) fn version(&self) -> Result<Version> {
        let text = self.version.get_ref();
        text.parse()
            .with_context(|| format!("Cargo.toml has the version `{text}`, which is none of semver.org"))
    }

    fn with(&self, version: &Version) -> String {
        replaced(&self.text, &[&self.version], version)
    }
}

/// What cargo says of a package.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    req: String,
    path: Option<PathBuf>,
}

/// Every edit that gives the packages of the workspace the version `new`. Only what is different is among them.
///
/// # Errors
/// A file is not right, or a package asks for another version of a neighbour.
pub(crate) fn edits(git: &Git, manifest: &Manifest, new: &Version) -> Result<Vec<Edit>> {
    let old = manifest.version()?;
    if old == *new {
        return Ok(Vec::new());
    }
    let folder = git.folder();
    let members = members(folder)?;
    let mut names = Vec::new();
    for member in &members {
        if shares_version(&member.manifest_path)? {
            names.push(member.name.as_str());
        }
    }
    check_requirements(&members, &names, new)?;
    let cargo =
        Edit { path: "Cargo.toml".to_owned(), old: Some(manifest.text.clone()), new: manifest.with(new) };
    let mut edits = vec![cargo];
    for path in git.read(&["ls-files", "-z", "--", "Cargo.lock", "*/Cargo.lock"])?.split('\0') {
        let Some(text) = (!path.is_empty()).then(|| read(&folder.join(path))).transpose()?.flatten() else {
            continue;
        };
        let with = lock(&text, &names, &old, new).with_context(|| path.to_owned())?;
        if with != text {
            edits.push(Edit { path: path.to_owned(), old: Some(text), new: with });
        }
    }
    Ok(edits)
}

/// Asks cargo for the packages of the workspace; no dependency is looked at, so no network is needed.
fn members(folder: &Path) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(folder);
    let output =
        cargo.stdin(Stdio::null()).output().context("cannot start cargo, which has to be on PATH")?;
    if !output.status.success() {
        bail!("cargo cannot read the workspace: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo's metadata is not as expected")?;
    Ok(metadata.packages)
}

/// Whether a package has the version of the workspace.
fn shares_version(path: &Path) -> Result<bool> {
    let text = read(path)?.with_context(|| format!("there is no {}", path.display()))?;
    let manifest: toml::Table = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let version = manifest.get("package").and_then(|package| package.get("version"));
    Ok(version.and_then(|version| version.get("workspace")).and_then(toml::Value::as_bool) == Some(true))
}

/// Sees that packages which name a version of a neighbour, besides its path, take the new one.
fn check_requirements(members: &[Package], names: &[&str], new: &Version) -> Result<()> {
    for member in members {
        let near =
            member.dependencies.iter().filter(|one| one.path.is_some() && names.contains(&one.name.as_str()));
        for Dependency { name, req, .. } in near.filter(|one| one.req != "*") {
            let takes = VersionReq::parse(req).is_ok_and(|wanted| wanted.matches(new));
            ensure!(
                takes,
                "{} wants {name} {req}, which {new} is not; raise or drop the `version` beside its `path`",
                member.manifest_path.display()
            );
        }
    }
    Ok(())
}

/// A Cargo.lock in which packages without a source that have one of these names and the version `old` have the version
/// `new`.
fn lock(text: &str, names: &[&str], old: &Version, new: &Version) -> Result<String> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: Spanned<String>,
        source: Option<String>,
    }
    let lock: Lock = toml::from_str(text)?;
    let is_ours = |one: &&Locked| {
        one.source.is_none()
            && names.contains(&one.name.as_str())
            && *one.version.get_ref() == old.to_string()
    };
    let ours = lock.package.iter().filter(is_ours).collect::<Vec<_>>();
    for one in &ours {
        let same = lock.package.iter().filter(|other| other.name == one.name).count();
        // Then others name it with its version.
        ensure!(
            same == 1,
            "it has {same} packages `{}`, and which is meant cannot be told; rename one",
            one.name
        );
    }
    Ok(replaced(text, &ours.iter().map(|one| &one.version).collect::<Vec<_>>(), new))
}

/// `text` with `version` in all these places, which come one after the other.
fn replaced(text: &str, places: &[&Spanned<String>], version: &Version) -> String {
    let (mut new, mut done) = (String::new(), 0);
    for place in places {
        let span = place.span();
        new += &text[done..span.start];
        new += &format!("\"{version}\"");
        done = span.end;
    }
    new + &text[done..]
}

/// What a file says, if it is there.
pub(crate) fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes);
            Ok(Some(text.map_err(|_| anyhow::anyhow!("{} is not in UTF-8", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
