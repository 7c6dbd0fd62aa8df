//! The machine that everything runs on, and whether it has time: [proc(5)](https://man7.org/linux/man-pages/man5/proc.5.html).

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::command::output_of;
use crate::measure::Counters;

/// How long the machine is watched before something is measured.
const WATCHED: Duration = Duration::from_secs(1);
/// The share of all cores that others may use meanwhile.
const QUIET: f64 = 0.1;

/// What figures depend on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// The name of the processor.
    pub(crate) processor: Option<String>,
    /// Memory in MiB.
    pub(crate) memory_mib: Option<u64>,
    /// The kernel's version.
    pub(crate) kernel: Option<String>,
    /// What the folder is stored on that is worked in: device and file system.
    pub(crate) storage: Option<String>,
    /// Docker's version and image store; none where it does not run.
    pub(crate) docker: Option<String>,
    /// The compiler of the host.
    pub(crate) rustc: Option<String>,
}

impl Machine {
    /// This machine. `folder` is where builds are made.
    pub(crate) fn this(folder: &std::path::Path) -> Machine {
        let read = |path| fs::read_to_string(path).ok();
        let processor = read("/proc/cpuinfo").and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        let folder = folder.to_string_lossy();
        let storage = output_of("df", &["--output=source,fstype", &folder]);
        Machine {
            cores: thread::available_parallelism().map_or(1, usize::from),
            processor,
            memory_mib: kib("MemTotal:").map(|kib| kib / 1024),
            kernel: output_of("uname", &["-sr"]),
            storage: storage.and_then(|text| {
                let line = text.lines().nth(1)?;
                Some(line.split_whitespace().collect::<Vec<_>>().join(", "))
            }),
            docker: output_of("docker", &["info", "--format", "{{.ServerVersion}}, {{.Driver}}"]),
            rustc: output_of("rustc", &["--version"]),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores", self.cores)?;
        if let Some(processor) = &self.processor {
            write!(f, " of {processor}")?;
        }
        if let Some(mib) = self.memory_mib {
            write!(f, ", {:.0} GiB of memory", mib as f64 / 1024.0)?;
        }
        for fact in [&self.kernel, &self.storage, &self.rustc].into_iter().flatten() {
            write!(f, ", {fact}")?;
        }
        match &self.docker {
            Some(docker) => write!(f, ", Docker {docker}"),
            None => write!(f, ", no Docker"),
        }
    }
}

/// Memory that programs could still get without swapping, in KiB.
pub(crate) fn available_kib() -> Option<u64> {
    kib("MemAvailable:")
}

fn kib(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Watches the machine for a moment. What others do on it, if that is enough to spoil figures.
pub(crate) fn noise() -> Option<String> {
    let before = Counters::now();
    thread::sleep(WATCHED);
    let busy = (Counters::now().busy - before.busy) / WATCHED.as_secs_f64();
    let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
    (busy > QUIET * cores).then(|| format!("others keep {busy:.1} of {cores} cores busy"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_a_kernel() {
        let machine = Machine::this(std::path::Path::new("/tmp"));
        assert!(machine.memory_mib.is_some_and(|mib| mib > 100));
        assert!(machine.kernel.is_some_and(|kernel| kernel.starts_with("Linux ")));
        assert!(machine.storage.is_some_and(|storage| storage.contains(", ")));
        assert!(available_kib().is_some_and(|kib| kib > 1000));
    }
}
