//! A repository that has what the tool reads, and a program named `cargo` that only takes time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Writes a line for each of its runs, with the string that is edited; then takes a while, fails or hangs.
const CARGO: &str = "#!/bin/sh
case $1 in fetch) echo fetch >>\"$LOG\"; exit;; update) exit;; esac
case \"$*\" in *xtask-oci*) mkdir -p target/debug; cp engine target/debug/xtask-oci; exit;; esac
echo \"$1 $(grep -o '\"listening[0-9]*\"' app/src/server/mod.rs)\" >>\"$LOG\"
case $1 in
\"$FAILS\") echo 'error: it says why'; echo 'no such crate' >&2; exit 101;;
\"$HANGS\") echo $$ >\"$LOG.hangs\"; sleep 60;;
xtask) sleep \"$(cat slow)\";;
*) sleep 0.2;;
esac
";

/// Leaves a layer of its own size.
const ENGINE: &str = "#!/bin/sh\nmkdir -p cache/layers && cp \"$0\" cache/layers/\n";

/// It, and a folder for what is temporary.
pub(crate) struct Repository(TempDir);

impl Repository {
    pub(crate) fn new() -> Repository {
        let repository = Repository(tempfile::tempdir().unwrap());
        for folder in ["bin", "tmp", "root/app/src/server", "root/config"] {
            fs::create_dir_all(repository.path(folder)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(repository.path(name), text).unwrap();
        write("bin/cargo", CARGO);
        fs::set_permissions(repository.path("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        write("root/app/Cargo.toml", "[package]\nname = \"app\"\n\n[dependencies]\n");
        write("root/engine", ENGINE);
        fs::set_permissions(repository.path("root/engine"), fs::Permissions::from_mode(0o755)).unwrap();
        write("root/app/src/server/mod.rs", "info!(\"listening\");\n");
        write("root/config/pipeline.toml", "[build]\nbackends = [\"sqlite\"]\n");
        write("root/rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
        write("root/Cargo.toml", "[workspace]\nmembers = [\"app\"]\n[profile.release]\nlto = \"off\"\n");
        write("root/Cargo.lock", "version = 4\n");
        repository.git(&["init", "--quiet"]);
        repository.commit("slow", "0.3");
        repository
    }

    /// Writes a file and commits all that there is.
    pub(crate) fn commit(&self, name: &str, text: &str) {
        fs::write(self.path("root").join(name), text).unwrap();
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", "a change"]);
    }

    fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let output =
            Command::new("git").args(who).args(args).current_dir(self.path("root")).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn report(&self, extension: &str) -> PathBuf {
        self.path("report").with_extension(extension)
    }

    /// The tool, with nothing of Docker.
    pub(crate) fn bench(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-bench"));
        let path = std::env::var("PATH").unwrap();
        command.args(args).arg("--report").arg(self.report("json")).current_dir(self.path("root"));
        command.env("PATH", format!("{}:{path}", self.path("bin").display())).env("TMPDIR", self.path("tmp"));
        command.env("LOG", self.path("log")).env("FAILS", "nothing").env("HANGS", "nothing");
        command.env("DOCKER_HOST", "unix:///nowhere.sock");
        command
    }

    /// What cargo was called for.
    pub(crate) fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The id of the program that hangs.
    pub(crate) fn hanging(&self) -> Option<String> {
        let text = fs::read_to_string(self.path("log.hangs")).ok()?;
        text.ends_with('\n').then(|| text.trim().to_owned())
    }

    /// How many files and folders are in the folder for temporary ones.
    pub(crate) fn temporary(&self) -> usize {
        fs::read_dir(self.path("tmp")).unwrap().count()
    }

    pub(crate) fn check_untouched(&self) {
        assert_eq!(self.git(&["status", "--porcelain", "--ignored"]), "");
        wait_until("nothing temporary is left", || (self.temporary() == 0).then_some(()));
    }
}

pub(crate) fn wait_until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "in vain until {what}");
        sleep(Duration::from_millis(20));
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
