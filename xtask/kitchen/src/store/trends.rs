//! How time and size go on from build to build.

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use super::{Filter, Store};
use crate::build::Status;

/// How many builds a trend has: each has room on a page.
const BUILDS: i64 = 200;

/// What is compared of a build from one to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Trend {
    /// Its number.
    pub id: i64,
    /// How it ended.
    pub status: Status,
    /// What was done.
    pub task: String,
    /// By which engine; none as configured.
    pub engine: Option<String>,
    /// For which databases, with commas between them.
    pub backends: String,
    /// The branch that it was on.
    pub branch: Option<String>,
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub queued: i64,
    /// How long it took, in milliseconds.
    pub took: i64,
}

/// How large something is that a build made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Measure {
    /// The build.
    pub build: i64,
    /// What it is.
    pub name: String,
    /// Bytes.
    pub size: i64,
}

impl Store {
    /// The latest builds of a filter that came to their own end, the first of them first.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn trend(&self, filter: &Filter) -> Result<Vec<Trend>> {
        let mut query = QueryBuilder::new(
            "SELECT id, status, task, engine, branch, queued, finished - started AS took,
                 coalesce((SELECT group_concat(backend, ',' ORDER BY backend) FROM backends WHERE build_id = builds.id), '')
                     AS backends
             FROM builds",
        );
        filter.restrict(&mut query);
        query.push(" AND status IN ('done', 'failed') AND started IS NOT NULL AND finished >= started");
        query.push(" ORDER BY id DESC LIMIT ").push_bind(BUILDS);
        let rows = query.build_query_as().fetch_all(&self.pool);
        let mut trend: Vec<Trend> = rows.await.context("cannot read the trend")?;
        trend.reverse();
        Ok(trend)
    }

    /// The images of these builds, each platform for itself: its layers together, compressed.
    pub async fn image_sizes(&self, builds: &[i64], platform: Option<&str>) -> Result<Vec<Measure>> {
        let rows = sqlx::query_as(
            "SELECT build_id AS build, platform AS name, sum(size) AS size
             FROM json_each(?1) CROSS JOIN layers ON build_id = value
             WHERE ?2 IS NULL OR platform = ?2 GROUP BY build_id, image, platform",
        );
        let rows = rows.bind(serde_json::to_string(builds)?).bind(platform);
        rows.fetch_all(&self.pool).await.context("cannot read the sizes of images")
    }

    /// The binaries of these builds.
    pub async fn artifact_sizes(&self, builds: &[i64]) -> Result<Vec<Measure>> {
        let rows = sqlx::query_as(
            "SELECT build_id AS build, artifacts.path AS name, size
             FROM json_each(?) CROSS JOIN artifacts ON build_id = value ORDER BY build_id, name",
        );
        let rows = rows.bind(serde_json::to_string(builds)?);
        rows.fetch_all(&self.pool).await.context("cannot read the sizes of binaries")
    }
}
