//! A workspace that is watched, and what is in it.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::workspace::{Workspace, signal, stderr, wait_until};

/// A stage. It fails where a file has its name and `red`, waits where one has its name and `slow`; `bd` makes an image of
/// the file `source`, and a service.
const STAGE: &str = r#"
case "$*" in *format,clippy*) stage=lint ;; *test*) stage=test ;; bd*) stage=bd ;; esac
echo $$ >> target/pids
echo "$stage" >> target/log
if [ -e target/$stage-slow ]; then
    trap 'echo "$stage cancelled" >> target/log; kill $!; exit 130' INT
    sleep 60 & echo $! >> target/pids; touch target/$stage-waits; wait
fi
[ -e target/$stage-red ] && { echo "$stage red" >> target/log; exit 1; }
[ $stage = bd ] || exit 0
mkdir -p target/images target/dist
for arch in amd64 arm64; do
    printf '{"digest": "%s", "platforms": []}' "$(cat source)" >target/images/app-sqlite-linux-$arch.json
    cp service target/dist/app-sqlite-linux-$arch.new
    mv target/dist/app-sqlite-linux-$arch.new target/dist/app-sqlite-linux-$arch
done
"#;

/// Says when it begins and when it is asked to end.
pub(crate) const SERVICE: &str = r#"
echo $$ >> target/pids
echo "up $(cat source)" >> target/log
echo "listening"
trap 'echo down >> target/log; exit 0' TERM
while :; do sleep 0.05; done
"#;

/// Runs that service, which outlives the command that ran it. A file `stop-red` makes it fail once to end that.
pub(crate) const DOCKER: &str = r#"
case $1 in
    version) echo 29.1.0 ;;
    run)
        echo "$@" >> target/docker
        setsid ./service & echo $! > target/container
        trap '' INT TERM
        while kill -0 $(cat target/container) 2>/dev/null; do sleep 0.05; done ;;
    stop)
        echo "$@" >> target/docker
        [ -e target/stop-red ] && rm target/stop-red && exit 1
        kill -TERM $(cat target/container) ;;
    *) exit 1 ;;
esac
"#;

/// A workspace that is watched.
pub(crate) struct Watched {
    pub(crate) workspace: Workspace,
    pub(crate) xtask: Option<Child>,
}

impl Watched {
    /// A repository; nothing watches it yet.
    pub(crate) fn repository() -> Watched {
        let watched = Watched::folder();
        let mut git = Command::new("git");
        git.args(["init", "--quiet"]).current_dir(watched.workspace.path());
        assert!(git.status().unwrap().success());
        watched
    }

    /// The same without git.
    pub(crate) fn folder() -> Watched {
        let workspace = Workspace::with("");
        // What this is called decides what the stages run, and writing to it would write to the program that is tested.
        fs::rename(workspace.path().join("xtask"), workspace.path().join("watcher")).unwrap();
        workspace.program("xtask", STAGE);
        workspace.program("service", SERVICE);
        workspace.program("docker", "exit 1");
        workspace.program("podman", "exit 1");
        fs::create_dir(workspace.path().join("target")).unwrap();
        let watched = Watched { workspace, xtask: None };
        watched.write(".gitignore", "/target\n/data\n");
        watched.write("source", "one");
        watched
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.workspace.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(self.workspace.path().join("watcher"));
        command.arg("watch").args(args).env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped());
        // As `cargo run` sets it; the folder itself is not needed.
        command.env("CARGO_MANIFEST_DIR", self.workspace.path().join("xtask"));
        command
    }

    /// Watches from now on, and waits for the end of the first run.
    pub(crate) fn watch(mut self, args: &[&str]) -> Watched {
        self.xtask = Some(self.command(args).spawn().unwrap());
        self.wait_for_log("lint\ntest\nbd\nup one\n");
        fs::remove_file(self.workspace.path().join("target/log")).unwrap();
        self
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.workspace.path().join(path), text).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        self.workspace.read("target/log")
    }

    /// Waits until exactly this has happened.
    pub(crate) fn wait_for_log(&self, expected: &str) {
        wait_until(&format!("{expected}, not {}", self.log()), || self.log() == expected);
    }

    /// Checks that nothing happens in the time in which something would.
    pub(crate) fn check_quiet(&self) {
        sleep(Duration::from_millis(1500));
        assert_eq!(self.log(), "");
    }

    /// Ctrl-C, after which there is nothing left.
    pub(crate) fn end(&mut self) -> Output {
        let xtask = self.xtask.take().unwrap();
        signal(&xtask, "INT");
        let output = xtask.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert_eq!(self.processes_left(), Vec::<String>::new());
        output
    }

    pub(crate) fn processes_left(&self) -> Vec<String> {
        let pids = self.workspace.read("target/pids");
        fs::write(self.workspace.path().join("pids"), pids).unwrap();
        self.workspace.processes_left()
    }
}

impl Drop for Watched {
    /// A test that fails leaves nothing, either.
    fn drop(&mut self) {
        if let Some(mut xtask) = self.xtask.take() {
            let _ = xtask.kill();
            let _ = xtask.wait();
        }
    }
}
