//! A throw-away database server, wherever it comes from.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use db_servers::{Backend, Source};
use tempfile::TempDir;

// template: if "postgres" in backends || "mysql" in backends || pipeline_tests
use crate::running::Running;

// template: end
/// How a server is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether it may lose what it acknowledged when the machine goes down: for tests, several times faster.
    pub fast: bool,
}

/// A running server, or a file. Dropped, it ends and leaves nothing behind.
pub struct Server {
    access: Access,
    pub(crate) place: Place,
}

/// Where it is.
pub(crate) enum Place {
    // template: if "sqlite" in backends || pipeline_tests
    /// A file in this folder.
    File(#[expect(dead_code, reason = "removed when dropped")] TempDir),
    // template: end
    // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
    /// A server serves it.
    Running(Box<Running>),
    // template: end
}

/// What its users connect with.
pub(crate) struct Access {
    /// The URL of an administrator.
    pub(crate) url: String,
    /// The certificates of the authority that signed the server's, and of one that did not.
    pub(crate) ca: Option<(PathBuf, PathBuf)>,
}

impl Server {
    /// Starts the server that this machine has for `backend`, and waits until it answers.
    ///
    /// # Errors
    /// When there is none, with the line that installs one, and when it does not start.
    pub fn start(backend: Backend, options: Options) -> Result<Server> {
        Server::start_from(&db_servers::find(backend)?, backend, options)
    }

    /// Starts a server from `source`, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_from(source: &Source, backend: Backend, options: Options) -> Result<Server> {
        let started = match source {
            // template: if "sqlite" in backends || pipeline_tests
            Source::File => file(backend),
            // template: end
            // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
            _ => Running::start(source, backend, options)
                .map(|(running, access)| Server { access, place: Place::Running(Box::new(running)) }),
            // template: else
            // template: add _ => anyhow::bail!("there is no server to start with {options:?}"),
            // template: end
        };
        started.with_context(|| format!("cannot start a database server for {backend} from {source}"))
    }

    /// The URL of an administrator, with a password; it stays the same for the server's life.
    pub fn url(&self) -> &str {
        &self.access.url
    }

    /// A file with the certificate of the authority that signed the server's own, which is for `localhost` and
    /// `127.0.0.1`. None for a file and for a server whose URL was given.
    pub fn ca(&self) -> Option<&Path> {
        self.access.ca.as_ref().map(|(ca, _)| ca.as_path())
    }

    /// A file with the certificate of an authority that has nothing to do with the server: to see it refused.
    pub fn other_ca(&self) -> Option<&Path> {
        self.access.ca.as_ref().map(|(_, other)| other.as_path())
    }

    /// The name of the database in [`Server::url`] where it was made up for this server, because others share it.
    pub fn made_up_name(&self) -> Option<&str> {
        match &self.place {
            Place::File(_) => None, // template: if "sqlite" in backends || pipeline_tests
            Place::Running(running) => running.made_up_name(), // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
        }
    }
}

// template: if "sqlite" in backends || pipeline_tests
/// An empty database in a file.
fn file(backend: Backend) -> Result<Server> {
    let folder = new_folder(backend)?;
    let url = format!("{backend}://{}?mode=rwc", folder.path().join("test.db").display());
    Ok(Server { access: Access { url, ca: None }, place: Place::File(folder) })
}

// template: end
/// A temporary folder that nobody else can look into.
pub(crate) fn new_folder(backend: Backend) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(backend.name()).permissions(Permissions::from_mode(0o700));
    builder.tempdir().context("cannot make a temporary folder")
}
