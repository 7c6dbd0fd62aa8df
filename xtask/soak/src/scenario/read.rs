//! Reading a note through the whole stack, access log included: it goes to a file at its default level.

use anyhow::Result;
use db_servers::Backend;

use super::create_note;
use crate::compare::{Side, alternate};
use crate::figure::Figure;
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (database, service) = soak.start(backend, &[]).await?;
    let bare = Service::start(&soak.bare(backend), database.url(), &[]).await?;
    let (path, _) = create_note(&service).await?;

    let ours = Side { name: "service", service: &service };
    let plain = Side { name: "plain axum", service: &bare };
    let [ours, plain] = alternate(soak, &path, [&ours, &plain]).await?;

    let (ratio, detail) = ours.throughput_beside(&plain);
    let figure = Figure::ratio("throughput, of plain axum's", ratio).detail(detail);
    section.add(match backend {
        Backend::Sqlite | Backend::Postgres => figure.at_least(0.7),
        Backend::Mysql => figure,
    });
    let (ratio, detail) = ours.p99_beside(&plain);
    section.add(Figure::ratio("p99, of plain axum's", ratio).detail(detail));
    let (ratio, detail) = ours.cpu_beside(&plain);
    section.add(Figure::ratio("time on the cores, of plain axum's", ratio).detail(detail));
    Ok(())
}
