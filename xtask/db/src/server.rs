//! A throw-away database server, wherever it comes from.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use db_servers::{Backend, Source};
use tempfile::TempDir;

use crate::container::Container;
use crate::given::Given;
use crate::local::Local;

/// How a server is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether it may lose what it acknowledged when the machine goes down: for tests, several times faster.
    pub fast: bool,
}

/// A running server. Dropped, it ends and leaves nothing behind.
pub struct Server {
    url: String,
    ca: Option<(PathBuf, PathBuf)>,
    place: Place,
}

/// Where a server runs.
enum Place {
    /// Nowhere: SQLite's file is in this folder.
    File(#[expect(dead_code, reason = "removed when dropped")] TempDir),
    /// In processes of this machine.
    Local(Local),
    /// In a container.
    Container(Container),
    /// Wherever its URL leads to.
    Given(Given),
}

/// What a place gives its users to connect with.
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
            Source::File => file(),
            Source::Programs(programs) => Local::start(backend, programs, options)
                .map(|(local, access)| Server::at(Place::Local(local), access)),
            Source::Container(container) => Container::start(backend, container, options)
                .map(|(container, access)| Server::at(Place::Container(container), access)),
            Source::Url(url) => {
                Given::start(url).map(|(given, access)| Server::at(Place::Given(given), access))
            }
        };
        started.with_context(|| format!("cannot start a database server for {backend} from {source}"))
    }

    fn at(place: Place, access: Access) -> Server {
        Server { url: access.url, ca: access.ca, place }
    }

    /// The URL of an administrator, with a password; it stays the same for the server's life.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A file with the certificate of the authority that signed the server's own, which is for `localhost` and
    /// `127.0.0.1`. None for SQLite and for a server whose URL was given.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_ref().map(|(ca, _)| ca.as_path())
    }

    /// A file with the certificate of an authority that has nothing to do with the server: to see it refused.
    pub fn other_ca(&self) -> Option<&Path> {
        self.ca.as_ref().map(|(_, other)| other.as_path())
    }

    /// The name of the database in [`Server::url`] where it was made up for this server, because others share it.
    pub fn made_up_name(&self) -> Option<&str> {
        match &self.place {
            Place::Given(given) => Some(given.name()),
            Place::File(_) | Place::Local(_) | Place::Container(_) => None,
        }
    }

    /// Ends all of it by SIGKILL, as a crash does.
    ///
    /// # Errors
    /// When there is no server of ours to kill.
    pub fn kill(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Local(local) => local.kill(),
            Place::Container(container) => container.kill(),
            Place::File(_) | Place::Given(_) => self.not_ours(),
        }
    }

    /// Stops all of it by SIGSTOP: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn pause(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Local(local) => local.pause(),
            Place::Container(container) => container.control("pause"),
            Place::File(_) | Place::Given(_) => self.not_ours(),
        }
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn resume(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Local(local) => local.resume(),
            Place::Container(container) => container.control("unpause"),
            Place::File(_) | Place::Given(_) => self.not_ours(),
        }
    }

    /// Ends it in an orderly way: connections are closed, all is written.
    ///
    /// # Errors
    /// When there is no server of ours, and when it does not end within half a minute.
    pub fn stop(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Local(local) => local.stop(),
            Place::Container(container) => container.control("stop"),
            Place::File(_) | Place::Given(_) => self.not_ours(),
        }
    }

    /// Starts it again after [`Server::kill`] or [`Server::stop`], on the same port with the same data, and waits until
    /// it answers.
    ///
    /// # Errors
    /// When there is no server of ours, when it runs already, and when it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Local(local) => local.start_again(),
            Place::Container(container) => container.start_again(),
            Place::File(_) | Place::Given(_) => self.not_ours(),
        }
    }

    fn not_ours(&self) -> Result<()> {
        bail!("there is no server that could be killed or stopped: it is a file, or was given by its URL")
    }
}

fn file() -> Result<Server> {
    let folder = new_folder(Backend::Sqlite)?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
    Ok(Server { url, ca: None, place: Place::File(folder) })
}

/// A temporary folder that nobody else can look into.
pub(crate) fn new_folder(backend: Backend) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(backend.name()).permissions(Permissions::from_mode(0o700));
    builder.tempdir().context("cannot make a temporary folder")
}
