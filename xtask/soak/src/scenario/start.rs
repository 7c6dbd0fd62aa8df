//! From the start of the process to the first 200 of `/readyz`, with a database that has its tables already.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use db_servers::Backend;

use crate::figure::Figure;
use crate::http::{Request, call};
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;
use crate::stats::median;

const TIMES: usize = 21;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (database, first) = soak.start(backend, &[]).await?;
    drop(first);

    let mut times = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let service = Service::start(&soak.app(backend), database.url(), &[]).await?;
        while call(service.address, &Request::get("/readyz")).await?.status != 200 {
            if began.elapsed() > PATIENCE {
                bail!("the service does not become ready:\n{}", service.log());
            }
        }
        times.push(began.elapsed().as_secs_f64());
    }
    let slowest = times.iter().copied().fold(0.0, f64::max) * 1000.0;
    let middle = Duration::from_secs_f64(median(times));
    section.add(
        Figure::milliseconds("start to ready", middle)
            .at_most(50.0)
            .detail(format!("median of {TIMES}; slowest {slowest:.1} ms")),
    );
    Ok(())
}
