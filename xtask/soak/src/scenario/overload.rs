//! Four times as many requests at once as the service takes. What is beyond the limit is refused at once; probes are
//! answered all the same, or the platform would restart a service that is only busy.

use std::time::{Duration, Instant};

use anyhow::Result;
use db_servers::Backend;
use tokio::time::sleep;

use super::create_note;
use crate::crowd::{Crowd, Sample, outcomes};
use crate::figure::Figure;
use crate::http::{Request, call};
use crate::report::Section;
use crate::soak::Soak;
use crate::stats::p99;

/// `server.max_requests`: small, so that clients of one thread are too many for it.
const LIMIT: u32 = 64;
/// How often the platform asks; real ones take seconds.
const PROBE: Duration = Duration::from_millis(20);
/// How long is waited for the service to be well again, for a figure to report.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let limit = LIMIT.to_string();
    let (_database, service) = soak.start(backend, &[("SERVER__MAX_REQUESTS", &limit)]).await?;
    let (_, read) = create_note(&service).await?;

    let request = read.clone();
    let clients = Crowd::start(service.address, 4 * LIMIT, Duration::ZERO, move |_| request.clone())?;
    let probe = Crowd::start(service.address, 1, PROBE, |_| Request::get("/healthz"))?;
    sleep(soak.time).await;
    let probes = probe.finish().await?;
    let answers = clients.finish().await?;

    let stopped = Instant::now();
    let mut is_well = false;
    while !is_well && stopped.elapsed() < PATIENCE {
        is_well = call(service.address, &read).await.is_ok_and(|answer| answer.status == 200);
    }
    let recovery = stopped.elapsed();

    let with = |status: u16| answers.iter().filter(|sample| sample.outcome == Ok(status)).count();
    let others = |sample: &&Sample| ![Ok(200), Ok(503)].contains(&sample.outcome);
    section.add(Figure::count("refused", with(503)).at_least(1.0).detail("or it was no overload"));
    section.add(Figure::count("answered 200", with(200)).at_least(1.0));
    let others = answers.iter().filter(others).collect::<Vec<_>>();
    section.add(Figure::none("neither 200 nor 503", others.len()).detail(outcomes(others)));
    let failed = probes.iter().filter(|sample| sample.outcome != Ok(200)).count();
    section.add(Figure::none("/healthz not 200", failed).detail(outcomes(&probes)));
    let times = probes.iter().map(|sample| sample.took);
    section.add(Figure::milliseconds("/healthz p99", p99(times)).at_most(50.0));
    section.add(Figure::seconds("until a read is 200 again", recovery).at_most(1.0));
    Ok(())
}
