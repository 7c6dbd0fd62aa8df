//! Builds: queued, started, ended, found again.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqliteExecutor};
use utoipa::ToSchema;

use super::Store;
use crate::build::{Origin, Request, Status};
use crate::clock;

/// A build, without its steps. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Build {
    /// Rising, and never given twice.
    pub id: i64,
    /// Where it was started.
    pub origin: Origin,
    /// How it stands with it.
    pub status: Status,
    /// What a person would type.
    pub command: String,
    /// Its place in the queue; the lowest is next.
    pub position: Option<i64>,
    /// When it was asked for.
    pub queued: i64,
    /// When it began.
    pub started: Option<i64>,
    /// When it ended.
    pub finished: Option<i64>,
    /// What its program said at the end.
    pub exit_code: Option<i64>,
    /// The step that failed first.
    pub failed_step: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// The commit that was built.
    pub revision: Option<String>,
    /// The branch that it was on.
    pub branch: Option<String>,
    /// Whether there were changes that the commit has not.
    pub dirty: bool,
}

/// What was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Commit {
    /// The commit.
    pub revision: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Whether there were changes that the commit has not.
    pub dirty: bool,
}

/// The leader of a build's process group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Leader {
    /// The number of the process.
    pub pid: i64,
    /// When it started, in the system's own unit: another process that gets the number later has another time.
    #[sqlx(rename = "pid_started")]
    pub started: i64,
}

/// How a build ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// What its program said.
    pub exit_code: Option<i64>,
    /// The step that failed first.
    pub failed_step: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

pub(super) const COLUMNS: &str = "id, origin, status, command, position, queued, started, finished, exit_code, failed_step, \
                       error, revision, branch, dirty";

impl Store {
    /// Puts a build at the end of the queue. Gives its number.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn enqueue(&self, request: &Request) -> Result<i64> {
        enqueue(&self.pool, request).await
    }

    /// The build with this number.
    pub async fn build(&self, id: i64) -> Result<Option<Build>> {
        let query = format!("SELECT {COLUMNS} FROM builds WHERE id = ?");
        let row = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.pool);
        row.await.context("cannot read the build")
    }

    /// What was asked for in this build; none where no request means the same.
    pub async fn request(&self, id: i64) -> Result<Option<Request>> {
        let row = sqlx::query_as("SELECT request, words IS NOT NULL FROM builds WHERE id = ?").bind(id);
        let row: Option<(String, bool)> =
            row.fetch_optional(&self.pool).await.context("cannot read the build")?;
        let Some((text, is_typed)) = row else { return Ok(None) };
        match serde_json::from_str(&text) {
            Err(_) if is_typed => Ok(None),
            request => request.context("the request of the build").map(Some),
        }
    }

    /// The builds of this status, the next of the queue first.
    pub async fn with_status(&self, status: Status) -> Result<Vec<Build>> {
        let query = format!("SELECT {COLUMNS} FROM builds WHERE status = ? ORDER BY position, id");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(status).fetch_all(&self.pool);
        rows.await.context("cannot read the builds")
    }

    /// Notes that a queued build begins. False where it is not queued any more.
    pub async fn start(&self, id: i64, commit: &Commit) -> Result<bool> {
        let row = sqlx::query(
            "UPDATE builds SET status = 'running', position = NULL, started = ?, revision = ?, branch = ?, dirty = ?
             WHERE id = ? AND status = 'queued'",
        );
        let row =
            row.bind(clock::now()).bind(&commit.revision).bind(&commit.branch).bind(commit.dirty).bind(id);
        let done = row.execute(&self.pool).await.context("cannot note that the build begins")?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes which process leads a running build.
    pub async fn led_by(&self, id: i64, leader: Leader) -> Result<()> {
        let row = sqlx::query("UPDATE builds SET pid = ?, pid_started = ? WHERE id = ?");
        let row = row.bind(leader.pid).bind(leader.started).bind(id);
        row.execute(&self.pool).await.map(drop).context("cannot note the process of the build")
    }

    /// The process that leads a build.
    pub async fn leader(&self, id: i64) -> Result<Option<Leader>> {
        let row =
            sqlx::query_as("SELECT pid, pid_started FROM builds WHERE id = ? AND pid IS NOT NULL").bind(id);
        row.fetch_optional(&self.pool).await.context("cannot read the process of the build")
    }

    /// Notes how a build ended. False where that was known already: a status that is final stays.
    pub async fn end(&self, id: i64, status: Status, end: &End) -> Result<bool> {
        let row = sqlx::query(
            "UPDATE builds SET status = ?, position = NULL, finished = ?, exit_code = ?, failed_step = ?, error = ?
             WHERE id = ? AND status IN ('queued', 'running')",
        );
        let row = row.bind(status).bind(clock::now());
        let row = row.bind(end.exit_code).bind(&end.failed_step).bind(&end.error).bind(id);
        let done = row.execute(&self.pool).await.context("cannot note how the build ended")?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts a queued build before the one that is at `position`, or at the end. False where it is not queued any more.
    pub async fn reorder(&self, id: i64, before: Option<i64>) -> Result<bool> {
        let mut transaction = self.pool.begin().await.context("cannot change the queue")?;
        let queued = "SELECT id FROM builds WHERE status = 'queued' ORDER BY position, id";
        let mut order: Vec<i64> =
            sqlx::query_scalar(queued).fetch_all(&mut *transaction).await.context("the queue")?;
        let Some(at) = order.iter().position(|queued| *queued == id) else { return Ok(false) };
        order.remove(at);
        let place = before.and_then(|before| order.iter().position(|queued| *queued == before));
        order.insert(place.unwrap_or(order.len()), id);
        for (position, id) in order.iter().enumerate() {
            let row = sqlx::query("UPDATE builds SET position = ? WHERE id = ?");
            let row = row.bind(i64::try_from(position + 1)?).bind(id);
            row.execute(&mut *transaction).await.context("cannot change the queue")?;
        }
        transaction.commit().await.context("cannot change the queue")?;
        Ok(true)
    }
}

/// Puts a build at the end of the queue, in a transaction or on its own.
pub(super) async fn enqueue(database: impl SqliteExecutor<'_>, request: &Request) -> Result<i64> {
    let row = sqlx::query_scalar(
        "INSERT INTO builds (origin, status, request, command, position, queued)
         VALUES ('kitchen', 'queued', ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM builds), ?) RETURNING id",
    );
    let row = row.bind(serde_json::to_string(request)?).bind(request.command()).bind(clock::now());
    row.fetch_one(database).await.context("cannot keep the build")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    async fn store() -> (tempfile::TempDir, Store) {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::in_project(project.path()).unwrap()).await.unwrap();
        (project, store)
    }

    async fn queue(store: &Store) -> Vec<i64> {
        store.with_status(Status::Queued).await.unwrap().iter().map(|build| build.id).collect()
    }

    #[tokio::test]
    async fn the_queue_keeps_its_order_and_can_be_changed() {
        let (_project, store) = store().await;
        for _ in 0..3 {
            store.enqueue(&Request::default()).await.unwrap();
        }
        assert_eq!(queue(&store).await, [1, 2, 3]);
        assert!(store.reorder(3, Some(1)).await.unwrap());
        assert_eq!(queue(&store).await, [3, 1, 2]);
        assert!(store.start(1, &Commit::default()).await.unwrap());
        assert!(!store.reorder(1, None).await.unwrap(), "it runs");
        assert!(store.reorder(3, None).await.unwrap());
        assert_eq!(queue(&store).await, [2, 3]);
        assert!(!store.start(1, &Commit::default()).await.unwrap(), "it was started before");
    }

    #[tokio::test]
    async fn what_has_ended_stays_as_it_ended() {
        let (_project, store) = store().await;
        let id = store.enqueue(&Request { dry_run: true, ..Request::default() }).await.unwrap();
        store
            .start(id, &Commit { revision: Some("abc".to_owned()), branch: None, dirty: true })
            .await
            .unwrap();
        let leader = Leader { pid: 7, started: 99 };
        store.led_by(id, leader).await.unwrap();
        assert_eq!(store.leader(id).await.unwrap(), Some(leader));
        let end = End { exit_code: Some(101), failed_step: Some("compile".to_owned()), error: None };
        assert!(store.end(id, Status::Failed, &end).await.unwrap());
        assert!(!store.end(id, Status::Killed, &End::default()).await.unwrap());
        let build = store.build(id).await.unwrap().unwrap();
        assert_eq!((build.status, build.exit_code, build.dirty), (Status::Failed, Some(101), true));
        assert!(build.started >= Some(build.queued) && build.finished >= build.started);
        assert!(store.request(id).await.unwrap().unwrap().dry_run);
        assert_eq!(store.build(99).await.unwrap(), None);
    }
}
