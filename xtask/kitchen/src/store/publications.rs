//! Publications: begun, confirmed, gone on with.

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};
use utoipa::ToSchema;

use super::builds::{COLUMNS, enqueue};
use super::{Build, Store};
use crate::build::Request;
use crate::build::request::Task;
use crate::clock;
use crate::publish::{Selection, Stage, State};

/// A publication. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Publication {
    /// Rising, and never given twice.
    pub id: i64,
    /// How it stands with it.
    pub state: State,
    /// What is to be published.
    #[sqlx(try_from = "String")]
    pub selection: Selection,
    /// When it was begun.
    pub begun: i64,
    /// When a person confirmed it.
    pub confirmed: Option<i64>,
    /// When its state became final.
    pub ended: Option<i64>,
    /// What went wrong.
    pub problem: Option<String>,
    /// What the dry run was made from.
    #[serde(skip)]
    pub source: Option<String>,
}

/// A build of a publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Part {
    /// What it is for.
    pub stage: Stage,
    /// The build.
    #[sqlx(flatten)]
    pub build: Build,
}

/// What becomes of a publication.
#[derive(Clone, Debug)]
pub struct Move {
    /// The state that it has to be in.
    pub from: State,
    /// The one that it comes into.
    pub to: State,
    /// What went wrong.
    pub problem: Option<String>,
    /// The builds that are queued for it.
    pub next: Vec<(Stage, Request)>,
}

const FIELDS: &str = "id, state, selection, begun, confirmed, ended, problem, source";

impl Store {
    /// Begins a publication, in the place of one that nobody has confirmed. Gives the number of one that is under way
    /// instead, if there is one.
    ///
    /// # Errors
    /// When the database fails, as in all that follows.
    pub async fn begin_publication(&self, selection: &Selection) -> Result<std::result::Result<i64, i64>> {
        let cannot = "cannot begin the publication";
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.context(cannot)?;
        let replaced =
            sqlx::query("UPDATE publications SET state = 'superseded', ended = ? WHERE state = 'ready'");
        replaced.bind(clock::now()).execute(&mut *transaction).await.context(cannot)?;
        let open = "SELECT id FROM publications WHERE state IN ('preparing', 'pushing', 'verifying')";
        let open: Option<i64> =
            sqlx::query_scalar(open).fetch_optional(&mut *transaction).await.context(cannot)?;
        if let Some(open) = open {
            return Ok(Err(open));
        }
        let row = sqlx::query_scalar(
            "INSERT INTO publications (state, selection, begun) VALUES ('preparing', ?, ?) RETURNING id",
        );
        let row = row.bind(serde_json::to_string(selection)?).bind(clock::now());
        let id = row.fetch_one(&mut *transaction).await.context(cannot)?;
        let release = Request { task: Task::Release, ..Request::default() };
        add(&mut transaction, id, Stage::Release, &release).await?;
        transaction.commit().await.context(cannot)?;
        Ok(Ok(id))
    }

    /// Moves a publication, and queues what comes next. Gives the builds; nothing where it is not in that state any more,
    /// or has such a build already.
    pub async fn move_publication(&self, id: i64, step: &Move) -> Result<Option<Vec<i64>>> {
        let cannot = "cannot go on with the publication";
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.context(cannot)?;
        for (stage, _) in &step.next {
            let row = "SELECT count(*) FROM publication_builds WHERE publication_id = ? AND stage = ?";
            let row = sqlx::query_scalar(row).bind(id).bind(stage);
            let there: i64 = row.fetch_one(&mut *transaction).await.context(cannot)?;
            if there != 0 {
                return Ok(None);
            }
        }
        let row = sqlx::query(
            "UPDATE publications SET state = ?1, problem = ?2, ended = ?3,
                 confirmed = CASE ?1 WHEN 'pushing' THEN ?4 ELSE confirmed END
             WHERE id = ?5 AND state = ?6",
        );
        let (now, is_final) = (clock::now(), step.to.is_final());
        let row = row.bind(step.to).bind(&step.problem).bind(is_final.then_some(now)).bind(now);
        let done = row.bind(id).bind(step.from).execute(&mut *transaction).await.context(cannot)?;
        if done.rows_affected() != 1 {
            return Ok(None);
        }
        let mut builds = Vec::new();
        for (stage, request) in &step.next {
            builds.push(add(&mut transaction, id, *stage, request).await?);
        }
        transaction.commit().await.context(cannot)?;
        Ok(Some(builds))
    }

    /// The latest publications, the last one first.
    pub async fn publications(&self, most: i64) -> Result<Vec<Publication>> {
        let query = format!("SELECT {FIELDS} FROM publications ORDER BY id DESC LIMIT ?");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(most).fetch_all(&self.pool);
        rows.await.context("cannot read the publications")
    }

    /// The publication with this number.
    pub async fn publication(&self, id: i64) -> Result<Option<Publication>> {
        let query = format!("SELECT {FIELDS} FROM publications WHERE id = ?");
        let row = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.pool);
        row.await.context("cannot read the publication")
    }

    /// The publication that a build is for, and what it is for in it.
    pub async fn publication_of(&self, build: i64) -> Result<Option<(Publication, Stage)>> {
        let row = "SELECT publication_id, stage FROM publication_builds WHERE build_id = ?";
        let row = sqlx::query_as(row).bind(build).fetch_optional(&self.pool);
        let found: Option<(i64, Stage)> = row.await.context("cannot read the publication")?;
        let Some((id, stage)) = found else { return Ok(None) };
        Ok(self.publication(id).await?.map(|publication| (publication, stage)))
    }

    /// The builds of a publication, in the order in which they were queued.
    pub async fn parts(&self, publication: i64) -> Result<Vec<Part>> {
        let query = format!(
            "SELECT stage, {COLUMNS} FROM publication_builds JOIN builds ON id = build_id
             WHERE publication_id = ? ORDER BY id"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(publication).fetch_all(&self.pool);
        rows.await.context("cannot read the builds of the publication")
    }

    /// Notes what the dry run of a publication is made from.
    pub async fn note_source(&self, publication: i64, source: &str) -> Result<()> {
        let row =
            sqlx::query("UPDATE publications SET source = ? WHERE id = ?").bind(source).bind(publication);
        row.execute(&self.pool).await.map(drop).context("cannot note what is published")
    }
}

async fn add(database: &mut SqliteConnection, id: i64, stage: Stage, request: &Request) -> Result<i64> {
    let build = enqueue(&mut *database, request).await?;
    let row =
        sqlx::query("INSERT INTO publication_builds (publication_id, stage, build_id) VALUES (?, ?, ?)");
    let row = row.bind(id).bind(stage).bind(build);
    row.execute(database).await.context("cannot keep a build of the publication")?;
    Ok(build)
}
