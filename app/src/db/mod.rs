//! The database: what the service keeps, and the backend that keeps it.
//!
//! Each backend is one module with the same functions and its own SQL, migrations and query cache. The rest of the
//! service calls [`Db`] and never learns which one is behind it.

#[cfg_attr(feature = "db_sqlite", path = "sqlite.rs")] // template: if "sqlite" in backends
#[cfg_attr(feature = "db_postgres", path = "postgres.rs")] // template: if "postgres" in backends
#[cfg_attr(feature = "db_mysql", path = "mysql.rs")] // template: if "mysql" in backends
mod backend;
mod lease;
mod open;

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::config;
pub use backend::{BACKEND, DEFAULT_URL};
use lease::Lease;
pub use open::{OpenError, check_url};

/// Connections to the database; clones share them.
pub type Pool = sqlx::Pool<backend::Database>;

/// One connection to it.
pub type Connection = <backend::Database as sqlx::Database>::Connection;

/// A note as it is kept, and as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// Given by the database, rising, and never given twice: it serves as paging cursor.
    pub id: i64,
    /// Rises by one with each change.
    pub version: i64,
    /// What it is about, in a line.
    pub title: String,
    /// The text.
    pub body: String,
    /// UTC, in milliseconds.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// UTC, in milliseconds.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What a client says about a note, already validated.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is about, in a line.
    pub title: String,
    /// The text.
    pub body: String,
}

/// What became of a change to a note that a client names by id and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It is made.
    Made(T),
    /// The note has another version by now.
    Conflict,
    /// There is no such note.
    NotFound,
}

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Waiting for a connection and for the answer took longer than `database.timeout`.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The driver's reason.
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
}

impl DbError {
    /// Whether it may go away by itself: the client should try again.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Driver(error) => {
                use sqlx::Error::{Io, PoolClosed, PoolTimedOut, WorkerCrashed};
                match error {
                    // A certificate that is refused stays refused.
                    Io(error) => error.kind() != std::io::ErrorKind::InvalidData,
                    PoolClosed | PoolTimedOut | WorkerCrashed => true,
                    error => backend::is_unavailable(error),
                }
            }
        }
    }
}

/// The notes. Clones share their connections, and every call has a deadline.
#[derive(Debug, Clone)]
pub struct Db {
    pool: Pool,
    timeout: Duration,
}

impl Db {
    /// Opens the database, trying again for `database.connect_timeout`, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or its tables do not fit this binary.
    pub async fn open(settings: &config::Database) -> Result<Self, OpenError> {
        Ok(Self { pool: open::pool(settings).await?, timeout: settings.timeout })
    }

    /// Brings the tables up to date and does nothing else; gives the names of the migrations that it applied.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn migrate(settings: &config::Database) -> Result<Vec<String>, OpenError> {
        open::migrate(settings).await
    }

    /// Its connections.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Proves that the database answers, by reading from it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), DbError> {
        self.in_time(async |connection| backend::check(connection).await).await
    }

    /// Adds a note.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&self, draft: &Draft) -> Result<Note, DbError> {
        self.in_time(async |connection| backend::insert(connection, draft).await).await
    }

    /// The notes with ids above `after`, lowest first, at most `limit` of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, after: i64, limit: i64) -> Result<Vec<Note>, DbError> {
        self.in_time(async |connection| backend::list(connection, after, limit).await).await
    }

    /// The note with this id, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, id: i64) -> Result<Option<Note>, DbError> {
        self.in_time(async |connection| backend::find(connection, id).await).await
    }

    /// Replaces the note with this id, if it has this version; without a version, whichever it has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update(
        &self,
        id: i64,
        version: Option<i64>,
        draft: &Draft,
    ) -> Result<Change<Note>, DbError> {
        match self.in_time(async |connection| backend::update(connection, id, version, draft).await).await? {
            Some(note) => Ok(Change::Made(note)),
            None => self.why_not(id).await,
        }
    }

    /// Removes the note with this id, if it has this version; without a version, whichever it has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, id: i64, version: Option<i64>) -> Result<Change<()>, DbError> {
        if self.in_time(async |connection| backend::delete(connection, id, version).await).await? {
            Ok(Change::Made(()))
        } else {
            self.why_not(id).await
        }
    }

    /// Waits until no connection is used any more, and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn why_not<T>(&self, id: i64) -> Result<Change<T>, DbError> {
        Ok(if self.find(id).await?.is_some() { Change::Conflict } else { Change::NotFound })
    }

    async fn in_time<T>(
        &self,
        call: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbError> {
        let answer = tokio::time::timeout(self.timeout, async {
            let mut lease = Lease::begin(&self.pool).await?;
            let result = call(lease.connection()).await;
            lease.end();
            result
        });
        match answer.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(DbError::TimedOut(self.timeout)),
        }
    }
}
