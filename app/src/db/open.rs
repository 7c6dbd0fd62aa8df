//! Opening the database: reach it, bring its tables up to date, then share connections to it.

use std::time::{Duration, Instant};

use sqlx::{
    ConnectOptions, Connection,
    migrate::{Migrate, MigrateError, Migration},
    pool::PoolOptions,
};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::{
    DbError, Pool,
    backend::{self, Database, MIGRATIONS, Options},
};
use crate::config;

type ConnectionTo<D> = <D as sqlx::Database>::Connection;

/// Between two attempts at start; it doubles each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// A server that accepts a connection and then says nothing must not use up all attempts.
const ATTEMPT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still works: the server may have been restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// Why the database cannot be used from the start. It names the database by its address, never by its URL.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, or refuses to let us in.
    #[error("cannot open the database {database}: {reason}")]
    Open {
        /// Its address.
        database: String,
        /// What the system or the server said.
        reason: String,
    },
    /// Its tables are not those that this binary works with.
    #[error("the tables of the database {database} do not fit this binary: {reason}")]
    Schema {
        /// Its address.
        database: String,
        /// Which migration, and what to do.
        reason: String,
    },
    /// A migration did not run to its end, now or earlier.
    #[error("a migration of the database {database} was not completed: {reason}")]
    Incomplete {
        /// Its address.
        database: String,
        /// Which migration, and what to do.
        reason: String,
    },
}

/// Tells what is wrong with a URL before anything is opened.
///
/// # Errors
/// When it is for another database, or has parts that are not understood.
pub fn check_url(url: &str) -> Result<(), String> {
    backend::options(url).map(drop)
}

/// Opens the database for requests.
pub(super) async fn pool(settings: &config::Database) -> Result<Pool, OpenError> {
    let (options, mut connection) = connect(settings).await?;
    if settings.migrate {
        apply(&options, &mut connection).await?;
    } else {
        verify(&options, &mut connection).await?;
    }
    let pool = PoolOptions::<Database>::new()
        .max_connections(settings.max_connections.get().into())
        .acquire_timeout(settings.timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    // What has to be closed in order is; if that fails, the work is done all the same.
    let _ = connection.close().await;
    Ok(pool.connect_lazy_with(backend::tune(options, settings)))
}

/// Applies the migrations that are missing; gives their names.
pub(super) async fn migrate(settings: &config::Database) -> Result<Vec<String>, OpenError> {
    let (options, mut connection) = connect(settings).await?;
    let applied = apply(&options, &mut connection).await?;
    let _ = connection.close().await;
    Ok(applied)
}

async fn connect(settings: &config::Database) -> Result<(Options, ConnectionTo<Database>), OpenError> {
    let cannot = |database: &str, reason: String| OpenError::Open { database: database.to_owned(), reason };
    let url = settings.url.expose();
    let options = backend::options(url).map_err(|reason| cannot("at database.url", reason))?;
    let database = backend::address(&options);
    backend::prepare(&options).map_err(|reason| cannot(&database, reason))?;

    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt = timeout(ATTEMPT, options.connect()).await;
        let error = match attempt {
            Ok(Ok(connection)) => return Ok((options, connection)),
            Ok(Err(error)) => DbError::from(error),
            Err(_) => DbError::TimedOut(ATTEMPT),
        };
        if !error.is_unavailable() || start.elapsed() + pause > settings.connect_timeout {
            return Err(cannot(&database, error.to_string()));
        }
        warn!(%database, %error, "cannot open the database yet; trying again in {pause:?}");
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

async fn apply(options: &Options, connection: &mut ConnectionTo<Database>) -> Result<Vec<String>, OpenError> {
    let missing = missing(connection).await.map_err(|error| unfit(options, error))?;
    MIGRATIONS.run(connection).await.map_err(|error| unfit(options, error))?;
    let names: Vec<_> = missing.iter().map(|migration| name(migration)).collect();
    if !names.is_empty() {
        info!(database = backend::address(options), migrations = names.join(", "), "migrated");
    }
    Ok(names)
}

/// Changes nothing: the user of the service may not be allowed to.
async fn verify(options: &Options, connection: &mut ConnectionTo<Database>) -> Result<(), OpenError> {
    match missing(connection).await.map_err(|error| unfit(options, error))?.first() {
        None => Ok(()),
        Some(migration) => Err(OpenError::Schema {
            database: backend::address(options),
            reason: format!("migration {} is not applied; run `app migrate`", name(migration)),
        }),
    }
}

/// The migrations that are not applied yet, if those that are fit.
async fn missing(connection: &mut ConnectionTo<Database>) -> Result<Vec<&'static Migration>, MigrateError> {
    let Ok(applied) = connection.list_applied_migrations(&MIGRATIONS.table_name).await else {
        // The table that lists them comes with the first.
        return Ok(MIGRATIONS.iter().collect());
    };
    if let Some(version) = connection.dirty_version(&MIGRATIONS.table_name).await? {
        return Err(MigrateError::Dirty(version));
    }
    for one in &applied {
        match MIGRATIONS.iter().find(|migration| migration.version == one.version) {
            None => return Err(MigrateError::VersionMissing(one.version)),
            Some(migration) if migration.checksum != one.checksum => {
                return Err(MigrateError::VersionMismatch(one.version));
            }
            Some(_) => {}
        }
    }
    let is_missing = |migration: &&Migration| applied.iter().all(|one| one.version != migration.version);
    Ok(MIGRATIONS.iter().filter(is_missing).collect())
}

fn name(migration: &Migration) -> String {
    format!("{:04} {}", migration.version, migration.description)
}

fn unfit(options: &Options, error: MigrateError) -> OpenError {
    let database = backend::address(options);
    match error {
        MigrateError::VersionMissing(version) => OpenError::Schema {
            database,
            reason: format!("it has migration {version:04}, which a newer version made; run that version"),
        },
        MigrateError::VersionMismatch(version) => OpenError::Schema {
            database,
            reason: format!("migration {version:04} was applied with other contents than it has now"),
        },
        MigrateError::Dirty(version) => OpenError::Incomplete {
            database,
            reason: format!(
                "migration {version:04} stopped half way; repair the tables by hand or from a backup, then delete \
                 its row from _sqlx_migrations"
            ),
        },
        MigrateError::ExecuteMigration(error, version) => {
            OpenError::Incomplete { database, reason: format!("migration {version:04}: {error}") }
        }
        other => OpenError::Open { database, reason: other.to_string() },
    }
}
