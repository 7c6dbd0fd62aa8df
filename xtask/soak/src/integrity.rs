//! Whether a database is sound, by its own account.

use anyhow::{Context, Result};
use db_servers::Backend;
use sqlx::{AnyConnection, Connection, Executor, Row};

/// Makes PostgreSQL's own checker known, once a database.
const POSTGRES_CHECKER: &str = "CREATE EXTENSION IF NOT EXISTS amcheck";
/// Fails on the first index that is not in order, or that lacks a row of its table.
const POSTGRES_CHECK: &str = "DO $$ BEGIN
    PERFORM bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = 'notes'::regclass;
END $$";

/// Finds what is wrong with the database at `url`; none when it is sound.
///
/// # Errors
/// When it cannot be asked.
pub(crate) async fn defect(backend: Backend, url: &str) -> Result<Option<String>> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.context("cannot connect to the database")?;
    let defect = match backend {
        Backend::Sqlite => said(&mut connection, "PRAGMA integrity_check", "integrity_check").await?,
        Backend::Mysql => said(&mut connection, "CHECK TABLE notes EXTENDED", "Msg_text").await?,
        Backend::Postgres => {
            connection.execute(POSTGRES_CHECKER).await.context("amcheck is not installed")?;
            connection.execute(POSTGRES_CHECK).await.err().map(|error| error.to_string())
        }
    };
    connection.close().await?;
    Ok(defect)
}

/// What a check says that answers in a column; none when that is only "ok".
async fn said(connection: &mut AnyConnection, check: &'static str, column: &str) -> Result<Option<String>> {
    let rows = sqlx::raw_sql(check).fetch_all(connection).await.context("cannot check the database")?;
    let lines = rows.iter().map(|row| row.try_get::<String, _>(column)).collect::<Result<Vec<_>, _>>()?;
    let is_sound = !lines.is_empty() && lines.iter().all(|line| line.eq_ignore_ascii_case("ok"));
    Ok((!is_sound).then(|| lines.join("; ")))
}
