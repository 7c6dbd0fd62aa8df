//! The database is gone for half a minute: killed, and made to stand still, which leaves its connections open.

use std::time::{Duration, Instant};

use anyhow::Result;
use db_servers::Backend;
use tokio::time::sleep;

use super::create_note;
use crate::crowd::{Crowd, Sample, outcomes};
use crate::figure::Figure;
use crate::http::Request;
use crate::report::Section;
use crate::soak::Soak;

/// How long there is no database.
const GONE: Duration = Duration::from_secs(30);
/// How long all is well before.
const BEFORE: Duration = Duration::from_secs(3);
/// How long reads go on after it is back.
const AFTER: Duration = Duration::from_secs(10);
/// One way to be gone, in all.
pub(super) const TIME: Duration = GONE.saturating_add(BEFORE).saturating_add(AFTER);
/// Clients that read, and how often each does: more than the service has connections to its database.
const READERS: (u32, Duration) = (16, Duration::from_millis(100));
const PROBE: Duration = Duration::from_millis(100);

/// How a database can be gone.
#[derive(Clone, Copy)]
enum Gone {
    Killed,
    Paused,
}

/// What clients saw.
struct Seen {
    probes: Vec<Sample>,
    reads: Vec<Sample>,
    gone: Instant,
    /// Just before it was brought back.
    returning: Instant,
    back: Instant,
    is_same_process: bool,
}

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    for gone in [Gone::Killed, Gone::Paused] {
        let how = match gone {
            Gone::Killed => "killed",
            Gone::Paused => "paused",
        };
        let Seen { probes, reads, gone, returning, back, is_same_process } =
            watch(soak, backend, gone).await?;

        let unwell = probes.iter().filter(|sample| sample.outcome != Ok(200)).collect::<Vec<_>>();
        let detail = format!("of {}; {}", probes.len(), outcomes(unwell.iter().copied()));
        section.add(Figure::none(&format!("{how}: /healthz not 200"), unwell.len()).detail(detail));

        // What was on its way when it went or came back may have been answered by either.
        let meanwhile = reads.iter().filter(|sample| sample.began > gone && sample.ended() < returning);
        let meanwhile = meanwhile.collect::<Vec<_>>();
        let others = meanwhile.iter().filter(|sample| sample.outcome != Ok(503)).count();
        let detail = outcomes(meanwhile.iter().copied());
        section.add(Figure::none(&format!("{how}: reads meanwhile not 503"), others).detail(detail));
        let slowest = reads.iter().map(|sample| sample.took).max().unwrap_or_default();
        section.add(Figure::seconds(&format!("{how}: slowest read"), slowest).at_most(3.0));

        let recovered = reads.iter().filter(|sample| sample.outcome != Ok(200)).map(Sample::ended).max();
        let recovery = recovered.map_or(Duration::ZERO, |at| at.saturating_duration_since(back));
        section.add(Figure::seconds(&format!("{how}: until all reads are 200 again"), recovery).at_most(5.0));
        section.add(Figure::none(&format!("{how}: restarts"), usize::from(!is_same_process)));
    }
    Ok(())
}

async fn watch(soak: &Soak, backend: Backend, how: Gone) -> Result<Seen> {
    let (mut database, mut service) = soak.start(backend, &[]).await?;
    let (_, read) = create_note(&service).await?;
    let probes = Crowd::start(service.address, 1, PROBE, |_| Request::get("/healthz"))?;
    let reads = Crowd::start(service.address, READERS.0, READERS.1, move |_| read.clone())?;
    sleep(BEFORE).await;

    match how {
        Gone::Killed => database.kill()?,
        Gone::Paused => database.pause()?,
    }
    let gone = Instant::now();
    sleep(GONE).await;
    let returning = Instant::now();
    match how {
        Gone::Killed => database.start_again()?,
        Gone::Paused => database.resume()?,
    }
    let back = Instant::now();
    sleep(AFTER).await;

    Ok(Seen {
        probes: probes.finish().await?,
        reads: reads.finish().await?,
        gone,
        returning,
        back,
        is_same_process: service.try_wait()?.is_none(),
    })
}
