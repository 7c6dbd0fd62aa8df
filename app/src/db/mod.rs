//! The database: what the service keeps, and the backend that keeps it.
//!
//! Each backend is one module with the same functions and its own SQL, migrations and query cache. The rest of the
//! service calls `db::insert` and never learns which one is behind it.

use serde::Serialize;

#[cfg(feature = "db_sqlite")]
mod sqlite;

#[cfg(feature = "db_sqlite")]
pub use sqlite::{
    BACKEND, DEFAULT_URL, Pool, check, check_url, delete, find, insert, is_unavailable, list, open, update,
};

#[cfg(not(feature = "db_sqlite"))]
compile_error!("exactly one database backend is needed: build with `--features db_sqlite`");

/// A note as it is kept, and as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Given by the database, rising, and never given twice: it serves as paging cursor.
    pub id: i64,
    /// What it is about, in a line.
    pub title: String,
    /// The text.
    pub body: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

/// What a client says about a note, already validated.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is about, in a line.
    pub title: String,
    /// The text.
    pub body: String,
}

/// Why the database cannot be used from the start.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the database {database}: {reason}")]
pub struct OpenError {
    action: &'static str,
    database: String,
    reason: String,
}
