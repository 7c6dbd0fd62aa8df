//! The build that is shipped, musl and mimalloc, beside the one for this machine's glibc.

use anyhow::{Context, Result};
use db_servers::Backend;

use super::create_note;
use crate::compare::{Side, alternate};
use crate::figure::Figure;
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let (database, glibc) = soak.start(backend, &[]).await?;
    let program = soak.musl.as_deref().context("there is no build with musl")?;
    let musl = Service::start(program, database.url(), &[]).await?;
    let (path, _) = create_note(&glibc).await?;

    let musl = Side { name: "musl", service: &musl };
    let glibc = Side { name: "glibc", service: &glibc };
    for (name, path) in
        [("health throughput, of glibc's", "/healthz"), ("read throughput, of glibc's", &path)]
    {
        let [ours, other] = alternate(soak, path, [&musl, &glibc]).await?;
        let (ratio, detail) = ours.throughput_beside(&other);
        section.add(Figure::ratio(name, ratio).at_least(0.9).detail(detail));
    }
    Ok(())
}
