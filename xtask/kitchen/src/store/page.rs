//! The history, a page at a time.

use anyhow::{Context as _, Result};
use sqlx::{QueryBuilder, Sqlite};

use super::builds::COLUMNS;
use super::{Build, Store};
use crate::build::Status;

/// How many builds a page has.
pub const PAGE: i64 = 50;

/// How many branches are offered to choose from.
const BRANCHES: i64 = 100;

/// Which builds are wanted; every one of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those before the one with this number.
    pub before: Option<i64>,
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those with this in their command, branch, commit or what went wrong, in whatever case.
    pub text: Option<String>,
    /// Only those that have ended.
    pub is_over: bool,
    /// Only those for this database, perhaps among others.
    pub backend: Option<String>,
    /// Only those for this platform, likewise.
    pub platform: Option<String>,
    /// Only those of this branch.
    pub branch: Option<String>,
    /// Only those that did this.
    pub task: Option<String>,
}

impl Filter {
    /// Adds `WHERE` with only those conditions that there are, so that each can have its index.
    pub(super) fn restrict(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push(" WHERE TRUE");
        if let Some(before) = self.before {
            query.push(" AND id < ").push_bind(before);
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").push_bind(status);
        }
        if self.is_over {
            query.push(" AND status NOT IN ('queued', 'running')");
        }
        for (column, value) in [(" AND branch = ", &self.branch), (" AND task = ", &self.task)] {
            if let Some(value) = value {
                query.push(column).push_bind(value.clone());
            }
        }
        for (table, value) in [("backend", &self.backend), ("platform", &self.platform)] {
            if let Some(value) = value {
                query.push(format!(
                    " AND EXISTS (SELECT 1 FROM {table}s WHERE build_id = builds.id AND {table} = "
                ));
                query.push_bind(value.clone()).push(")");
            }
        }
        if let Some(text) = &self.text {
            query.push(
                " AND instr(lower(concat_ws(' ', command, branch, revision, failed_step, error)), lower(",
            );
            query.push_bind(text.clone()).push(")) > 0");
        }
    }
}

impl Store {
    /// A page of builds, the last one first, and whether there are more before them.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn page(&self, filter: &Filter) -> Result<(Vec<Build>, bool)> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM builds"));
        filter.restrict(&mut query);
        // One more than a page tells whether there is another.
        query.push(" ORDER BY id DESC LIMIT ").push_bind(PAGE + 1);
        let rows = query.build_query_as().fetch_all(&self.pool);
        let mut builds: Vec<Build> = rows.await.context("cannot read the builds")?;
        let has_more = builds.len() > PAGE as usize;
        builds.truncate(PAGE as usize);
        Ok((builds, has_more))
    }

    /// The branches of the history, by name.
    pub async fn branches(&self) -> Result<Vec<String>> {
        // From one to the next in the index: there are far fewer of them than builds.
        let rows = sqlx::query_scalar(
            "WITH RECURSIVE known (branch) AS (
                 SELECT min(branch) FROM builds
                 UNION ALL
                 SELECT (SELECT min(branch) FROM builds WHERE branch > known.branch) FROM known WHERE branch IS NOT NULL
             )
             SELECT branch FROM known WHERE branch IS NOT NULL LIMIT ?",
        );
        rows.bind(BRANCHES).fetch_all(&self.pool).await.context("cannot read the branches")
    }

    /// The databases that builds were for, by name: also those that the project has no more.
    pub async fn known_backends(&self) -> Result<Vec<String>> {
        let rows = sqlx::query_scalar(
            "WITH RECURSIVE known (backend) AS (
                 SELECT min(backend) FROM backends
                 UNION ALL
                 SELECT (SELECT min(backend) FROM backends WHERE backend > known.backend) FROM known
                 WHERE backend IS NOT NULL
             )
             SELECT backend FROM known WHERE backend IS NOT NULL",
        );
        rows.fetch_all(&self.pool).await.context("cannot read the databases of the builds")
    }

    /// The last build before this one that did the same for the same databases, and came to its end.
    pub async fn like(&self, build: i64) -> Result<Option<i64>> {
        let row = sqlx::query_scalar(
            "SELECT id FROM builds WHERE id < ?1 AND status IN ('done', 'failed')
                 AND command = (SELECT command FROM builds WHERE id = ?1) ORDER BY id DESC LIMIT 1",
        );
        row.bind(build).fetch_optional(&self.pool).await.context("cannot read the builds")
    }
}
