//! How busy each core of the machine is while a run goes on, from the kernel's counters.

use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;

/// How often the counters are read.
const INTERVAL: Duration = Duration::from_millis(200);
/// How many points in time are shown; more would be less than a pixel each.
const MAX_POINTS: usize = 400;

/// Reads the counters in a thread of its own until it is stopped.
pub(super) struct Sampler {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Sample>>,
}

/// What the counters say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Since the run began.
    time: Duration,
    cores: Vec<Core>,
}

/// A core since the machine was started, in ticks of the kernel's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Core {
    busy: u64,
    all: u64,
}

/// How busy the cores were.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Usage {
    /// Between which points in time, in seconds since the run began: one more than there are shares.
    times: Vec<f64>,
    /// For each core the share in which it was busy between two points, in percent.
    cores: Vec<Vec<u8>>,
    /// For each core the share in which it was idle in all, in percent.
    idle: Vec<u8>,
}

impl Sampler {
    /// Begins, where the kernel has such counters: on Linux.
    pub(super) fn start() -> Option<Sampler> {
        let began = Instant::now();
        let first = read(began)?;
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || collect(first, began, &stopped));
        Some(Sampler { stop, thread })
    }

    /// Ends; none when the run was too short to tell.
    pub(super) fn stop(self) -> Option<Usage> {
        drop(self.stop);
        Usage::of(&self.thread.join().ok()?)
    }
}

fn collect(first: Sample, began: Instant, stopped: &Receiver<()>) -> Vec<Sample> {
    let mut samples = vec![first];
    loop {
        let is_over = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        samples.extend(read(began));
        if is_over {
            return samples;
        }
    }
}

fn read(began: Instant) -> Option<Sample> {
    let cores = cores(&fs::read_to_string("/proc/stat").ok()?);
    (!cores.is_empty()).then(|| Sample { time: began.elapsed(), cores })
}

/// The cores in [/proc/stat](https://man7.org/linux/man-pages/man5/proc_stat.5.html), in its order.
fn cores(text: &str) -> Vec<Core> {
    let of_a_core = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let core = |line: &str| {
        // user nice system idle iowait irq softirq steal; what guests took is in the first two.
        let ticks = line.split_whitespace().skip(1).take(8).map_while(|word| word.parse::<u64>().ok());
        let ticks = ticks.collect::<Vec<_>>();
        let all = ticks.iter().sum::<u64>();
        Core { busy: all - ticks.iter().skip(3).take(2).sum::<u64>(), all }
    };
    text.lines().filter(of_a_core).map(core).collect()
}

impl Usage {
    /// What `samples` say, as finely as it is shown.
    fn of(samples: &[Sample]) -> Option<Usage> {
        let (first, last) = (samples.first()?, samples.last()?);
        let count = samples.iter().map(|sample| sample.cores.len()).min()?;
        let step = samples.len().div_ceil(MAX_POINTS);
        // The counters go on between those that are left out, so that the shares stay exact.
        let mut points = samples.iter().step_by(step).collect::<Vec<_>>();
        if !(samples.len() - 1).is_multiple_of(step) {
            points.push(last);
        }
        if points.len() < 2 {
            return None;
        }
        let shares = |core: usize| points.windows(2).map(move |pair| busy(pair[0], pair[1], core)).collect();
        Some(Usage {
            times: points.iter().map(|point| (point.time.as_secs_f64() * 1000.0).round() / 1000.0).collect(),
            cores: (0..count).map(shares).collect(),
            idle: (0..count).map(|core| 100 - busy(first, last, core)).collect(),
        })
    }
}

/// The share in which a core was busy between two samples, in percent.
fn busy(from: &Sample, to: &Sample, core: usize) -> u8 {
    let (from, to) = (from.cores[core], to.cores[core]);
    // Counters have been seen to go backwards, where a core was taken away and given back.
    let (busy, all) = (to.busy.saturating_sub(from.busy), to.all.saturating_sub(from.all));
    u8::try_from((busy * 100).checked_div(all).unwrap_or_default().min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(millis: u64, cores: &[(u64, u64)]) -> Sample {
        let cores = cores.iter().map(|(busy, all)| Core { busy: *busy, all: *all }).collect();
        Sample { time: Duration::from_millis(millis), cores }
    }

    #[test]
    fn counters_of_each_core_are_read() {
        let text = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 1 5 80 4 0 0 0 3 0\ncpu11 1 1 1 1 1 1 1 1\nintr 5 0\n";
        assert_eq!(cores(text), [Core { busy: 16, all: 100 }, Core { busy: 6, all: 8 }]);
        assert_eq!(cores("intr 5 0"), []);
    }

    #[test]
    fn shares_are_those_between_two_samples() {
        let samples = [
            sample(0, &[(100, 1000), (0, 0)]),
            sample(200, &[(110, 1020), (0, 20)]),
            sample(400, &[(110, 1040), (5, 40)]),
        ];
        let usage = Usage::of(&samples).unwrap();
        assert_eq!(usage.times, [0.0, 0.2, 0.4]);
        assert_eq!(usage.cores, [[50, 0], [0, 25]]);
        assert_eq!(usage.idle, [75, 88]);
        assert_eq!(Usage::of(&samples[..1]), None);
    }

    #[test]
    fn a_long_run_is_shown_more_coarsely_and_to_its_end() {
        let samples = (0..1000).map(|n| sample(n * 200, &[(n * 5, n * 20)])).collect::<Vec<_>>();
        let usage = Usage::of(&samples).unwrap();
        assert_eq!(usage.times.len(), 334);
        assert_eq!(usage.times.last(), Some(&199.8));
        assert!(usage.cores[0].iter().all(|share| *share == 25), "{usage:?}");
        assert_eq!(usage.cores[0].len() + 1, usage.times.len());
    }
}
