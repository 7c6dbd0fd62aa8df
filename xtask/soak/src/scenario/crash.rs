//! kill -9 amid writes. A note that was acknowledged is there afterwards, and the database is sound.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use db_servers::Backend;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::sleep;
use xtask_db::Server;

use crate::crowd::{Crowd, Sample, outcomes};
use crate::figure::Figure;
use crate::http::{Request, call, succeed};
use crate::integrity;
use crate::report::Section;
use crate::say;
use crate::service::Service;
use crate::soak::Soak;

const TIMES: u64 = 50;
/// Clients that create notes without a pause: more than the service has connections to its database.
const CLIENTS: u32 = 16;
/// How long the service may take to be well again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one that is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Service,
    Database,
}

/// What is crashed over and over, and what is known of it.
struct Trial {
    backend: Backend,
    database: Server,
    service: Service,
    /// What became of all requests that should have created a note.
    requests: Vec<Sample>,
    /// Titles of the notes that a client was told are created.
    acknowledged: BTreeSet<String>,
    defects: Vec<String>,
    /// The longest time from a kill until all was well again.
    slowest: Duration,
}

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (database, service) = soak.start(backend, &[]).await?;
    let mut trial = Trial {
        backend,
        database,
        service,
        requests: Vec::new(),
        acknowledged: BTreeSet::new(),
        defects: Vec::new(),
        slowest: Duration::ZERO,
    };
    for time in 0..TIMES {
        trial.crash(soak, time).await?;
        if (time + 1) % 10 == 0 {
            say(&format!("        {} of {TIMES}: {} acknowledged", time + 1, trial.acknowledged.len()));
        }
    }

    let present = titles(&trial.service).await?;
    let (count, lost) = (trial.acknowledged.len(), trial.acknowledged.difference(&present).count());
    let detail = format!("{TIMES} kills; {}", outcomes(&trial.requests));
    section.add(Figure::count("notes acknowledged", count).at_least(TIMES as f64).detail(detail));
    section.add(Figure::none("acknowledged and lost", lost));
    let detail = trial.defects.join("; ");
    section.add(Figure::none("integrity checks failed", trial.defects.len()).detail(detail));
    let detail = "from kill -9 to the next 200, with the restart";
    section.add(Figure::seconds("slowest return", trial.slowest).detail(detail));
    Ok(())
}

impl Trial {
    /// Kills one of the two while notes are created, starts it again, and looks what is left.
    async fn crash(&mut self, soak: &Soak, time: u64) -> Result<()> {
        let create = move |number| Request::create(&title(time, number));
        let clients = Crowd::start(self.service.address, CLIENTS, Duration::ZERO, create)?;
        sleep(moment(time)).await;
        let killed = Instant::now();
        let victim = victim(self.backend, time);
        match victim {
            Victim::Service => self.service.signal(Signal::KILL)?,
            Victim::Database => self.database.kill()?,
        }
        let samples = clients.finish().await?;
        let created = samples.iter().filter(|sample| sample.outcome == Ok(201));
        self.acknowledged.extend(created.map(|sample| title(time, sample.number)));
        self.requests.extend(samples);

        match victim {
            Victim::Service => {
                self.service.wait(PATIENCE).await?;
                let program = soak.app(self.backend);
                self.service = Service::start(&program, self.database.url(), &[]).await?;
            }
            Victim::Database => self.database.start_again()?,
        }
        wait_until_well(&self.service).await?;
        self.slowest = self.slowest.max(killed.elapsed());
        self.defects.extend(integrity::defect(self.backend, self.database.url()).await?);
        Ok(())
    }
}

/// A file has no server that could be killed; elsewhere they take turns.
fn victim(backend: Backend, time: u64) -> Victim {
    if backend != Backend::Sqlite && time % 2 == 1 { Victim::Database } else { Victim::Service }
}

/// How long writes have gone on when it happens: a different time each time, and the same in each run.
fn moment(time: u64) -> Duration {
    Duration::from_millis(100 + time * 37 % 200)
}

fn title(time: u64, number: u64) -> String {
    format!("{time}-{number}")
}

async fn wait_until_well(service: &Service) -> Result<()> {
    let began = Instant::now();
    loop {
        let answer = call(service.address, &Request::get("/notes?limit=1")).await?;
        if answer.status == 200 {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("the service is not well again after {} s:\n{}", PATIENCE.as_secs(), service.log());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The titles of all notes, read page by page: whatever cannot be read fails.
async fn titles(service: &Service) -> Result<BTreeSet<String>> {
    let (mut titles, mut last) = (BTreeSet::new(), 0);
    loop {
        let path = format!("/notes?limit=100&after={last}");
        let answer = succeed(service.address, &Request::get(&path)).await?;
        let page: Value = serde_json::from_slice(&answer.body).context("a page that is no JSON")?;
        for note in page["notes"].as_array().context("a page without notes")? {
            titles.insert(note["title"].as_str().context("a note without a title")?.to_owned());
            last = note["id"].as_i64().context("a note without an id")?;
        }
        if page["next"].is_null() {
            return Ok(titles);
        }
    }
}
