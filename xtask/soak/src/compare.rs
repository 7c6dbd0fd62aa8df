//! Two programs side by side: the same load on one, then on the other, over and over, and the medians of both.
//!
//! A machine is faster at one time than at another, so figures count only beside each other.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::load::{Load, LoadTool};
use crate::process::cpu_time;
use crate::say;
use crate::service::Service;
use crate::soak::Soak;
use crate::stats::median;

/// Before anything counts: connections are opened, code and data come to the caches.
const WARM_UP: Duration = Duration::from_secs(2);

/// A program that is compared.
pub(crate) struct Side<'a> {
    /// What it is called.
    pub(crate) name: &'a str,
    /// The program.
    pub(crate) service: &'a Service,
}

/// The medians of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Medians {
    /// Requests answered a second.
    pub(crate) per_second: f64,
    /// The time that 99 of 100 answers took at most, in seconds.
    pub(crate) p99: f64,
    /// The time that the program spent on a request, on all cores, in seconds; 0 where the system does not tell.
    pub(crate) cpu: f64,
}

/// One measurement.
struct Run {
    load: Load,
    cpu: Duration,
}

/// Measures both in turn, and returns the medians in the same order.
///
/// # Errors
/// When the load cannot be made, or when requests are not answered: then the figures mean nothing.
pub(crate) async fn alternate(soak: &Soak, path: &str, sides: [&Side<'_>; 2]) -> Result<[Medians; 2]> {
    let tool = LoadTool::find().await?;
    for side in sides {
        measure(tool, soak, side, path, WARM_UP).await?;
    }
    let mut runs = [Vec::new(), Vec::new()];
    for round in 1..=soak.rounds {
        for (side, runs) in sides.iter().zip(&mut runs) {
            let run = measure(tool, soak, side, path, soak.time).await?;
            let (rate, p99) = (run.load.per_second, run.load.p99.as_secs_f64() * 1000.0);
            say(&format!("        {path} round {round}, {}: {rate:.0}/s, p99 {p99:.1} ms", side.name));
            runs.push(run);
        }
    }
    Ok(runs.map(|runs| Medians::of(&runs)))
}

async fn measure(tool: LoadTool, soak: &Soak, side: &Side<'_>, path: &str, time: Duration) -> Result<Run> {
    let Side { name, service } = side;
    let spent = || cpu_time(service.pid()).unwrap_or_default();
    let before = spent();
    let load = tool.run(&format!("http://{}{path}", service.address), time, soak.folder()).await?;
    let cpu = spent().saturating_sub(before);
    service.empty_log()?;
    if load.failed > 0 || load.requests == 0 {
        bail!("{name} failed {} of {} requests for {path}", load.failed, load.requests);
    }
    Ok(Run { load, cpu })
}

impl Medians {
    fn of(runs: &[Run]) -> Medians {
        let middle = |figure: &dyn Fn(&Run) -> f64| median(runs.iter().map(figure));
        Medians {
            per_second: middle(&|run| run.load.per_second),
            p99: middle(&|run| run.load.p99.as_secs_f64()),
            cpu: middle(&|run| run.cpu.as_secs_f64() / run.load.requests as f64),
        }
    }

    /// How many times the other's throughput this is, and the two in words.
    pub(crate) fn throughput_beside(&self, other: &Medians) -> (f64, String) {
        let detail = format!("{:.0} beside {:.0} requests a second", self.per_second, other.per_second);
        (self.per_second / other.per_second, detail)
    }

    /// How many times the other's p99 this is, and the two in words.
    pub(crate) fn p99_beside(&self, other: &Medians) -> (f64, String) {
        let detail = format!("{:.1} beside {:.1} ms", self.p99 * 1e3, other.p99 * 1e3);
        (self.p99 / other.p99, detail)
    }

    /// How many times the other's time on the cores this is, and the two in words.
    pub(crate) fn cpu_beside(&self, other: &Medians) -> (f64, String) {
        let detail = format!("{:.1} beside {:.1} µs a request", self.cpu * 1e6, other.cpu * 1e6);
        (self.cpu / other.cpu, detail)
    }
}
