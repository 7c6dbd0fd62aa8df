//! Ten minutes of everything: reads, pages, changes, refusals, clients that come and go, streams. What leaks shows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use db_servers::Backend;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::crowd::{Crowd, Sample};
use crate::figure::Figure;
use crate::http::{Request, connect};
use crate::process::resident_kib;
use crate::report::Section;
use crate::say;
use crate::service::Service;
use crate::soak::Soak;
use crate::stats::median;

/// All of it, with the time to warm up.
pub(super) const TIME: Duration = Duration::from_secs(600);
/// Until then, caches and pools may still fill.
const WARM_UP: Duration = Duration::from_secs(60);
/// How long the same clients stay.
const STAY: Duration = Duration::from_secs(10);
/// How often the process is looked at.
const INTERVAL: Duration = Duration::from_secs(1);
const CLIENTS: u32 = 32;

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (_database, service) = soak.start(backend, &[]).await?;
    let began = Instant::now();
    let (mut first, mut last, mut asked, mut answered) = (Vec::new(), Vec::new(), 0, 0);
    while began.elapsed() < TIME {
        let (sizes, samples) = stay(&service, asked).await?;
        service.empty_log()?;
        asked += samples.len() as u64;
        if began.elapsed() < WARM_UP {
            continue;
        }
        answered += samples.iter().filter(|sample| sample.outcome.is_ok()).count();
        say(&format!("        after {:>3.0?}: {:.1} MiB", began.elapsed(), median(sizes.clone()) / 1024.0));
        // One look is a matter of luck: the median of those at the same clients.
        if first.is_empty() {
            first = sizes;
        } else {
            last = sizes;
        }
    }
    let (first, last) = (median(first), median(last));
    section.add(
        Figure::percent("growth of the resident set", (last / first - 1.0) * 100.0).at_most(5.0).detail(
            format!(
                "{:.1} MiB after a minute, {:.1} MiB after ten; {answered} requests",
                first / 1024.0,
                last / 1024.0
            ),
        ),
    );
    Ok(())
}

/// Lets clients come, stay for a while, and go, after others made `asked` requests. Returns the sizes of the process
/// meanwhile, in KiB, and what they did.
async fn stay(service: &Service, asked: u64) -> Result<(Vec<f64>, Vec<Sample>)> {
    let mut stream = connect(service.address).await.context("no stream")?;
    stream.write_all(Request::get("/notes/events").bytes()).await?;
    let crowd = Crowd::start(service.address, CLIENTS, Duration::ZERO, move |number| mixed(asked + number))?;
    let (began, mut sizes) = (Instant::now(), Vec::new());
    while began.elapsed() < STAY {
        sleep(INTERVAL).await;
        sizes.push(resident_kib(service.pid()).context("this system does not tell a process's size")? as f64);
    }
    let samples = crowd.finish().await?;
    if !samples.iter().any(|sample| sample.outcome == Ok(200)) {
        bail!("nothing is answered any more:\n{}", service.log());
    }
    Ok((sizes, samples))
}

/// A bit of everything, in a fixed order. Ids rise from 1, so that old notes are deleted as new ones come: a database
/// that grows would fill its caches all the time.
fn mixed(number: u64) -> Request {
    let turn = number / 10;
    match number % 10 {
        0 => Request::create("One of many"),
        1 => Request::delete(&format!("/notes/{}", turn.saturating_sub(50))),
        2 => Request::get("/notes?limit=20"),
        3 => Request::get("/notes/no-number"),
        4 => Request::get("/healthz"),
        _ => Request::get(&format!("/notes/{}", turn.saturating_sub(20))),
    }
}
