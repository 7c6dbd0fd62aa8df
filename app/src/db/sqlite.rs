//! Notes in a SQLite file.
//!
//! Statements that write and answer with RETURNING are run to their end by `fetch_all`. The other fetches stop at the
//! first row, and sqlx then drops the result of the commit: a note that a full disk refused would be answered 201.

use std::fs;

use sqlx::{
    Error, query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions},
};

use super::{Draft, Note, OpenError};
use crate::config::Database;

/// The name people know this backend by.
pub const BACKEND: &str = "sqlite";
/// Used when no URL is set: a file below the working folder.
pub const DEFAULT_URL: &str = "sqlite://data/app.db";

/// Connections to the database; clones share them.
pub type Pool = SqlitePool;

/// Tells what is wrong with a URL before anything is opened.
///
/// # Errors
/// When it is for another database, or has parts that are not understood.
pub fn check_url(url: &str) -> Result<(), String> {
    parse_url(url).map(drop)
}

fn parse_url(url: &str) -> Result<SqliteConnectOptions, String> {
    // sqlx takes any other URL for the name of a file.
    if !url.starts_with("sqlite:") {
        return Err("this binary is built for SQLite: the URL must start with `sqlite:`".to_owned());
    }
    url.parse().map_err(|error: Error| error.to_string())
}

/// Opens the database, creating file and folder when they are missing, and brings its tables up to date.
///
/// # Errors
/// When the file or its folder cannot be created or written, or a migration fails.
pub async fn open(settings: &Database) -> Result<Pool, OpenError> {
    let options = parse_url(settings.url.expose()).map_err(|reason| OpenError {
        action: "use",
        database: "at database.url".to_owned(),
        reason,
    })?;
    let file = options.get_filename().to_owned();
    let cannot = |action, reason: String| OpenError { action, database: file.display().to_string(), reason };

    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot("create the folder of", error.to_string()))?;
    }
    let options = options
        .create_if_missing(true)
        .foreign_keys(true)
        // Readers and the one writer do not wait for each other.
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(settings.acquire_timeout)
        // In the image no folder but the database's own is writable.
        .pragma("temp_store", "memory");
    let pool = SqlitePoolOptions::new()
        .max_connections(settings.max_connections.get().into())
        .acquire_timeout(settings.acquire_timeout)
        // An open file does not go stale as a socket does.
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|error| cannot("open", error.to_string()))?;
    sqlx::migrate!("migrations/sqlite")
        .run(&pool)
        .await
        .map_err(|error| cannot("migrate", error.to_string()))?;
    Ok(pool)
}

/// Whether the error may go away by itself: the client should try again.
pub fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::Io(_) => true,
        // SQLITE_BUSY, and its extended codes: another writer held the lock for all of busy_timeout.
        Error::Database(error) => {
            error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
        }
        _ => false,
    }
}

/// Proves that the database answers, by reading from it.
///
/// # Errors
/// When it does not.
pub async fn check(pool: &Pool) -> Result<(), Error> {
    query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM notes) AS "exists: bool""#).fetch_one(pool).await.map(drop)
}

/// Adds a note.
///
/// # Errors
/// When the database fails.
pub async fn insert(pool: &Pool, draft: &Draft) -> Result<Note, Error> {
    query_as!(
        Note,
        "INSERT INTO notes (title, body) VALUES (?, ?) RETURNING id, title, body, created_at, updated_at",
        draft.title,
        draft.body,
    )
    .fetch_all(pool)
    .await?
    .pop()
    .ok_or(Error::RowNotFound)
}

/// The notes with ids above `after`, lowest first, at most `limit` of them.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &Pool, after: i64, limit: i64) -> Result<Vec<Note>, Error> {
    query_as!(
        Note,
        "SELECT id, title, body, created_at, updated_at FROM notes WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// The note with this id, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &Pool, id: i64) -> Result<Option<Note>, Error> {
    query_as!(Note, "SELECT id, title, body, created_at, updated_at FROM notes WHERE id = ?", id)
        .fetch_optional(pool)
        .await
}

/// Replaces the note with this id, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn update(pool: &Pool, id: i64, draft: &Draft) -> Result<Option<Note>, Error> {
    query_as!(
        Note,
        "UPDATE notes SET title = ?, body = ?, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ? \
         RETURNING id, title, body, created_at, updated_at",
        draft.title,
        draft.body,
        id,
    )
    .fetch_all(pool)
    .await
    .map(|mut notes| notes.pop())
}

/// Removes the note with this id; tells whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(pool: &Pool, id: i64) -> Result<bool, Error> {
    let done = query!("DELETE FROM notes WHERE id = ?", id).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}
