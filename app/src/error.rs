//! What ends the process: each error is one line for its user, and an exit code.
//!
//! What answers a request is a [`crate::http::problem::Problem`].

use std::{io, net::SocketAddr, time::Duration};

use crate::{config::SettingsError, db::OpenError, server::CertificateError};

/// Why the service did not start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments that are not understood.
    #[error("{0}")]
    Usage(String),
    /// A setting that is unknown, or has the wrong type.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The runtime needs threads and a poller, and the system gave none.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
    /// Without handlers, the first process of a container could not be stopped.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What `host` and `port` of `server` or `admin` say.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The database cannot be opened, or not brought up to date.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Requests were still under way when `server.shutdown_timeout` had passed.
    #[error("requests were still under way {} s after the signal to stop, and were cut off", .0.as_secs_f32())]
    Deadline(Duration),
    /// A running service is not ready, or is not there.
    #[error("the service at {address} is not ready: {reason}")]
    Unhealthy {
        /// What was asked.
        address: SocketAddr,
        /// What came of it.
        reason: String,
    },
}

impl Error {
    /// What `app --help` says that it means.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Signals(_) | Self::Unhealthy { .. } => 1,
            Self::Usage(_) | Self::Settings(_) => 2,
            Self::Listen { .. } => 3,
            Self::Certificate(_) => 4,
            Self::Database(OpenError::Open { .. }) => 5,
            Self::Database(OpenError::Schema { .. }) => 6,
            Self::Database(OpenError::Incomplete { .. }) => 7,
            Self::Deadline(_) => 8,
        }
    }
}
