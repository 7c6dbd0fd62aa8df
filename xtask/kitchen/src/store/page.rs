//! The history, a page at a time.

use anyhow::{Context as _, Result};

use super::builds::COLUMNS;
use super::{Build, Store};
use crate::build::Status;

/// How many builds a page has.
pub const PAGE: i64 = 50;

/// Which builds are wanted; every one of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those before the one with this number.
    pub before: Option<i64>,
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those with this in their command, branch or commit, in whatever case.
    pub text: Option<String>,
    /// Only those that have ended.
    pub is_over: bool,
}

impl Store {
    /// A page of builds, the last one first, and whether there are more before them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&self, filter: &Filter) -> Result<(Vec<Build>, bool)> {
        let query = format!(
            "SELECT {COLUMNS} FROM builds
             WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR instr(lower(concat_ws(' ', command, branch, revision)), lower(?3)) > 0)
               AND (NOT ?4 OR status NOT IN ('queued', 'running'))
             ORDER BY id DESC LIMIT ?5"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(query));
        let rows = rows.bind(filter.before).bind(filter.status).bind(&filter.text).bind(filter.is_over);
        // One more than a page tells whether there is another.
        let mut builds: Vec<Build> =
            rows.bind(PAGE + 1).fetch_all(&self.pool).await.context("cannot read the builds")?;
        let has_more = builds.len() > PAGE as usize;
        builds.truncate(PAGE as usize);
        Ok((builds, has_more))
    }
}
