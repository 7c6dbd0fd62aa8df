//! The watchdog: a second process that ends the steps of a run that was killed.
//!
//! A runner that gets SIGKILL cannot end its children. Its end of a pipe closes, though, and the process that reads the
//! other end knows which groups were running.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use crate::platform::{Firmness, Group, NEEDS_WATCHDOG};

/// How long groups have between being asked and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// The runner's side; none where the kernel does that.
pub(super) struct Watchdog(Option<Child>);

impl Watchdog {
    /// Starts the second process, in a group of its own so that Ctrl-C does not reach it.
    pub(super) fn start() -> std::io::Result<Watchdog> {
        if !NEEDS_WATCHDOG {
            return Ok(Watchdog(None));
        }
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("watchdog").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Group::lead(&mut command);
        command.spawn().map(|child| Watchdog(Some(child)))
    }

    /// `group` is running.
    pub(super) fn watch(&mut self, group: &Group) {
        self.tell(&format!("+{}", group.leader()));
    }

    /// `group` has ended.
    pub(super) fn release(&mut self, group: &Group) {
        self.tell(&format!("-{}", group.leader()));
    }

    /// Without a watchdog a run is less safe but not wrong, so failures here do not end it.
    fn tell(&mut self, line: &str) {
        if let Some(pipe) = self.0.as_mut().and_then(|child| child.stdin.as_mut()) {
            let _ = writeln!(pipe, "{line}");
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.stdin.take();
            let _ = child.wait();
        }
    }
}

/// The second process: reads until the runner is gone, then ends what it left.
pub(crate) fn main() -> ExitCode {
    let mut groups = BTreeSet::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1).map(|(sign, leader)| (sign, leader.parse::<u32>())) {
            Some(("+", Ok(leader))) => groups.insert(leader),
            Some(("-", Ok(leader))) => groups.remove(&leader),
            _ => false,
        };
    }
    if !groups.is_empty() {
        let groups = groups.into_iter().map(Group::of).collect::<Vec<_>>();
        groups.iter().for_each(|group| group.signal(Firmness::Terminate));
        thread::sleep(GRACE);
        groups.iter().for_each(|group| group.signal(Firmness::Kill));
    }
    ExitCode::SUCCESS
}
