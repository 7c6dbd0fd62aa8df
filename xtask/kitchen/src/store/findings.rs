//! What builds found out: the next release, a registry, what a push uploads.

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use super::Store;
use crate::build::finding::{Push, Registry, Release};

/// An image that was pushed or, in a dry run, would have been. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Pushed {
    /// The database that it is for.
    pub backend: String,
    /// Its names, with blanks between them.
    pub tags: String,
    /// Of its index or manifest.
    pub digest: String,
    /// All of it, for every platform.
    pub size: i64,
    /// What goes over the network.
    pub uploaded: i64,
    /// What is in another repository of the registry.
    pub mounted: i64,
    /// What is there already.
    pub present: i64,
    /// How layers were compressed instead.
    pub fallback: Option<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

impl Pushed {
    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tags.split(' ')
    }
}

impl Store {
    /// The release that a build proposed.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn release(&self, build: i64) -> Result<Option<Release>> {
        self.finding(build, "release").await
    }

    /// The registry that a build looked at.
    pub async fn registry(&self, build: i64) -> Result<Option<Registry>> {
        self.finding(build, "registry").await
    }

    /// The images that a build pushed, or would.
    pub async fn pushed(&self, build: i64) -> Result<Vec<Pushed>> {
        let rows = sqlx::query_as(
            "SELECT backend, tags, digest, size, uploaded, mounted, present, fallback, dry_run
             FROM images JOIN pushes USING (build_id, digest) WHERE build_id = ? ORDER BY tags",
        );
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read what was pushed")
    }

    pub(super) async fn keep_finding(
        &self,
        build: i64,
        topic: &str,
        content: &impl Serialize,
    ) -> sqlx::Result<()> {
        let content = serde_json::to_string(content).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let row = sqlx::query("INSERT OR REPLACE INTO findings VALUES (?, ?, ?)");
        row.bind(build).bind(topic).bind(content).execute(&self.pool).await.map(drop)
    }

    pub(super) async fn keep_push(
        &self,
        build: i64,
        digest: &str,
        backend: &str,
        push: &Push,
    ) -> sqlx::Result<()> {
        let Push { uploaded, mounted, present, fallback, dry_run } = push;
        let row = sqlx::query("INSERT OR REPLACE INTO pushes VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        let row = row.bind(build).bind(digest).bind(backend).bind(uploaded).bind(mounted).bind(present);
        row.bind(fallback).bind(dry_run).execute(&self.pool).await.map(drop)
    }

    async fn finding<T: DeserializeOwned>(&self, build: i64, topic: &str) -> Result<Option<T>> {
        let row = sqlx::query_scalar("SELECT content FROM findings WHERE build_id = ? AND topic = ?");
        let text: Option<String> =
            row.bind(build).bind(topic).fetch_optional(&self.pool).await.context("cannot read a finding")?;
        text.map(|text| serde_json::from_str(&text).context("a finding")).transpose()
    }
}
