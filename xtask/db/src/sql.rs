//! What is asked of a database by SQL: everything that needs a driver.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use sqlx::Any; // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
use sqlx::migrate::MigrateDatabase; // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, Connection};

/// Runs the migrations in `folder` that the database at `url` does not have yet.
///
/// # Errors
/// When the folder cannot be read, the database not be reached, or a migration fails.
pub fn migrate(url: &str, folder: &Path) -> Result<()> {
    wait_for(async {
        // The driver's messages name their causes themselves.
        let cannot = |what: &str, why: String| anyhow!("cannot {what} {}: {why}", folder.display());
        let migrator = Migrator::new(folder).await.map_err(|error| cannot("read", error.to_string()))?;
        let mut connection = AnyConnection::connect(url).await.context("cannot connect to the database")?;
        migrator.run(&mut connection).await.map_err(|error| cannot("migrate by", error.to_string()))?;
        connection.close().await.context("cannot close the database")
    })
}

// template: if "postgres" in backends || "mysql" in backends || pipeline_tests
/// Makes the database that `url` names.
pub(crate) fn create_database(url: &str) -> Result<()> {
    wait_for(async { Ok(Any::create_database(url).await?) })
}

/// Drops the database that `url` names, even while someone uses it where the server can do that.
pub(crate) fn drop_database(url: &str) -> Result<()> {
    wait_for(async {
        match Any::force_drop_database(url).await {
            Ok(()) => Ok(()),
            Err(_) => Ok(Any::drop_database(url).await?),
        }
    })
}

// template: end
fn wait_for<T>(task: impl Future<Output = Result<T>>) -> Result<T> {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the database driver")?.block_on(task)
}
