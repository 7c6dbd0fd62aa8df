//! The history: every build, in SQLite.

mod builds;
mod details;
mod facts;
mod findings;
mod packages;
mod page;
mod prune;
mod publications;
mod terminal;
mod trends;

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::place::{Place, private};

pub use builds::{Build, Commit, End, Leader};
pub use details::{Artifact, Crate, Image, Record};
pub use facts::{Layer, Step};
pub use findings::Pushed;
pub use page::{Filter, PAGE};
pub use publications::{Move, Part, Publication};
pub(crate) use terminal::TakenUp;
pub use trends::{Measure, Trend};

/// The history of one project; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the history, and brings it up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is none of ours, or was written by a later version.
    pub async fn open(place: &Place) -> Result<Store> {
        let path = place.database();
        let cannot = || format!("cannot open the history in {}", path.display());
        // SQLite would make it readable for all; its other files take their mode from this one.
        private(&path).with_context(cannot)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // A build whose last moments are lost with the machine's power is an interrupted one anyway.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true);
        let pool =
            SqlitePoolOptions::new().max_connections(4).connect_with(options).await.with_context(cannot)?;
        let mut connection = pool.acquire().await.with_context(cannot)?;
        prune::can_shrink(&mut connection).await.with_context(cannot)?;
        drop(connection);
        sqlx::migrate!("./migrations").run(&pool).await.with_context(cannot)?;
        Ok(Store { pool })
    }

    /// Closes the history; what was written is in the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
