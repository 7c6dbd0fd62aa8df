//! Where a throw-away database server can come from on this machine.
//!
//! `cargo xtask` asks while it plans, `xtask-db` starts what is named here: both see the same machine.

mod backend;
mod facts;
mod mariadb; // template: if "mysql" in backends || pipeline_tests
mod postgres; // template: if "postgres" in backends || pipeline_tests
mod programs;

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub use backend::Backend;
pub use facts::{Facts, Packages};

/// Where a server comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// No server is needed: the database is a file.
    File,
    /// Programs of this machine.
    Programs(Programs),
    /// An image that a container runtime of this machine runs.
    Container(Container),
    /// A server that runs already, and whose URL was given.
    Url(GivenUrl),
}

/// The two programs of a database server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Makes an empty data folder.
    pub initialise: PathBuf,
    /// The server.
    pub serve: PathBuf,
}

/// A container runtime that answers, and the image it is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// `docker` or `podman`.
    pub runtime: &'static str,
    /// The image, with its registry.
    pub image: &'static str,
}

/// The URL of a server, with a password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenUrl {
    /// The environment variable that gave it.
    pub variable: &'static str,
    /// The URL, of a user who may create databases.
    pub url: String,
}

/// That there is no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Backend);

/// Finds the server for `backend`: the one whose URL was given, programs of this machine, or a container.
///
/// # Errors
/// When there is none of them. The message has the line that installs one.
pub fn find(backend: Backend) -> Result<Source, Missing> {
    let Some(facts) = backend.facts() else { return Ok(Source::File) };
    given(facts, |name| std::env::var(name).ok())
        .or_else(|| programs::find(facts, &programs::path()).map(Source::Programs))
        .or_else(|| container(backend).map(Source::Container))
        .ok_or(Missing(backend))
}

/// The container that `backend` would run in, where a container runtime answers.
pub fn container(backend: Backend) -> Option<Container> {
    let image = backend.facts()?.image;
    Some(Container { runtime: runtime()?, image })
}

/// What was given on purpose comes before what happens to be installed.
fn given(facts: &Facts, variable: impl Fn(&str) -> Option<String>) -> Option<Source> {
    let url = variable(facts.variable).filter(|url| !url.is_empty())?;
    Some(Source::Url(GivenUrl { variable: facts.variable, url }))
}

/// The first container runtime that answers.
fn runtime() -> Option<&'static str> {
    let answers = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    // Docker's client answers `info` even without an engine.
    if answers("docker", &["version", "--format", "{{.Server.Version}}"]) {
        return Some("docker");
    }
    answers("podman", &["info"]).then_some("podman")
}

/// Without the URL, which holds a password.
impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenUrl").field("variable", &self.variable).finish_non_exhaustive()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File => f.write_str("a file"),
            Source::Programs(programs) => programs.serve.display().fmt(f),
            Source::Container(container) => write!(f, "{} in {}", container.image, container.runtime),
            Source::Url(given) => write!(f, "the server of {}", given.variable),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(facts) = self.0.facts() else { return f.write_str("nothing is missing") };
        let Facts { name, initialise, serve, variable, packages, .. } = facts;
        let install = if cfg!(target_os = "macos") {
            format!("brew install {}", packages.brew)
        } else {
            format!("sudo apt-get install {}", packages.apt)
        };
        write!(
            f,
            "no {name} server: neither `{initialise}` and `{serve}`, nor docker or podman, nor a URL in {variable}; \
             `{install}` installs one"
        )
    }
}

impl std::error::Error for Missing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_no_server() {
        let file = Backend::ALL.iter().find(|backend| backend.facts().is_none());
        assert!(file.is_none_or(|backend| find(*backend) == Ok(Source::File)));
    }

    #[test]
    fn a_url_is_found_by_its_variable_and_never_shown() {
        let facts = facts::tests::FACTS;
        let url = "db://me:secret@db/admin".to_owned();
        let source = given(&facts, |name| (name == "XTASK_DB_URL").then(|| url.clone()));
        let expected = Source::Url(GivenUrl { variable: "XTASK_DB_URL", url: url.clone() });
        assert_eq!(source.as_ref(), Some(&expected));
        assert!(!format!("{expected:?} {expected}").contains("secret"));
        assert_eq!(given(&facts, |_| Some(String::new())), None);
    }

    #[test]
    fn what_is_missing_comes_with_the_line_that_installs_it() {
        for backend in Backend::ALL {
            let text = Missing(*backend).to_string();
            let Some(Facts { name, initialise, serve, variable, .. }) = backend.facts() else { continue };
            assert!(
                text.starts_with(&format!("no {name} server: neither `{initialise}` and `{serve}`")),
                "{text}"
            );
            assert!(text.contains(variable) && text.ends_with("installs one"), "{text}");
        }
    }
}
