//! What the service is put through: a file a scenario.

mod crash;
mod halfopen;
mod health;
mod memory;
mod musl;
mod outage;
mod overload;
mod read;
mod start;
mod term;

use std::time::Duration;

use anyhow::{Context, Result};
use db_servers::{Backend, Source};

use crate::flags::Scenario;
use crate::http::{Request, succeed};
use crate::report::{Report, Section, word_for};
use crate::say;
use crate::service::Service;
use crate::soak::Soak;

/// Runs a scenario with every database that it is about.
pub(crate) async fn run(scenario: Scenario, soak: &Soak, report: &mut Report) {
    for backend in backends(scenario, soak) {
        say(&format!("        {} {backend}", word_for(scenario)));
        let mut section = report.section(scenario, Some(*backend));
        if let Some(reason) = obstacle(scenario, *backend, soak) {
            section.skip(reason);
        } else if let Err(error) = measure(scenario, soak, *backend, &mut section).await {
            section.fail(format!("{error:#}"));
        }
    }
}

async fn measure(scenario: Scenario, soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    match scenario {
        Scenario::Health => health::run(soak, backend, section).await,
        Scenario::Read => read::run(soak, backend, section).await,
        Scenario::Overload => overload::run(soak, backend, section).await,
        Scenario::Halfopen => halfopen::run(soak, backend, section).await,
        Scenario::Term => term::run(soak, backend, section).await,
        Scenario::Outage => outage::run(soak, backend, section).await,
        Scenario::Crash => crash::run(soak, backend, section).await,
        Scenario::Memory => memory::run(soak, backend, section).await,
        Scenario::Start => start::run(soak, backend, section).await,
        Scenario::Musl => musl::run(soak, backend, section).await,
    }
}

/// The databases that a scenario is about. What they make no difference to is seen with the first.
fn backends(scenario: Scenario, soak: &Soak) -> &[Backend] {
    match scenario {
        Scenario::Read | Scenario::Outage | Scenario::Crash => &soak.backends,
        _ => &soak.backends[..1],
    }
}

/// Why this machine cannot do it.
fn obstacle(scenario: Scenario, backend: Backend, soak: &Soak) -> Option<String> {
    let source = match db_servers::find(backend) {
        Ok(source) => source,
        Err(missing) => return Some(missing.to_string()),
    };
    match (scenario, source) {
        (Scenario::Outage, Source::File) => Some("a file is not gone for a while".to_owned()),
        (Scenario::Outage | Scenario::Crash, Source::Url(url)) => {
            Some(format!("the server of {} is not ours to kill", url.variable))
        }
        (Scenario::Start, Source::Programs(_) | Source::Container(_) | Source::Url(_)) => {
            Some("the limit is for SQLite".to_owned())
        }
        (Scenario::Musl, _) if soak.musl.is_none() => {
            Some("no musl target: `cargo xtask doctor` shows what is missing".to_owned())
        }
        _ => None,
    }
}

/// About how many minutes it all takes.
pub(crate) fn minutes(scenarios: &[Scenario], soak: &Soak) -> u64 {
    let comparison = 2 * soak.rounds * (soak.time + Duration::from_secs(1));
    let times = scenarios.iter().map(|scenario| {
        let each = match scenario {
            Scenario::Health | Scenario::Read => comparison,
            Scenario::Musl => 2 * comparison,
            Scenario::Overload => soak.time,
            Scenario::Halfopen => soak.rounds * (soak.time + halfopen::LIMIT),
            Scenario::Term => Duration::from_secs(40),
            Scenario::Outage => 2 * outage::TIME,
            Scenario::Crash => Duration::from_secs(60),
            Scenario::Memory => memory::TIME,
            Scenario::Start => Duration::from_secs(5),
        };
        let able = |backend: &&Backend| obstacle(*scenario, **backend, soak).is_none();
        each * u32::try_from(backends(*scenario, soak).iter().filter(able).count()).unwrap_or(1)
    });
    times.sum::<Duration>().as_secs().div_ceil(60)
}

/// Creates a note, and returns the request that reads it.
async fn create_note(service: &Service) -> Result<(String, Request)> {
    let answer = succeed(service.address, &Request::create("A note to read")).await?;
    let path = answer.header("location").context("a note was created, and nobody said where")?.to_owned();
    let request = Request::get(&path);
    Ok((path, request))
}
