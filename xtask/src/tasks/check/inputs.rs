//! What steps read: from it follows whether they have anything new to find.

use anyhow::Result;

use super::cargo::GO_ON;
use crate::config::{Config, Tree, changed_since};
use crate::error::Usage;

/// The files that decide how a step ends. Rather too many than too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inputs {
    /// All but what the pipeline and people alone read.
    Service,
    /// All but the service's package.
    Pipeline,
    // template: if pipeline_tests
    /// All but prose that no test reads.
    Images,
    // template: end
    /// Rust, and how it is formatted.
    Rust,
    /// What cargo's manifests say of dependencies, and what of those may come in.
    Dependencies,
    /// The Dockerfile.
    Dockerfile,
    /// The workflows.
    Workflows,
    /// Also what is nowhere here: nobody knows whether anything has changed.
    World,
}

/// What no test of the service reads: folders, which end with a slash, and files.
const NOT_SERVICE: [&str; 10] = [
    "xtask/",
    "docs/",
    ".github/",
    "Dockerfile",
    ".dockerignore",
    "Makefile",
    "compose.yaml",
    "deny.toml",
    "rustfmt.toml",
    "config/buildkitd.toml",
];

impl Inputs {
    /// Whether the file at `path`, from the workspace root, is one of them, where the service is in the folder `package`.
    pub(super) fn include(self, path: &str, package: &str) -> bool {
        let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_in = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        match self {
            Inputs::World => true,
            Inputs::Images => path == "README.md" || !is_prose(path), // template: if pipeline_tests
            Inputs::Service => {
                let is_other =
                    |other: &&str| path == *other || (other.ends_with('/') && path.starts_with(*other));
                !NOT_SERVICE.iter().any(is_other) && !is_prose(path)
            }
            Inputs::Pipeline => !is_in(package),
            Inputs::Rust => {
                path.ends_with(".rs") || ["rustfmt.toml", "Cargo.toml", "rust-toolchain.toml"].contains(&name)
            }
            Inputs::Dependencies => ["Cargo.toml", "Cargo.lock", "deny.toml", "config.toml"].contains(&name),
            Inputs::Dockerfile => ["Dockerfile", ".hadolint.yaml"].contains(&path),
            Inputs::Workflows => path.starts_with(".github/"),
        }
    }
}

fn is_prose(path: &str) -> bool {
    !path.contains('/') && (path.ends_with(".md") || path.starts_with("LICENSE"))
}

/// What is known of the files: all of them, and those that changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// The work tree; none without git.
    pub(crate) tree: Option<Tree>,
    /// A revision that was asked for, and the paths that differ from where the work tree left it.
    pub(crate) changed: Option<(String, Vec<String>)>,
}

impl Files {
    /// Reads those of the workspace of `config`.
    ///
    /// # Errors
    /// Where git does not know the revision `since`.
    pub(crate) fn read(config: &Config, since: Option<&str>) -> Result<Files> {
        let changed = since.map(|revision| {
            let paths = changed_since(&config.root, revision).ok_or_else(|| {
                Usage(format!("git does not know `{revision}`, or nothing that it shares with what is here"))
            })?;
            anyhow::Ok((revision.to_owned(), paths))
        });
        Ok(Files { tree: Tree::read(&config.root), changed: changed.transpose()? })
    }

    /// Whether there is something below `path`, or a file of that name.
    pub(super) fn has(&self, path: &str) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.has(path))
    }

    /// A digest of what decides how a step with `inputs` and the command `argv` ends, if that is known.
    pub(super) fn digest(&self, config: &Config, inputs: Inputs, argv: &[String]) -> Option<String> {
        if inputs == Inputs::World {
            return None;
        }
        let package = config.pipeline.build.folder();
        // Whoever succeeds has nothing to go on after.
        let argv = argv.iter().map(|word| word.replace(GO_ON, "")).filter(|word| !word.is_empty());
        let facts = argv.chain(config.host.surroundings.iter().cloned()).collect::<Vec<_>>();
        Some(self.tree.as_ref()?.digest(&facts, |path| inputs.include(path, package)))
    }

    /// Whether a change can affect a step with `inputs`, and which one.
    pub(super) fn affected(&self, config: &Config, inputs: Inputs) -> Affected<'_> {
        let Some((revision, changed)) = &self.changed else { return Affected::Unasked };
        let package = config.pipeline.build.folder();
        match changed.iter().find(|path| inputs.include(path, package)) {
            Some(path) => Affected::By(path),
            None => Affected::No(revision),
        }
    }
}

/// Whether a step is affected by what was changed.
pub(super) enum Affected<'a> {
    /// Nobody asks.
    Unasked,
    /// By this file, and perhaps by others.
    By(&'a str),
    /// By nothing, since this revision.
    No(&'a str),
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_files() {
        let check = |path: &str, expected: &[Inputs]| {
            let all = [
                Inputs::Service,
                Inputs::Pipeline,
                Inputs::Images,
                Inputs::Rust,
                Inputs::Dependencies,
                Inputs::Dockerfile,
                Inputs::Workflows,
            ];
            let found = all.into_iter().filter(|inputs| inputs.include(path, "app")).collect::<Vec<_>>();
            assert_eq!(found, expected, "{path}");
        };
        check("app/src/main.rs", &[Inputs::Service, Inputs::Images, Inputs::Rust]);
        check("app/migrations/1.sql", &[Inputs::Service, Inputs::Images]);
        check("apps/new/src/lib.rs", &[Inputs::Service, Inputs::Pipeline, Inputs::Images, Inputs::Rust]);
        check("config/app.toml", &[Inputs::Service, Inputs::Pipeline, Inputs::Images]);
        check("xtask/src/main.rs", &[Inputs::Pipeline, Inputs::Images, Inputs::Rust]);
        check("docs/service.md", &[Inputs::Pipeline, Inputs::Images]);
        check("README.md", &[Inputs::Pipeline, Inputs::Images]);
        check("CONTRIBUTING.md", &[Inputs::Pipeline]);
        check("Dockerfile", &[Inputs::Pipeline, Inputs::Images, Inputs::Dockerfile]);
        check(".github/workflows/ci.yml", &[Inputs::Pipeline, Inputs::Images, Inputs::Workflows]);
        check("Cargo.lock", &[Inputs::Service, Inputs::Pipeline, Inputs::Images, Inputs::Dependencies]);
    }
}
// template: end
