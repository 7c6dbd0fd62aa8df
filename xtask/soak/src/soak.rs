//! What every scenario works with.

use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use anyhow::{Context, Result};
use db_servers::Backend;
use tempfile::TempDir;
use xtask_db::{Options, Server};

use crate::flags::SoakFlags;
use crate::service::Service;

/// What was asked for, and what there is to do it with.
pub(crate) struct Soak {
    /// The databases to do it with. There is at least one.
    pub(crate) backends: Vec<Backend>,
    /// How often each side of a comparison is measured.
    pub(crate) rounds: u32,
    /// How long one measurement takes.
    pub(crate) time: Duration,
    /// The service for the first database, linked against musl.
    pub(crate) musl: Option<PathBuf>,
    binaries: PathBuf,
    folder: TempDir,
}

impl Soak {
    /// Takes what was asked for, and makes a folder to work in.
    ///
    /// # Errors
    /// When there can be no such folder, or a path is empty.
    pub(crate) fn new(flags: &SoakFlags, binaries: &Path, musl: Option<&Path>) -> Result<Soak> {
        let all = || Backend::ALL.to_vec();
        // Programs are started in folders of their own.
        let (binaries, musl) = (absolute(binaries)?, musl.map(absolute).transpose()?);
        Ok(Soak {
            backends: if flags.backends.is_empty() { all() } else { flags.backends.clone() },
            rounds: flags.rounds.get(),
            time: Duration::from_secs(flags.seconds.get().into()),
            musl,
            binaries,
            folder: tempfile::Builder::new().prefix("soak-").tempdir().context("cannot make a folder")?,
        })
    }

    /// A folder that is removed at the end.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The service for a database.
    pub(crate) fn app(&self, backend: Backend) -> PathBuf {
        self.binaries.join(backend.name()).join("app")
    }

    /// Its yardstick.
    pub(crate) fn bare(&self, backend: Backend) -> PathBuf {
        self.binaries.join(backend.name()).join("bare")
    }

    /// An empty database that keeps what it acknowledges.
    ///
    /// # Errors
    /// When its server does not start.
    pub(crate) fn database(&self, backend: Backend) -> Result<Server> {
        Server::start(backend, Options { fast: false })
    }

    /// The service, with a database of its own and nothing but these settings.
    ///
    /// # Errors
    /// When one of them does not start.
    pub(crate) async fn start(
        &self,
        backend: Backend,
        settings: &[(&str, &str)],
    ) -> Result<(Server, Service)> {
        let database = self.database(backend)?;
        let service = Service::start(&self.app(backend), database.url(), settings).await?;
        Ok((database, service))
    }
}
