//! What a build tells of itself, by its events.

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::Store;
use crate::build::event::{Event, PlatformImage};

/// A step of a build, or a vertex within one. Times are in seconds since the build began.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow, ToSchema)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The step that it is a vertex of.
    pub part_of: Option<String>,
    /// What it is for.
    pub why: String,
    /// When it began.
    pub started: f64,
    /// How long it ran; none while it does.
    pub seconds: Option<f64>,
    /// `done`, `cached`, `failed`, `cancelled` or `skipped`; none while it runs.
    pub outcome: Option<String>,
    /// How many of its crates were there already.
    pub fresh: i64,
}

/// A layer of an image that a build made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Layer {
    /// The digest of the image that it is part of.
    pub image: String,
    /// The platform of that.
    pub platform: String,
    /// What it holds.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Bytes, compressed.
    pub size: i64,
    /// Whether it was there already.
    pub cached: bool,
}

impl Store {
    /// Keeps what an event tells, `now` in seconds since the build began.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn keep(&self, build: i64, now: f64, event: &Event) -> Result<()> {
        let kept = match event {
            Event::StepStarted { step, why, part_of } => {
                self.begin_step(build, step, why, part_of.as_deref(), now).await
            }
            Event::StepSkipped { step, why, .. } => self.skip_step(build, step, why, now).await,
            Event::StepFinished { step, outcome, seconds } => {
                self.end_step(build, step, outcome, *seconds, now).await
            }
            Event::Crate { fresh: false, .. } => self.keep_crate(build, event).await,
            Event::Artifact { path, size, sha256 } => {
                let row = sqlx::query("INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?)");
                let row = row.bind(build).bind(path).bind(size).bind(sha256);
                row.execute(&self.pool).await.map(drop)
            }
            Event::Image { .. } => self.keep_image(build, event).await,
            Event::Release(release) => self.keep_finding(build, "release", release).await,
            Event::Registry(registry) => self.keep_finding(build, "registry", registry).await,
            _ => Ok(()),
        };
        kept.context("cannot keep what the build told")
    }

    /// Notes that so many more crates of a step were there already.
    pub async fn add_fresh(&self, build: i64, step: &str, count: i64) -> Result<()> {
        let row = sqlx::query("UPDATE steps SET fresh = fresh + ? WHERE build_id = ? AND name = ?");
        let row = row.bind(count).bind(build).bind(step);
        row.execute(&self.pool).await.map(drop).context("cannot keep what the build told")
    }

    /// The steps of a build, in the order in which they began.
    pub async fn steps(&self, build: i64) -> Result<Vec<Step>> {
        let rows = sqlx::query_as(
            "SELECT name, part_of, why, started, seconds, outcome, fresh FROM steps WHERE build_id = ?
             ORDER BY started, name",
        );
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the steps")
    }

    /// The layers of the images that a build made, lowest first.
    pub async fn layers(&self, build: i64) -> Result<Vec<Layer>> {
        let rows = sqlx::query_as(
            "SELECT image, platform, name, digest, size, cached FROM layers WHERE build_id = ?
             ORDER BY image, platform, position",
        );
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the layers")
    }

    async fn begin_step(
        &self,
        build: i64,
        name: &str,
        why: &str,
        part_of: Option<&str>,
        started: f64,
    ) -> sqlx::Result<()> {
        let row = sqlx::query(
            "INSERT OR REPLACE INTO steps (build_id, name, part_of, why, started) VALUES (?, ?, ?, ?, ?)",
        );
        row.bind(build).bind(name).bind(part_of).bind(why).bind(started).execute(&self.pool).await.map(drop)
    }

    async fn skip_step(&self, build: i64, name: &str, why: &str, started: f64) -> sqlx::Result<()> {
        let row = sqlx::query(
            "INSERT OR REPLACE INTO steps (build_id, name, why, started, seconds, outcome) VALUES (?, ?, ?, ?, 0, 'skipped')",
        );
        row.bind(build).bind(name).bind(why).bind(started).execute(&self.pool).await.map(drop)
    }

    async fn end_step(
        &self,
        build: i64,
        name: &str,
        outcome: &str,
        seconds: f64,
        now: f64,
    ) -> sqlx::Result<()> {
        // Of a vertex, BuildKit's clock tells how long it took, without what it waited; when is known from its end.
        let row = sqlx::query(
            "UPDATE OR IGNORE steps SET outcome = ?1, seconds = ?2,
                 started = CASE WHEN part_of IS NULL THEN started ELSE max(started, ?5 - ?2) END
             WHERE build_id = ?3 AND name = ?4",
        );
        let row = row.bind(outcome).bind(seconds).bind(build).bind(name).bind(now);
        row.execute(&self.pool).await.map(drop)
    }

    async fn keep_crate(&self, build: i64, event: &Event) -> sqlx::Result<()> {
        let Event::Crate { step, package, version, target, kind, started, finished, outcome, .. } = event
        else {
            return Ok(());
        };
        // Cargo counts from the step's beginning.
        let row = sqlx::query(
            "INSERT INTO crates
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, began + ?7, began + ?8, ?9
             FROM (SELECT coalesce((SELECT started FROM steps WHERE build_id = ?1 AND name = ?2), 0) AS began)",
        );
        let row = row.bind(build).bind(step).bind(package).bind(version).bind(target).bind(kind);
        row.bind(started).bind(finished).bind(outcome).execute(&self.pool).await.map(drop)
    }

    async fn keep_image(&self, build: i64, event: &Event) -> sqlx::Result<()> {
        let Event::Image { backend, tags, digest, platforms, push } = event else { return Ok(()) };
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)");
        let size: i64 = platforms.iter().map(|platform| platform.size).sum();
        row.bind(build).bind(digest).bind(tags.join(" ")).bind(size).execute(&mut *transaction).await?;
        for PlatformImage { platform, layers, .. } in platforms {
            for (position, layer) in (0_i64..).zip(layers) {
                let row = sqlx::query("INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
                let row = row.bind(build).bind(digest).bind(platform).bind(position);
                let row = row.bind(&layer.name).bind(&layer.digest).bind(layer.size).bind(layer.cached);
                row.execute(&mut *transaction).await?;
            }
            let row = sqlx::query("INSERT OR IGNORE INTO platforms VALUES (?, ?)").bind(platform).bind(build);
            row.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        match push {
            Some(push) => self.keep_push(build, digest, backend, push).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Request;
    use crate::place::Place;

    #[tokio::test]
    async fn what_a_build_tells_can_be_read_again() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::in_project(project.path()).unwrap()).await.unwrap();
        let id = store.enqueue(&Request::default()).await.unwrap();
        let lines = [
            (1.0, r#"{"event":"step-started","step":"compile","why":"compile it","command":"cargo build"}"#),
            (
                1.5,
                r#"{"event":"crate","step":"compile","package":"a","version":"1.0.0","target":"a","kind":"lib","test":false,"started":0.25,"finished":0.5,"fresh":false,"outcome":"done"}"#,
            ),
            (
                2.0,
                r#"{"event":"step-finished","step":"compile","outcome":"done","exit_code":0,"seconds":1.0}"#,
            ),
            (2.0, r#"{"event":"step-skipped","step":"load","why":"load it","reason":"docker is missing"}"#),
            (
                3.0,
                r#"{"event":"image","tags":["a:1","a:2"],"digest":"sha256:1","platforms":[{"platform":"linux/amd64","digest":"sha256:1","config_digest":"sha256:2","size":7,"layers":[{"name":"base","digest":"sha256:3","size":3,"cached":true},{"name":"binary","digest":"sha256:4","size":4,"cached":false}]}],"path":null,"push":null,"loaded_into":null,"run":[]}"#,
            ),
        ];
        for (seconds, line) in lines {
            store.keep(id, seconds, &Event::parse(line.as_bytes()).unwrap()).await.unwrap();
        }
        let steps = store.steps(id).await.unwrap();
        let outcomes: Vec<_> =
            steps.iter().map(|step| (step.name.as_str(), step.outcome.as_deref())).collect();
        assert_eq!(outcomes, [("compile", Some("done")), ("load", Some("skipped"))]);
        let (started, finished): (f64, f64) =
            sqlx::query_as("SELECT started, finished FROM crates").fetch_one(&store.pool).await.unwrap();
        assert_eq!((started, finished), (1.25, 1.5));
        let layers = store.layers(id).await.unwrap();
        assert_eq!(layers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [3, 4]);
    }
}
