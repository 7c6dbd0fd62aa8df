//! Training: a service that counts what it does answers a bit of everything, so that the compiler learns what is done most.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{PathBuf, absolute};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use db_servers::Backend;
use rustix::process::Signal;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::time::sleep;
use xtask_db::{Options, Server};

use crate::crowd::{Crowd, Sample, outcomes};
use crate::http::{JSON, Request, connect, succeed};
use crate::say;
use crate::service::Service;

/// How long there is load. Counts are in proportion after a few thousand requests.
const TIME: Duration = Duration::from_secs(5);
const CLIENTS: u32 = 32;
/// Notes that stay, to be read and replaced.
const KEPT: u64 = 64;
/// How often that is asked for which nobody asks for all the time.
const RARELY: usize = 8;
/// Longer than the service's own deadline, and than it takes to write what it has counted.
const PATIENCE: Duration = Duration::from_secs(60);
/// The statuses that are among the answers, or the load is not what it is meant to be.
const STATUSES: [u16; 11] = [200, 201, 204, 304, 400, 404, 405, 412, 415, 422, 428];

/// Has a service answer all kinds of requests, and ends it, which has it write what it has counted
#[derive(Debug, Parser)]
pub(crate) struct Train {
    /// Its database
    #[arg(long)]
    backend: Backend,
    /// The service, compiled by `-C profile-generate`
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Where it writes its counts
    #[arg(long, value_name = "FILE")]
    counts: PathBuf,
}

/// Trains.
///
/// # Errors
/// When the service or its database does not start, or the service does not answer as it should, or writes no counts.
pub(crate) async fn run(train: &Train) -> Result<()> {
    // The service is started in a folder of its own.
    let (program, counts) = (absolute(&train.program)?, absolute(&train.counts)?);
    let database = Server::start(train.backend, Options { fast: true })?;
    // As in production.
    let settings = [("LOG__FORMAT", "json")];
    let variables = [("LLVM_PROFILE_FILE", counts.as_os_str())];
    let mut service = Service::start_with(&program, database.url(), &settings, &variables).await?;
    let samples =
        load(&service).await.with_context(|| format!("its log ends with\n{}", end_of(&service.log())))?;

    service.signal(Signal::TERM)?;
    let (status, _) = service.wait(PATIENCE).await?;
    if !status.success() {
        bail!("the service ended with {status}:\n{}", end_of(&service.log()));
    }
    if !counts.is_file() {
        bail!("the service has written no {}: it was not compiled to count", counts.display());
    }
    say(&format!("answered: {}", outcomes(&samples)));
    Ok(())
}

/// Puts the service under load, while a client follows what changes. Returns what became of the load's requests.
async fn load(service: &Service) -> Result<Vec<Sample>> {
    for _ in 0..KEPT {
        succeed(service.address, &Request::create("One to read")).await?;
    }
    rare(service.address, service.admin()?).await?;
    let mut stream = connect(service.address).await.context("no stream")?;
    stream.write_all(Request::get("/notes/events").bytes()).await?;
    tokio::spawn(async move { copy(&mut stream, &mut sink()).await });

    let crowd = Crowd::start(service.address, CLIENTS, Duration::ZERO, mixed)?;
    sleep(TIME).await;
    let samples = crowd.finish().await?;
    let seen = samples.iter().filter_map(|sample| sample.outcome.ok()).collect::<BTreeSet<_>>();
    let is_failure =
        |sample: &Sample| sample.outcome.is_err() || sample.outcome.is_ok_and(|status| status >= 500);
    if seen != BTreeSet::from(STATUSES) || samples.iter().any(is_failure) {
        bail!("not all is answered as it should be: {}", outcomes(&samples));
    }
    Ok(samples)
}

async fn rare(address: SocketAddr, admin: SocketAddr) -> Result<()> {
    for _ in 0..RARELY {
        for path in ["/readyz", "/docs", "/openapi.json"] {
            succeed(address, &Request::get(path)).await?;
        }
        succeed(admin, &Request::get("/metrics")).await?;
    }
    Ok(())
}

/// Mostly what a service does most, reading; the rest in turn.
fn mixed(number: u64) -> Request {
    let turn = number / 20;
    let note = format!("/notes/{}", 1 + number % KEPT);
    match number % 20 {
        0 => Request::create("One of many"),
        // One of those, once there are some.
        1 => Request::delete(&format!("/notes/{}", KEPT + 1 + turn.saturating_sub(50))),
        2 => Request::new("PUT", &note, &format!("{JSON}if-match: *\r\n"), VALID),
        3 | 4 => Request::get("/notes?limit=20"),
        // Compressed answers have no length.
        5 => Request::new("GET", "/notes?limit=20", "accept-encoding: gzip\r\nconnection: close\r\n", ""),
        6 => Request::new("GET", &note, "if-none-match: *\r\n", ""),
        7 => Request::get("/healthz"),
        8 => refused(turn, &note),
        _ => Request::get(&note),
    }
}

const VALID: &str = r#"{"title": "Another title", "body": "Another text"}"#;

/// What is refused, each time for another reason.
fn refused(turn: u64, note: &str) -> Request {
    match turn % 10 {
        0 => Request::get("/notes/no-number"),
        1 => Request::get("/notes/999999999"),
        2 => Request::get("/notes?limit=0"),
        3 => Request::get("/nothing/here"),
        4 => Request::new("PATCH", note, "", ""),
        5 => Request::new("POST", "/notes", JSON, "{"),
        6 => Request::new("POST", "/notes", JSON, r#"{"title": "", "body": ""}"#),
        7 => Request::new("POST", "/notes", "", VALID),
        8 => Request::new("PUT", note, JSON, VALID),
        _ => Request::new("PUT", note, &format!("{JSON}if-match: \"0\"\r\n"), VALID),
    }
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines = log.lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
