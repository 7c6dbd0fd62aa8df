//! What of the history is forgotten.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::SqliteConnection;

use super::Store;

impl Store {
    /// Forgets the builds that ended before `oldest`, in milliseconds since the Unix epoch, and all but the last `count`.
    /// What waits or runs stays. Says how many there were.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub(crate) async fn forget(&self, oldest: i64, count: u32) -> Result<u64> {
        let rows = sqlx::query(
            "DELETE FROM builds WHERE status NOT IN ('queued', 'running')
               AND (finished < ? OR id <= (SELECT id FROM builds ORDER BY id DESC LIMIT 1 OFFSET ?))",
        );
        let done = rows.bind(oldest).bind(count).execute(&self.pool).await;
        let forgotten = done.context("cannot forget old builds")?.rows_affected();
        if forgotten > 0 {
            self.give_back().await?;
        }
        Ok(forgotten)
    }

    /// Every build, oldest first, and whether it has ended.
    pub(crate) async fn ended(&self) -> Result<BTreeMap<i64, bool>> {
        let rows = sqlx::query_as("SELECT id, status NOT IN ('queued', 'running') FROM builds");
        let rows: Vec<(i64, bool)> = rows.fetch_all(&self.pool).await.context("cannot read the builds")?;
        Ok(rows.into_iter().collect())
    }

    /// Gives the disk what the file does not need any more.
    async fn give_back(&self) -> Result<()> {
        // Each row is some pages: it is done when there are no more.
        let freed = sqlx::query("PRAGMA incremental_vacuum").fetch_all(&self.pool).await;
        freed.context("cannot make the history smaller")?;
        // Somebody who reads holds it up; the next time will do.
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&self.pool).await;
        Ok(())
    }
}

/// Has the file shrink when it is asked to. Of one that was made without, a copy is made once that can.
pub(super) async fn can_shrink(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(&mut *connection).await?;
    if mode != INCREMENTAL {
        sqlx::query("PRAGMA auto_vacuum = INCREMENTAL").execute(&mut *connection).await?;
        sqlx::query("VACUUM").execute(&mut *connection).await?;
    }
    Ok(())
}
