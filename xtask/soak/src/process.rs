//! What the kernel tells of a process and of the machine, where it is Linux: [proc(5)](https://man7.org/linux/man-pages/man5/proc.5.html).

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Serialize;

/// Ticks a second in /proc: the same on every Linux that programs can tell.
const TICKS: f64 = 100.0;

/// The memory that a process has of the machine, in KiB.
pub(crate) fn resident_kib(pid: u32) -> Option<u64> {
    kib(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

/// The time that a process has spent on all cores.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    cpu_time_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Its own time and that of the kernel for it are fields 14 and 15. The second is the program's name in parentheses.
fn cpu_time_of(stat: &str) -> Option<Duration> {
    let fields = stat.rsplit_once(')')?.1.split_whitespace().collect::<Vec<_>>();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / TICKS))
}

fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The machine that everything runs on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// Its memory in MiB.
    pub(crate) memory_mib: Option<u64>,
    /// The name of its processor.
    pub(crate) processor: Option<String>,
    /// How many processes wanted to run in the last minute before: what figures are worth.
    pub(crate) load: Option<f64>,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn this() -> Machine {
        let read = |path| fs::read_to_string(path).ok();
        let processor = read("/proc/cpuinfo").and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: read("/proc/meminfo").and_then(|text| kib(&text, "MemTotal:")).map(|kib| kib / 1024),
            processor,
            load: read("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores", self.cores)?;
        if let Some(mib) = self.memory_mib {
            write!(f, ", {:.0} GiB of memory", mib as f64 / 1024.0)?;
        }
        if let Some(processor) = &self.processor {
            write!(f, ", {processor}")?;
        }
        match self.load {
            Some(load) => write!(f, "; load average before: {load}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 99";
        assert_eq!(cpu_time_of(stat), Some(Duration::from_secs(3)));
        assert_eq!(kib("VmPeak:\t  9 kB\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_a_machine() {
        assert!(resident_kib(std::process::id()).is_some_and(|kib| kib > 100));
        assert!(cpu_time(std::process::id()).is_some());
        assert!(Machine::this().memory_mib.is_some_and(|mib| mib > 100));
    }
}
