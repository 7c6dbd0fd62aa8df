//! Process groups: everything of the runner that only Unix has.
//!
//! A step's processes, however many, get signals together because the step leads a group of its own.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The signals that ask this program to stop.
pub(super) const STOP_SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// How firmly a group is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Firmness {
    /// As Ctrl-C does.
    Interrupt,
    /// As `kill` does.
    Terminate,
    /// Cannot be refused.
    Kill,
}

/// Makes `command` the leader of a group of its own.
pub(super) fn lead(command: &mut Command) {
    command.process_group(0);
}

/// Signals all processes of the group that `leader` leads; one that is gone is no error.
pub(super) fn signal(leader: u32, firmness: Firmness) {
    let signal = match firmness {
        Firmness::Interrupt => SIGINT,
        Firmness::Terminate => SIGTERM,
        Firmness::Kill => libc::SIGKILL,
    };
    // Group 0 would be this process's own.
    let Some(leader) = i32::try_from(leader).ok().filter(|leader| *leader > 1) else { return };
    // SAFETY: the call takes two numbers and touches no memory of this process.
    #[allow(unsafe_code)]
    let _ = unsafe { libc::killpg(leader, signal) };
}

/// The exit code as shells report it: 128 and the number for a process that a signal ended.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(by_signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// The exit code of a program that `signal` ended.
pub(super) fn by_signal(signal: i32) -> i32 {
    128 + signal
}
