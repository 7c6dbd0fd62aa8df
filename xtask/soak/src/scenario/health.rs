//! Health: the least that the service can do, so that what is measured is how it takes connections and requests.

use anyhow::Result;
use db_servers::Backend;

use crate::compare::{Side, alternate};
use crate::figure::Figure;
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (database, service) = soak.start(backend, &[]).await?;
    let bare = Service::start(&soak.bare(backend), database.url(), &[]).await?;

    let ours = Side { name: "service", service: &service };
    let plain = Side { name: "plain axum", service: &bare };
    let [ours, plain] = alternate(soak, "/healthz", [&ours, &plain]).await?;

    let (ratio, detail) = ours.throughput_beside(&plain);
    section.add(Figure::ratio("throughput, of plain axum's", ratio).at_least(0.6).detail(detail));
    let (ratio, detail) = ours.p99_beside(&plain);
    section.add(Figure::ratio("p99, of plain axum's", ratio).at_most(3.0).detail(detail));
    let (ratio, detail) = ours.cpu_beside(&plain);
    section.add(Figure::ratio("time on the cores, of plain axum's", ratio).detail(detail));
    Ok(())
}
