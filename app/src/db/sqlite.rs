//! Notes in a SQLite file.
//!
//! Statements that write and answer with RETURNING are run to their end by `fetch_all`. The other fetches stop at the
//! first row, and sqlx then drops the result of the commit: a note that a full disk refused would be answered 201.

use std::fs;

use sqlx::{
    Error, query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions},
};
use time::OffsetDateTime;

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

/// Creates file and folder when they are missing.
pub(super) async fn open(settings: &Database) -> Result<Pool, OpenError> {
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
        .busy_timeout(settings.timeout)
        // In the image no folder but the database's own is writable.
        .pragma("temp_store", "memory");
    let pool = SqlitePoolOptions::new()
        .max_connections(settings.max_connections.get().into())
        .acquire_timeout(settings.timeout)
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

/// SQLITE_BUSY, and its extended codes: another writer held the lock for all of busy_timeout.
pub(super) fn is_unavailable(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

pub(super) async fn check(pool: &Pool) -> Result<(), Error> {
    query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM notes) AS "exists: bool""#).fetch_one(pool).await.map(drop)
}

pub(super) async fn insert(pool: &Pool, draft: &Draft) -> Result<Note, Error> {
    query_as!(
        Note,
        r#"INSERT INTO notes (title, body) VALUES (?, ?)
           RETURNING id, version, title, body,
                     created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime""#,
        draft.title,
        draft.body,
    )
    .fetch_all(pool)
    .await?
    .pop()
    .ok_or(Error::RowNotFound)
}

pub(super) async fn list(pool: &Pool, after: i64, limit: i64) -> Result<Vec<Note>, Error> {
    query_as!(
        Note,
        r#"SELECT id, version, title, body,
                  created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime"
           FROM notes WHERE id > ? ORDER BY id LIMIT ?"#,
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub(super) async fn find(pool: &Pool, id: i64) -> Result<Option<Note>, Error> {
    query_as!(
        Note,
        r#"SELECT id, version, title, body,
                  created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime"
           FROM notes WHERE id = ?"#,
        id,
    )
    .fetch_optional(pool)
    .await
}

pub(super) async fn update(
    pool: &Pool,
    id: i64,
    version: Option<i64>,
    draft: &Draft,
) -> Result<Option<Note>, Error> {
    query_as!(
        Note,
        r#"UPDATE notes
           SET version = version + 1, title = ?, body = ?, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
           WHERE id = ? AND version = coalesce(?, version)
           RETURNING id, version, title, body,
                     created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime""#,
        draft.title,
        draft.body,
        id,
        version,
    )
    .fetch_all(pool)
    .await
    .map(|mut notes| notes.pop())
}

pub(super) async fn delete(pool: &Pool, id: i64, version: Option<i64>) -> Result<bool, Error> {
    let done = query!("DELETE FROM notes WHERE id = ? AND version = coalesce(?, version)", id, version)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() > 0)
}
