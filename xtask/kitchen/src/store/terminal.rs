//! Builds that were started in a terminal.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Commit, End, Store};
use crate::build::{Request, Status};

/// A build that begins, or begins anew, as its record says.
#[derive(Clone, Debug)]
pub(crate) struct TakenUp<'a> {
    /// The name of its record.
    pub(crate) record: &'a str,
    /// Milliseconds since the Unix epoch.
    pub(crate) started: i64,
    /// What was typed.
    pub(crate) command: &'a str,
    /// The same in words, without what every one has.
    pub(crate) words: &'a [String],
    /// The same as it would be asked for; none where nothing that can be asked for is the same.
    pub(crate) request: Option<&'a Request>,
}

impl TakenUp<'_> {
    fn task(&self) -> &str {
        self.words.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str)
    }
}

impl Store {
    /// The build with this record, and how it stands with it.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub(crate) async fn recorded(&self, record: &str) -> Result<Option<(i64, Status)>> {
        let row = sqlx::query_as("SELECT id, status FROM builds WHERE record = ?").bind(record);
        row.fetch_optional(&self.pool).await.context("cannot read the builds")
    }

    /// The builds that run in terminals, and the names of their records.
    pub(crate) async fn in_terminals(&self) -> Result<Vec<(i64, String)>> {
        let rows = sqlx::query_as(
            "SELECT id, coalesce(record, '') FROM builds WHERE status = 'running' AND origin = 'terminal'",
        );
        rows.fetch_all(&self.pool).await.context("cannot read the builds")
    }

    /// Takes up a build. Where its record was taken up before, all that is known of it is forgotten, and it keeps its number.
    pub(crate) async fn take_up(&self, build: &TakenUp<'_>) -> Result<i64> {
        let mut transaction = self.pool.begin().await.context("cannot keep the build")?;
        let known = sqlx::query_scalar("DELETE FROM builds WHERE record = ? RETURNING id").bind(build.record);
        let known: Option<i64> =
            known.fetch_optional(&mut *transaction).await.context("cannot keep the build")?;
        let row = sqlx::query_scalar(
            "INSERT INTO builds (id, origin, status, request, command, words, record, queued, started)
             VALUES (?1, 'terminal', 'running', ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
        );
        let request = match build.request {
            Some(request) => serde_json::to_value(request)?,
            // What no request can be read from, with what the history is filtered by.
            None => json!({ "task": build.task(), "typed": true }),
        };
        let row = row.bind(known).bind(request.to_string()).bind(build.command);
        let row = row.bind(serde_json::to_string(build.words)?).bind(build.record).bind(build.started);
        let id = row.fetch_one(&mut *transaction).await.context("cannot keep the build")?;
        transaction.commit().await.context("cannot keep the build")?;
        Ok(id)
    }

    /// Notes what a build is of.
    pub(crate) async fn note_commit(&self, id: i64, commit: &Commit) -> Result<()> {
        let row = sqlx::query("UPDATE builds SET revision = ?, branch = ?, dirty = ? WHERE id = ?");
        let row = row.bind(&commit.revision).bind(&commit.branch).bind(commit.dirty).bind(id);
        row.execute(&self.pool).await.map(drop).context("cannot note the commit of the build")
    }

    /// Notes how a build ended, and when. From then on its record is needed no more.
    pub(crate) async fn end_at(&self, id: i64, finished: i64, status: Status, end: &End) -> Result<()> {
        let row = sqlx::query(
            "UPDATE builds SET status = ?, finished = ?, exit_code = ?, failed_step = ?, error = ?
             WHERE id = ? AND status = 'running'",
        );
        let row = row.bind(status).bind(finished);
        let row = row.bind(end.exit_code).bind(&end.failed_step).bind(&end.error).bind(id);
        row.execute(&self.pool).await.map(drop).context("cannot note how the build ended")
    }

    /// What was typed after `cargo xtask`; none of a build that was not started in a terminal.
    pub(crate) async fn words(&self, id: i64) -> Result<Option<Vec<String>>> {
        let row = sqlx::query_scalar("SELECT words FROM builds WHERE id = ? AND words IS NOT NULL").bind(id);
        let text: Option<String> = row.fetch_optional(&self.pool).await.context("cannot read the build")?;
        text.map(|text| serde_json::from_str(&text).context("the words of the build")).transpose()
    }
}
