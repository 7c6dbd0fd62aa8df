//! Processes of a build: known by the number of their group, the time of their leader's start, and a variable.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use crate::store::Leader;

/// The variable by which every process of a build is known, also one that has left its group.
pub(super) const VARIABLE: &str = "KITCHEN_BUILD";

/// What tells the processes of a build from those of all others on the machine.
pub(super) fn mark(root: &Path, build: i64) -> String {
    format!("{}#{build}", root.display())
}

/// When the process `pid` started, in ticks since the machine did: field 22 of
/// [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). None where there is no such process, and
/// on systems without `/proc`.
pub(super) fn started(pid: i64) -> Option<i64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, in parentheses, may have blanks and parentheses in it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// Whether the process is the one that was noted, and not a later one with its number.
pub(crate) fn is_alive(leader: Leader) -> bool {
    started(leader.pid) == Some(leader.started)
}

/// Sends a signal to the process, if it is the one that was noted. False where it is not, or nobody can tell.
#[cfg(target_os = "linux")]
pub(super) fn signal_exactly(leader: Leader, signal: Signal) -> bool {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let open = |pid| pidfd_open(pid, PidfdFlags::empty()).ok();
    // What the descriptor means stays the same, whatever gets the number after we have looked.
    let Some(process) = pid(leader.pid).and_then(open) else { return false };
    is_alive(leader) && pidfd_send_signal(process, signal).is_ok()
}

/// Where a process cannot be told from a later one with its number, none is sent.
#[cfg(not(target_os = "linux"))]
pub(super) fn signal_exactly(_: Leader, _: Signal) -> bool {
    false
}

/// Sends a signal to the whole group of a leader. A group that is gone needs none.
pub(super) fn signal_group(leader: i64, signal: Signal) {
    if let Some(group) = pid(leader) {
        let _ = kill_process_group(group, signal);
    }
}

/// Sends a signal to one process. One that is gone needs none.
pub(super) fn signal(process: Pid, signal: Signal) {
    let _ = kill_process(process, signal);
}

/// Whether anything of the group is left, a zombie included.
pub(super) fn has_group(leader: i64) -> bool {
    pid(leader).is_some_and(|group| test_kill_process_group(group).is_ok())
}

/// Kills every process that has `mark` in its environment, until there is none. Those of others cannot be read, nor killed.
pub(super) fn kill_marked(mark: &str) {
    // One that becomes another program just now has no environment for a moment: where something was, it is looked twice.
    let mut was_empty = true;
    for _ in 0..100 {
        let found = marked(mark);
        if found.is_empty() && was_empty {
            return;
        }
        was_empty = found.is_empty();
        for process in found {
            signal(process, Signal::KILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// The processes that have `mark` in their environment, zombies left out: they have none any more.
pub(super) fn marked(mark: &str) -> Vec<Pid> {
    let variable = format!("{VARIABLE}={mark}");
    let has_mark = |folder: &Path| {
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        has_mark(&entry.path()).then_some(number)
    });
    numbered.filter_map(Pid::from_raw).collect()
}

fn pid(number: i64) -> Option<Pid> {
    // 1 and less mean something else to kill(2).
    i32::try_from(number).ok().filter(|number| *number > 1).and_then(Pid::from_raw)
}
