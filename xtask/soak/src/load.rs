//! Throughput, measured by wrk or oha. Both outdo any client of ours, and everyone knows their figures.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

/// What the figures are asked for at.
const CONNECTIONS: u32 = 64;

/// Has wrk print what it has measured in a form that can be relied on.
const WRK_SCRIPT: &str = r#"
function done(summary, latency)
  local e = summary.errors
  print(string.format('{"requests":%d,"microseconds":%d,"p99":%d,"failed":%d}', summary.requests, summary.duration,
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"#;

/// What one run has measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Requests answered.
    pub(crate) requests: u64,
    /// Requests answered a second.
    pub(crate) per_second: f64,
    /// The time that 99 of 100 answers took at most.
    pub(crate) p99: Duration,
    /// Requests without an answer, or with one above 399.
    pub(crate) failed: u64,
}

/// A program that makes load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoadTool {
    /// <https://github.com/wg/wrk>
    Wrk,
    /// <https://github.com/hatoo/oha>
    Oha,
}

impl LoadTool {
    /// The first one that this machine has.
    ///
    /// # Errors
    /// When it has none, with the line that installs one.
    pub(crate) async fn find() -> Result<LoadTool> {
        for tool in [LoadTool::Wrk, LoadTool::Oha] {
            let mut command = Command::new(tool.program());
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().await.is_ok() {
                return Ok(tool);
            }
        }
        bail!("neither wrk nor oha is there: `sudo apt-get install wrk`, or `cargo install --locked oha`")
    }

    /// Its name.
    pub(crate) fn program(self) -> &'static str {
        match self {
            LoadTool::Wrk => "wrk",
            LoadTool::Oha => "oha",
        }
    }

    /// Loads `url` for `time`. `folder` is for files that the program needs.
    ///
    /// # Errors
    /// When the program fails.
    pub(crate) async fn run(self, url: &str, time: Duration, folder: &Path) -> Result<Load> {
        let (connections, time) = (CONNECTIONS.to_string(), format!("{}s", time.as_secs()));
        let mut command = Command::new(self.program());
        match self {
            LoadTool::Wrk => {
                let script = folder.join("wrk.lua");
                std::fs::write(&script, WRK_SCRIPT).context("cannot write wrk's script")?;
                command.args(["--threads", "2", "--connections", &connections, "--duration", &time]);
                command.arg("--script").arg(script).arg(url);
            }
            LoadTool::Oha => {
                command.args(["--no-tui", "--output-format", "json", "-c", &connections, "-z", &time, url]);
            }
        }
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
        let output = output.with_context(|| format!("cannot start {}", self.program()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("{} failed:\n{text}{}", self.program(), String::from_utf8_lossy(&output.stderr));
        }
        let parsed = match self {
            LoadTool::Wrk => parse_wrk(&text),
            LoadTool::Oha => parse_oha(&text),
        };
        parsed.with_context(|| format!("{} said something else:\n{text}", self.program()))
    }
}

fn parse_wrk(text: &str) -> Result<Load> {
    #[derive(Deserialize)]
    struct Done {
        requests: u64,
        microseconds: u64,
        p99: u64,
        failed: u64,
    }
    let line = text.lines().rfind(|line| line.starts_with('{')).context("no line of ours")?;
    let done: Done = serde_json::from_str(line)?;
    Ok(Load {
        requests: done.requests,
        per_second: done.requests as f64 / Duration::from_micros(done.microseconds).as_secs_f64(),
        p99: Duration::from_micros(done.p99),
        failed: done.failed,
    })
}

fn parse_oha(text: &str) -> Result<Load> {
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        summary: Summary,
        latency_percentiles: Percentiles,
        status_code_distribution: BTreeMap<u16, u64>,
        error_distribution: BTreeMap<String, u64>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Summary {
        requests_per_sec: f64,
    }
    #[derive(Deserialize)]
    struct Percentiles {
        p99: f64,
    }
    let report: Report = serde_json::from_str(text)?;
    // Requests under way when the time was over are not the service's fault.
    let errors = report.error_distribution.iter().filter(|(name, _)| *name != "aborted due to deadline");
    let refused = report.status_code_distribution.range(400..).map(|(_, count)| count);
    Ok(Load {
        requests: report.status_code_distribution.values().sum(),
        per_second: report.summary.requests_per_sec,
        p99: Duration::try_from_secs_f64(report.latency_percentiles.p99)?,
        failed: errors.map(|(_, count)| count).chain(refused).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_prints_its_own_lines_first() {
        let text = "Running 1s test @ http://127.0.0.1:1/\n  2 threads and 64 connections\n\
                    {\"requests\":3000,\"microseconds\":1500000,\"p99\":4100,\"failed\":2}\n";
        let load = Load { requests: 3000, per_second: 2000.0, p99: Duration::from_micros(4100), failed: 2 };
        assert_eq!(parse_wrk(text).unwrap(), load);
        assert!(parse_wrk("unable to connect\n").is_err());
    }

    #[test]
    fn oha_counts_answers_by_status_and_what_it_cut_off_itself() {
        let text = r#"{
            "summary": { "successRate": 1.0, "total": 2.0, "requestsPerSec": 500.5 },
            "latencyPercentiles": { "p50": 0.001, "p99": 0.0041, "p99.9": 0.01 },
            "statusCodeDistribution": { "200": 990, "503": 7 },
            "errorDistribution": { "aborted due to deadline": 64, "connection refused": 3 }
        }"#;
        let load = Load { requests: 997, per_second: 500.5, p99: Duration::from_micros(4100), failed: 10 };
        assert_eq!(parse_oha(text).unwrap(), load);
    }
}
