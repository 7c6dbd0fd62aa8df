//! Notes in a SQLite file.
//!
//! Statements that write and answer with RETURNING are run to their end by `fetch_all`. The other fetches stop at the
//! first row, and sqlx then drops the result of the commit: a note that a full disk refused would be answered 201.

use std::fs;

use sqlx::{
    Error, Sqlite,
    migrate::Migrator,
    query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use time::OffsetDateTime;

use super::{Connection, Draft, Note};
use crate::config;

pub(super) type Database = Sqlite;
pub(super) type Options = SqliteConnectOptions;

/// The name people know this backend by.
pub const BACKEND: &str = "sqlite";
/// Used when no URL is set: a file below the working folder.
pub const DEFAULT_URL: &str = "sqlite://data/app.db";

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

pub(super) fn options(url: &str) -> Result<Options, String> {
    // sqlx takes any other URL for the name of a file.
    if !url.starts_with("sqlite:") {
        return Err("this binary is built for SQLite: the URL must start with `sqlite:`".to_owned());
    }
    let options: Options = url.parse().map_err(|error: Error| error.to_string())?;
    Ok(options
        .create_if_missing(true)
        .foreign_keys(true)
        // Readers and the one writer do not wait for each other.
        .journal_mode(SqliteJournalMode::Wal)
        // In the image no folder but the database's own is writable.
        .pragma("temp_store", "memory"))
}

pub(super) fn address(options: &Options) -> String {
    options.get_filename().display().to_string()
}

/// What only the connections for requests get.
pub(super) fn tune(options: Options, settings: &config::Database) -> Options {
    options.busy_timeout(settings.timeout)
}

/// The file is created when it is first opened; its folder is not.
pub(super) fn prepare(options: &Options) -> Result<(), String> {
    match options.get_filename().parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(|error| format!("its folder: {error}")),
        None => Ok(()),
    }
}

/// SQLITE_BUSY, and its extended codes: another writer held the lock for all of busy_timeout.
pub(super) fn is_unavailable(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

pub(super) async fn check(connection: &mut Connection) -> Result<(), Error> {
    query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM notes) AS "exists: bool""#)
        .fetch_one(connection)
        .await
        .map(drop)
}

pub(super) async fn insert(connection: &mut Connection, draft: &Draft) -> Result<Note, Error> {
    query_as!(
        Note,
        r#"INSERT INTO notes (title, body) VALUES (?, ?)
           RETURNING id, version, title, body,
                     created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime""#,
        draft.title,
        draft.body,
    )
    .fetch_all(connection)
    .await?
    .pop()
    .ok_or(Error::RowNotFound)
}

pub(super) async fn list(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<Note>, Error> {
    query_as!(
        Note,
        r#"SELECT id, version, title, body,
                  created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime"
           FROM notes WHERE id > ? ORDER BY id LIMIT ?"#,
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn find(connection: &mut Connection, id: i64) -> Result<Option<Note>, Error> {
    query_as!(
        Note,
        r#"SELECT id, version, title, body,
                  created_at AS "created_at: OffsetDateTime", updated_at AS "updated_at: OffsetDateTime"
           FROM notes WHERE id = ?"#,
        id,
    )
    .fetch_optional(connection)
    .await
}

pub(super) async fn update(
    connection: &mut Connection,
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
    .fetch_all(connection)
    .await
    .map(|mut notes| notes.pop())
}

pub(super) async fn delete(
    connection: &mut Connection,
    id: i64,
    version: Option<i64>,
) -> Result<bool, Error> {
    let done = query!("DELETE FROM notes WHERE id = ? AND version = coalesce(?, version)", id, version)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}
