//! A server that runs: in processes of this machine, in a container, or where a URL leads.

mod container;
mod control;
mod given;
mod guardian;
mod local;
mod mariadb; // template: if "mysql" in backends || pipeline_tests
mod postgres; // template: if "postgres" in backends || pipeline_tests
mod probe;
mod random;
mod tls;
mod tree;
mod user;

use std::path::Path;

use anyhow::{Result, bail};
use db_servers::{Backend, Programs, Source};

use crate::server::{Access, Options};
use container::Container;
use given::Given;
use local::Local;

/// Where a server runs. Dropped, it ends.
pub(crate) enum Running {
    /// In processes of this machine.
    Local(Local),
    /// In a container.
    Container(Container),
    /// Wherever its URL leads to.
    Given(Given),
}

/// How one kind of server is set up.
struct Kind {
    /// By programs of this machine, in a folder, at a port, with a password.
    local: fn(&Programs, &Path, u16, &str, Options) -> local::Recipe,
    /// In a container, at an address and a port, with a password.
    container: fn(&str, u16, &str, Options) -> container::Recipe,
    /// Whether the one at a port of the loopback interface would let a client log in.
    is_ready: fn(u16) -> bool,
}

impl Kind {
    fn of(backend: Backend) -> Result<&'static Kind> {
        match backend {
            Backend::Sqlite => bail!("{backend} has no server"), // template: if "sqlite" in backends || pipeline_tests
            Backend::Postgres => Ok(&postgres::KIND), // template: if "postgres" in backends || pipeline_tests
            Backend::Mysql => Ok(&mariadb::KIND),     // template: if "mysql" in backends || pipeline_tests
        }
    }
}

impl Running {
    /// Starts a server from `source`, and waits until it answers.
    pub(crate) fn start(source: &Source, backend: Backend, options: Options) -> Result<(Running, Access)> {
        match source {
            Source::File => bail!("{backend} has no server"),
            Source::Programs(programs) => Local::start(backend, programs, options)
                .map(|(local, access)| (Running::Local(local), access)),
            Source::Container(container) => Container::start(backend, container, options)
                .map(|(container, access)| (Running::Container(container), access)),
            Source::Url(url) => Given::start(url).map(|(given, access)| (Running::Given(given), access)),
        }
    }

    /// The name of its database where that was made up.
    pub(crate) fn made_up_name(&self) -> Option<&str> {
        match self {
            Running::Given(given) => Some(given.name()),
            Running::Local(_) | Running::Container(_) => None,
        }
    }

    /// SIGKILL for all of it.
    pub(crate) fn kill(&mut self) -> Result<()> {
        match self {
            Running::Local(local) => local.kill(),
            Running::Container(container) => container.kill(),
            Running::Given(_) => not_ours(),
        }
    }

    /// SIGSTOP for all of it.
    pub(crate) fn pause(&mut self) -> Result<()> {
        match self {
            Running::Local(local) => local.pause(),
            Running::Container(container) => container.control("pause"),
            Running::Given(_) => not_ours(),
        }
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) -> Result<()> {
        match self {
            Running::Local(local) => local.resume(),
            Running::Container(container) => container.control("unpause"),
            Running::Given(_) => not_ours(),
        }
    }

    /// Ends it in an orderly way.
    pub(crate) fn stop(&mut self) -> Result<()> {
        match self {
            Running::Local(local) => local.stop(),
            Running::Container(container) => container.control("stop"),
            Running::Given(_) => not_ours(),
        }
    }

    /// Starts what was killed or stopped.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        match self {
            Running::Local(local) => local.start_again(),
            Running::Container(container) => container.start_again(),
            Running::Given(_) => not_ours(),
        }
    }
}

fn not_ours() -> Result<()> {
    bail!("there is no server that could be killed or stopped: it was given by its URL")
}
