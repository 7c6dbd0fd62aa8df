//! The processes below a process. Each may be a session of its own, so that no process group has them all.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// `pid` and its children; the grandchildren are none of a database's business.
pub(super) fn with_children(pid: i32) -> Result<Vec<i32>> {
    let mut all = vec![pid];
    all.extend(table()?.into_iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| child));
    Ok(all)
}

/// Whether any of `pids` is a process that runs.
pub(super) fn is_any_alive(pids: &[i32]) -> Result<bool> {
    Ok(table()?.iter().any(|(pid, _)| pids.contains(pid)))
}

/// Signals a process; one that is gone is no error.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Every process with its parent, without those that are over and only not waited for.
#[cfg(target_os = "linux")]
fn table() -> Result<Vec<(i32, i32)>> {
    let entries = std::fs::read_dir("/proc").context("cannot read /proc")?;
    let row = |name: &std::ffi::OsStr| {
        let pid = name.to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parent_of_living(&stat)?))
    };
    Ok(entries.flatten().filter_map(|entry| row(&entry.file_name())).collect())
}

/// The parent in [/proc/pid/stat](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). The second field is the
/// program's name in parentheses, which may hold anything.
#[cfg(target_os = "linux")]
fn parent_of_living(stat: &str) -> Option<i32> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    (!matches!(fields.next()?, "Z" | "X")).then_some(())?;
    fields.next()?.parse().ok()
}

/// Every process with its parent, without those that are over and only not waited for.
#[cfg(not(target_os = "linux"))]
fn table() -> Result<Vec<(i32, i32)>> {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output();
    let output = output.context("cannot run `ps`")?;
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let (pid, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (!fields.next()?.starts_with('Z')).then_some((pid, parent))
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_found_below_its_parent_until_it_ends() {
        let mut child = Command::new("sleep").arg("10").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(with_children(own).unwrap().contains(&pid));
        assert!(is_any_alive(&[pid]).unwrap());
        signal(pid, Signal::KILL);
        child.wait().unwrap();
        assert!(!is_any_alive(&[pid]).unwrap());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_may_have_any_name_and_the_dead_do_not_count() {
        assert_eq!(parent_of_living("12 (a) b) c) S 34 5 6"), Some(34));
        assert_eq!(parent_of_living("12 (a) Z 34 5 6"), None);
    }
}
