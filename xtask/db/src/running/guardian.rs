//! The guardian: a second process that cleans up when its owner is gone.
//!
//! A process that gets SIGKILL cannot end its children. Its end of a pipe closes, though, and a shell that reads the
//! other end ends the server and removes what it left. An owner that ends in peace closes the pipe as well, so that there
//! is one way out only.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

/// Each line names the processes that are to end, the leader first, in the place of those before.
/// `$1` is the folder, `$2` the signal that ends the leader at once and lets it tidy up.
const PROCESSES: &str = r#"
trap '' HUP INT QUIT TERM
folder=$1 signal=$2
set --
while read -r pids; do set -- $pids; done
if [ $# -gt 0 ]; then
    kill -s CONT "$@"
    kill -s "$signal" "$1"
    n=0
    while kill -s 0 "$1" && [ $n -lt 30 ]; do n=$((n + 1)); sleep 0.1; done
    kill -s KILL "$@"
fi
n=0
until rm -rf "$folder" || [ $n -ge 50 ]; do n=$((n + 1)); sleep 0.1; done
"#;

/// `$1` is the folder; the rest is the command that removes the container.
const CONTAINER: &str = r#"
trap '' HUP INT QUIT TERM
folder=$1
shift
while read -r line; do :; done
"$@"
rm -rf "$folder"
"#;

/// The second process.
pub(super) struct Guardian(Child);

impl Guardian {
    /// Guards the processes of [`Guardian::watch`] and the folder they work in.
    pub(super) fn of_processes(folder: &Path, signal: &str) -> Result<Guardian> {
        Guardian::start(PROCESSES, folder, &[signal])
    }

    /// Guards a container, which `remove` removes, and a folder.
    pub(super) fn of_container(folder: &Path, remove: &[&str]) -> Result<Guardian> {
        Guardian::start(CONTAINER, folder, remove)
    }

    fn start(script: &str, folder: &Path, args: &[&str]) -> Result<Guardian> {
        let mut command = Command::new("sh");
        command.args(["-c", script, "guardian"]).arg(folder).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // In a group of its own, so that what ends the owner's group does not reach it.
        command.process_group(0).current_dir("/");
        command.spawn().map(Guardian).context("cannot start `sh`, which cleans up")
    }

    /// From now on `pids` are to end with the owner, the leader first; none when nothing runs.
    pub(super) fn watch(&mut self, pids: &[i32]) {
        let line = pids.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
        if let Some(pipe) = &mut self.0.stdin {
            // Without its guardian a server is less safe but not wrong.
            let _ = writeln!(pipe, "{line}");
        }
    }

    /// Has it all cleaned up, and waits for that; `meanwhile` is called over and over.
    pub(super) fn end(&mut self, mut meanwhile: impl FnMut()) {
        self.0.stdin.take();
        while matches!(self.0.try_wait(), Ok(None)) {
            meanwhile();
            sleep(Duration::from_millis(5));
        }
    }
}
