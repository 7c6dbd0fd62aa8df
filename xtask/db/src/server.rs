//! A throw-away database server, wherever it comes from.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use db_servers::{Backend, Source};
use tempfile::TempDir;

use crate::running::{Access, Running};

/// How a server is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether it may lose what it acknowledged when the machine goes down: for tests, several times faster.
    pub fast: bool,
}

/// A running server, or a file. Dropped, it ends and leaves nothing behind.
pub struct Server {
    access: Access,
    place: Place,
}

/// Where it is.
enum Place {
    /// SQLite's file is in this folder.
    File(#[expect(dead_code, reason = "removed when dropped")] TempDir),
    /// A server serves it.
    Running(Box<Running>),
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
            Source::File => file(),
            _ => Running::start(source, backend, options)
                .map(|(running, access)| Server { access, place: Place::Running(Box::new(running)) }),
        };
        started.with_context(|| format!("cannot start a database server for {backend} from {source}"))
    }

    /// The URL of an administrator, with a password; it stays the same for the server's life.
    pub fn url(&self) -> &str {
        &self.access.url
    }

    /// A file with the certificate of the authority that signed the server's own, which is for `localhost` and
    /// `127.0.0.1`. None for SQLite and for a server whose URL was given.
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
            Place::File(_) => None,
            Place::Running(running) => running.made_up_name(),
        }
    }

    /// Ends all of it by SIGKILL, as a crash does.
    ///
    /// # Errors
    /// When there is no server of ours to kill.
    pub fn kill(&mut self) -> Result<()> {
        self.running()?.kill()
    }

    /// Stops all of it by SIGSTOP: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn pause(&mut self) -> Result<()> {
        self.running()?.pause()
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn resume(&mut self) -> Result<()> {
        self.running()?.resume()
    }

    /// Ends it in an orderly way: connections are closed, all is written.
    ///
    /// # Errors
    /// When there is no server of ours, and when it does not end within half a minute.
    pub fn stop(&mut self) -> Result<()> {
        self.running()?.stop()
    }

    /// Starts it again after [`Server::kill`] or [`Server::stop`], on the same port with the same data, and waits until
    /// it answers.
    ///
    /// # Errors
    /// When there is no server of ours, when it runs already, and when it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.running()?.start_again()
    }

    fn running(&mut self) -> Result<&mut Running> {
        match &mut self.place {
            Place::File(_) => bail!("there is no server that could be killed or stopped: it is a file"),
            Place::Running(running) => Ok(running),
        }
    }
}

fn file() -> Result<Server> {
    let folder = new_folder(Backend::Sqlite)?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
    Ok(Server { access: Access { url, ca: None }, place: Place::File(folder) })
}

/// A temporary folder that nobody else can look into.
pub(crate) fn new_folder(backend: Backend) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(backend.name()).permissions(Permissions::from_mode(0o700));
    builder.tempdir().context("cannot make a temporary folder")
}
