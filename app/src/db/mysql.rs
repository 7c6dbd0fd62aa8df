//! Notes in MySQL or MariaDB.
//!
//! Neither has an UPDATE that answers with the row, and MySQL no such INSERT either: a transaction reads what it wrote.

use sqlx::{
    Connection as _, Error, MySql, migrate::Migrator, mysql::MySqlConnectOptions, query, query_as,
    query_scalar,
};
use time::OffsetDateTime;

use super::{Connection, Draft, Note};
use crate::config;

pub(super) type Database = MySql;
pub(super) type Options = MySqlConnectOptions;

/// The name people know this backend by.
pub const BACKEND: &str = "mysql";
/// Used when no URL is set.
pub const DEFAULT_URL: &str = "mysql://root@localhost/app";

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/mysql");

pub(super) fn options(url: &str) -> Result<Options, String> {
    if !(url.starts_with("mysql:") || url.starts_with("mariadb:")) {
        return Err("this binary is built for MySQL: the URL must start with `mysql:`".to_owned());
    }
    url.parse().map_err(|error: Error| error.to_string())
}

pub(super) fn address(options: &Options) -> String {
    let place = match options.get_socket() {
        Some(file) => file.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("{place}/{}", options.get_database().unwrap_or_default())
}

/// What only the connections for requests get.
pub(super) fn tune(options: Options, _: &config::Database) -> Options {
    options
}

pub(super) fn prepare(_: &Options) -> Result<(), String> {
    Ok(())
}

/// Too many connections, stopping, read-only, a lock not had in time, a deadlock.
///
/// Numbers: <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>
pub(super) fn is_unavailable(error: &Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
        .is_some_and(|error| matches!(error.number(), 1040 | 1053 | 1205 | 1213 | 1290 | 1836))
}

pub(super) async fn check(connection: &mut Connection) -> Result<(), Error> {
    query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM notes) AS "exists: bool""#)
        .fetch_one(connection)
        .await
        .map(drop)
}

pub(super) async fn insert(connection: &mut Connection, draft: &Draft) -> Result<Note, Error> {
    let mut transaction = connection.begin().await?;
    let done = query!("INSERT INTO notes (title, body) VALUES (?, ?)", draft.title, draft.body)
        .execute(&mut *transaction)
        .await?;
    let id = i64::try_from(done.last_insert_id()).map_err(Error::decode)?;
    let note = find(&mut transaction, id).await?.ok_or(Error::RowNotFound)?;
    transaction.commit().await?;
    Ok(note)
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
    let mut transaction = connection.begin().await?;
    let done = query!(
        "UPDATE notes SET version = version + 1, title = ?, body = ?, updated_at = UTC_TIMESTAMP(3)
         WHERE id = ? AND version = coalesce(?, version)",
        draft.title,
        draft.body,
        id,
        version,
    )
    .execute(&mut *transaction)
    .await?;
    let note = if done.rows_affected() > 0 { find(&mut transaction, id).await? } else { None };
    transaction.commit().await?;
    Ok(note)
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
