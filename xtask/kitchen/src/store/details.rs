//! What a build made and compiled, and all that is known of it in one value.

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::facts::Layer;
use super::{Build, Step, Store};

/// A unit of cargo's that was compiled. Times are in seconds since the build began.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow, ToSchema)]
pub struct Crate {
    /// The step that compiled it.
    pub step: String,
    /// Its package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The target of the package.
    pub target: Option<String>,
    /// What that is, such as `lib`.
    pub kind: Option<String>,
    /// When it began.
    pub started: f64,
    /// When it ended.
    pub finished: f64,
    /// `done`, `failed` or `cancelled`.
    pub outcome: String,
}

/// A finished binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Artifact {
    /// Where it was made, from the project's root.
    pub path: String,
    /// Bytes.
    pub size: i64,
    /// Hex digits.
    pub sha256: String,
}

/// An image that a build made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Image {
    /// Of its index or manifest.
    pub digest: String,
    /// Its names, with blanks between them.
    pub tags: String,
    /// Bytes of all platforms together, compressed.
    pub size: i64,
}

/// All that is known of a build but its packages, which many builds share.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Record {
    /// How it stands with it.
    pub build: Build,
    /// What was asked for.
    #[schema(value_type = Object)]
    pub request: Value,
    /// For which databases it was.
    pub backends: Vec<String>,
    /// Its steps, in the order in which they began.
    pub steps: Vec<Step>,
    /// What was compiled, likewise.
    pub crates: Vec<Crate>,
    /// Finished binaries, by path.
    pub artifacts: Vec<Artifact>,
    /// Images.
    pub images: Vec<Image>,
    /// Their layers, lowest first.
    pub layers: Vec<Layer>,
    /// The SHA-256 of its Cargo.lock, in hex digits.
    pub lock: Option<String>,
}

impl Store {
    /// All that is known of a build but its packages.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn record(&self, id: i64) -> Result<Option<Record>> {
        let Some(build) = self.build(id).await? else { return Ok(None) };
        Ok(Some(Record {
            build,
            request: self.request_as_kept(id).await?,
            backends: self.backends(id).await?,
            steps: self.steps(id).await?,
            crates: self.crates(id).await?,
            artifacts: self.artifacts(id).await?,
            images: self.images(id).await?,
            layers: self.layers(id).await?,
            lock: self.lock(id).await?,
        }))
    }

    /// The units that cargo compiled in a build, in the order in which they began.
    pub async fn crates(&self, build: i64) -> Result<Vec<Crate>> {
        let rows = sqlx::query_as(
            "SELECT step, package, version, target, kind, started, finished, outcome FROM crates
             WHERE build_id = ? ORDER BY started, finished, package",
        );
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the crates")
    }

    /// The binaries that a build made, by path.
    pub async fn artifacts(&self, build: i64) -> Result<Vec<Artifact>> {
        let rows =
            sqlx::query_as("SELECT path, size, sha256 FROM artifacts WHERE build_id = ? ORDER BY path");
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the artifacts")
    }

    /// The images that a build made, by name.
    pub async fn images(&self, build: i64) -> Result<Vec<Image>> {
        let rows = sqlx::query_as("SELECT digest, tags, size FROM images WHERE build_id = ? ORDER BY tags");
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the images")
    }

    /// For which databases a build was.
    pub async fn backends(&self, build: i64) -> Result<Vec<String>> {
        let rows = sqlx::query_scalar("SELECT backend FROM backends WHERE build_id = ? ORDER BY backend");
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the databases of the build")
    }

    /// Notes for which databases a build is, where it was not asked for any.
    pub async fn is_for(&self, build: i64, backends: &[String]) -> Result<()> {
        let rows = sqlx::query("INSERT OR IGNORE INTO backends SELECT value, ? FROM json_each(?)");
        let rows = rows.bind(build).bind(serde_json::to_string(backends)?);
        rows.execute(&self.pool).await.map(drop).context("cannot note the databases of the build")
    }

    /// As it was kept, also where it was kept by a version that could be asked for something else.
    async fn request_as_kept(&self, build: i64) -> Result<Value> {
        let row = sqlx::query_scalar("SELECT request FROM builds WHERE id = ?").bind(build);
        let text: String = row.fetch_one(&self.pool).await.context("cannot read the build")?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
