//! Notes in PostgreSQL.
//!
//! Statements that write and answer with RETURNING are run to their end by `fetch_all`: the other fetches stop at the
//! first row, which a large note can reach before its commit.

use sqlx::{Error, Postgres, migrate::Migrator, postgres::PgConnectOptions, query, query_as, query_scalar};

use super::{Connection, Draft, Note};
use crate::config;

pub(super) type Database = Postgres;
pub(super) type Options = PgConnectOptions;

/// The name people know this backend by.
pub const BACKEND: &str = "postgres";
/// Used when no URL is set.
pub const DEFAULT_URL: &str = "postgres://localhost/app";

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

pub(super) fn options(url: &str) -> Result<Options, String> {
    if !(url.starts_with("postgres:") || url.starts_with("postgresql:")) {
        return Err("this binary is built for PostgreSQL: the URL must start with `postgres:`".to_owned());
    }
    url.parse().map_err(|error: Error| error.to_string())
}

pub(super) fn address(options: &Options) -> String {
    let place = match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    // PostgreSQL's own rule: without a name, the database is called as the user.
    format!("{place}/{}", options.get_database().unwrap_or(options.get_username()))
}

/// What only the connections for requests get.
pub(super) fn tune(options: Options, settings: &config::Database) -> Options {
    options
        .application_name(env!("CARGO_PKG_NAME"))
        // The server stops working on what nobody waits for any more.
        .options([("statement_timeout", format!("{}ms", settings.timeout.as_millis()))])
}

pub(super) fn prepare(_: &Options) -> Result<(), String> {
    Ok(())
}

/// Out of connections or memory (class 53), stopping or starting (57P…), a read-only standby, a statement_timeout.
pub(super) fn is_unavailable(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| {
        code.starts_with("53") || code.starts_with("57P") || code == "25006" || code == "57014"
    })
}

pub(super) async fn check(connection: &mut Connection) -> Result<(), Error> {
    query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM notes) AS "exists!""#).fetch_one(connection).await.map(drop)
}

pub(super) async fn insert(connection: &mut Connection, draft: &Draft) -> Result<Note, Error> {
    query_as!(
        Note,
        "INSERT INTO notes (title, body) VALUES ($1, $2)
         RETURNING id, version, title, body, created_at, updated_at",
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
        "SELECT id, version, title, body, created_at, updated_at FROM notes WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn find(connection: &mut Connection, id: i64) -> Result<Option<Note>, Error> {
    query_as!(Note, "SELECT id, version, title, body, created_at, updated_at FROM notes WHERE id = $1", id)
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
        "UPDATE notes SET version = version + 1, title = $1, body = $2, updated_at = now()
         WHERE id = $3 AND version = coalesce($4, version)
         RETURNING id, version, title, body, created_at, updated_at",
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
    let done = query!("DELETE FROM notes WHERE id = $1 AND version = coalesce($2, version)", id, version)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}
