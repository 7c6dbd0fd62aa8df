//! Clients that send half a header and fall silent, as those do that want to use up a service's connections.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use db_servers::Backend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::create_note;
use crate::crowd::{Crowd, Sample, outcomes};
use crate::figure::Figure;
use crate::http::{Request, connect};
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;
use crate::stats::{median, p99};

/// Clients that fall silent.
const SILENT: usize = 200;
/// They have to be let go within this time.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// Clients that go on as usual, and how often each asks: 320 requests a second.
const OTHERS: (u32, Duration) = (16, Duration::from_millis(50));

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (_database, service) = soak.start(backend, &[]).await?;
    let (_, read) = create_note(&service).await?;

    let (mut before, mut during) = (Vec::new(), Vec::new());
    let (mut still_open, mut slowest, mut failed) = (0, Duration::ZERO, Vec::new());
    for _ in 0..soak.rounds {
        let crowd = others(&service, &read)?;
        sleep(soak.time).await;
        let samples = crowd.finish().await?;
        before.push(p99_in_ms(&samples));
        failed.extend(samples.into_iter().filter(|sample| sample.outcome != Ok(200)));

        let mut silent = JoinSet::new();
        for _ in 0..SILENT {
            silent.spawn(fall_silent(service.address));
        }
        let crowd = others(&service, &read)?;
        for closed in silent.join_all().await {
            match closed? {
                Some(after) => slowest = slowest.max(after),
                None => still_open += 1,
            }
        }
        let samples = crowd.finish().await?;
        during.push(p99_in_ms(&samples));
        failed.extend(samples.into_iter().filter(|sample| sample.outcome != Ok(200)));
    }

    section.add(
        Figure::none("still open after 30 s", still_open)
            .detail(format!("of {SILENT}, {} times; the last to be closed: {slowest:.1?}", soak.rounds)),
    );
    let (before, during) = (median(before), median(during));
    let detail = format!("{during:.1} beside {before:.1} ms");
    section
        .add(Figure::ratio("p99 of the others, of that before", during / before).at_most(2.0).detail(detail));
    section.add(Figure::none("others not answered 200", failed.len()).detail(outcomes(&failed)));
    Ok(())
}

fn others(service: &Service, read: &Request) -> Result<Crowd> {
    let read = read.clone();
    Crowd::start(service.address, OTHERS.0, OTHERS.1, move |_| read.clone())
}

fn p99_in_ms(samples: &[Sample]) -> f64 {
    p99(samples.iter().map(|sample| sample.took)).as_secs_f64() * 1000.0
}

/// Sends half a header. Returns after how long the server closes the connection; none when it does not in time.
async fn fall_silent(address: std::net::SocketAddr) -> Result<Option<Duration>> {
    let mut stream = connect(address).await.context("no connection for a silent client")?;
    stream.write_all(b"GET /notes HTTP/1.1\r\nhost: soak\r\nx-hal").await?;
    let began = Instant::now();
    // An answer, such as 408, may come first; an error is an end as well.
    let closed = async { while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {} };
    Ok(timeout(LIMIT, closed).await.ok().map(|()| began.elapsed()))
}
