//! What a run costs. What Docker's daemon does is no child of ours, so all but the time is of the whole machine: it has to
//! be quiet otherwise, which is looked at before.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::command::Runner;
use crate::machine::available_kib;

/// Ticks a second in /proc: the same on every Linux that programs can tell.
const TICKS: f64 = 100.0;
/// How often the memory in use is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Something that is measured. Its word is in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quantity {
    /// Wall-clock time in seconds.
    Seconds,
    /// Seconds that all cores together were busy with anything, as /proc/stat has them.
    Cpu,
    /// Those of them that our own children took, and what they waited for: no daemon among them.
    CpuChildren,
    /// By how many MiB the memory that is available on the machine fell at most.
    Memory,
    /// MB that the machine wrote to its disks, until all was written.
    Written,
    /// Bytes that went to the registry, with all of HTTP.
    Sent,
    /// Bytes of all compressed layers.
    Size,
    /// Number of layers.
    Layers,
    /// Milliseconds from the start of the container's process until the first request was answered.
    Process,
}

impl Quantity {
    /// What it is called in tables, with its unit.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Quantity::Seconds => "seconds",
            Quantity::Cpu => "CPU seconds",
            Quantity::CpuChildren => "of own children",
            Quantity::Memory => "MiB of memory",
            Quantity::Written => "MB written",
            Quantity::Sent => "bytes sent",
            Quantity::Size => "bytes",
            Quantity::Layers => "layers",
            Quantity::Process => "ms to an answer",
        }
    }

    /// A value of it, with as many digits as mean something.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Quantity::Seconds | Quantity::Cpu | Quantity::CpuChildren if value < 100.0 => {
                format!("{value:.2}")
            }
            Quantity::Written if value < 100.0 => format!("{value:.1}"),
            Quantity::Process => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        }
    }
}

/// What one run came to.
pub(crate) type Sample = BTreeMap<Quantity, f64>;

/// What the kernel counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Seconds that cores were busy, all together.
    pub(crate) busy: f64,
    /// Seconds that children of this process took that have ended.
    children: f64,
    /// KiB handed to disks.
    written_kib: f64,
}

impl Counters {
    /// What they are now; 0 where the system does not tell.
    pub(crate) fn now() -> Counters {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Counters {
            busy: busy(&read("/proc/stat")),
            children: children(&read("/proc/self/stat")),
            written_kib: number_after(&read("/proc/vmstat"), "pgpgout "),
        }
    }
}

/// The first line has what all cores did: user, nice, system, idle, iowait, irq, softirq, steal, … Guests are in user.
fn busy(stat: &str) -> f64 {
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks = fields.map(|field| field.parse().unwrap_or(0.0)).collect::<Vec<f64>>();
    [0, 1, 2, 5, 6].iter().filter_map(|index| ticks.get(*index)).sum::<f64>() / TICKS
}

/// Fields 16 and 17 are the times of children that were waited for. The second is the program's name in parentheses.
fn children(stat: &str) -> f64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
}

fn number_after(text: &str, name: &str) -> f64 {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default()
}

/// Measures `commands`, one after the other.
///
/// # Errors
/// When one of them fails, or is interrupted.
pub(crate) fn measure(runner: &Runner, commands: Vec<Command>) -> Result<Sample> {
    // What was written before is not this run's burden.
    rustix::fs::sync();
    let (before, memory) = (Counters::now(), Memory::watch());
    let began = Instant::now();
    for command in commands {
        runner.run(command)?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = Counters::now();
    let memory = memory.peak_mib();
    rustix::fs::sync();
    let written = Counters::now().written_kib - before.written_kib;
    Ok(Sample::from([
        (Quantity::Seconds, seconds),
        (Quantity::Cpu, after.busy - before.busy),
        (Quantity::CpuChildren, after.children - before.children),
        (Quantity::Memory, memory),
        (Quantity::Written, written * 1024.0 / 1e6),
    ]))
}

/// Looks at the memory over and over, in a thread of its own.
struct Memory {
    before: u64,
    least: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Memory {
    fn watch() -> Memory {
        let before = available_kib().unwrap_or_default();
        let (least, is_over) = (Arc::new(AtomicU64::new(before)), Arc::new(AtomicBool::new(false)));
        let thread = thread::spawn({
            let (least, is_over) = (Arc::clone(&least), Arc::clone(&is_over));
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    if let Some(kib) = available_kib() {
                        least.fetch_min(kib, Ordering::Relaxed);
                    }
                    thread::sleep(INTERVAL);
                }
            }
        });
        Memory { before, least, is_over, thread }
    }

    fn peak_mib(self) -> f64 {
        self.is_over.store(true, Ordering::Relaxed);
        // It only reads and sleeps.
        let _ = self.thread.join();
        self.before.saturating_sub(self.least.load(Ordering::Relaxed)) as f64 / 1024.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_kernel_are_read() {
        let stat = "cpu  100 20 30 4000 500 6 7 8 9 10\ncpu0 1 2 3 4\n";
        assert_eq!(busy(stat), 1.63);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 1 2 250 50 20 0 3 0 99";
        assert_eq!(children(stat), 3.0);
        assert_eq!(number_after("pgpgin 1\npgpgout 77\n", "pgpgout "), 77.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_run_costs_what_it_takes() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner::plain(folder.path());
        let mut command = Command::new("sh");
        let script =
            "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; head -c 30000000 /dev/urandom >file";
        command.args(["-c", script]).current_dir(folder.path());
        let sample = measure(&runner, vec![command]).unwrap();
        let children = sample[&Quantity::CpuChildren];
        assert!(children > 0.05 && sample[&Quantity::Cpu] > 0.8 * children, "{sample:?}");
        assert!(sample[&Quantity::Seconds] > 0.05, "{sample:?}");
    }
}
