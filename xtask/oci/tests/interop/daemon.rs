//! A Docker engine of these tests' own, with the image store that they ask for.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::common::tool;
use super::engines::Store;

/// Starts an engine in namespaces of its own, where no other engine is seen, and kills it when its owner says so or is
/// gone, however that ended. With its namespaces go its containers and mounts. Nobody uses its bridge; but without one it
/// would remove that of this machine's own engine.
const GUARDIAN: &str = r#"
    ip link add "$2" type bridge && ip address add "$3" dev "$2"
    unshare --mount --pid --fork --kill-child --mount-proc sh -c '
        mount -t tmpfs tmpfs /run && exec dockerd --config-file "$1/daemon.json" --data-root "$1/data" \
            --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/socket"
    ' dockerd "$1" >"$1/log" 2>&1 </dev/null &
    echo $!
    read -r word
    kill -9 $!
    wait $! 2>/dev/null
    ip link delete "$2"
    # Its processes end a little later.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$1" 2>/dev/null && break
        sleep 0.2
    done
"#;

/// The engine, until it is dropped.
pub struct Daemon {
    folder: PathBuf,
    guardian: Child,
}

impl Daemon {
    /// Starts it, or says what that needs.
    pub fn start(store: Store) -> Result<Daemon, String> {
        let name = format!("docker with the {store:?} store, or").to_lowercase();
        let namespaces = ["--mount", "--pid", "--fork", "--mount-proc", "true"];
        for (is_there, what) in [
            (tool::is_root(), "root"),
            (tool::succeeds("docker", &["--version"]), "docker"),
            (tool::succeeds("dockerd", &["--version"]), "dockerd"),
            (tool::succeeds("ip", &["-V"]), "ip"),
            (tool::succeeds("unshare", &namespaces), "the right to make namespaces"),
        ] {
            if !is_there {
                return Err(format!("{name} {what} to start one"));
            }
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?.keep();
        // Of TEST-NET-2, which no network has.
        let (letter, address) = match store {
            Store::Classic => ("a", "198.51.100.1/30"),
            Store::Containerd => ("b", "198.51.100.5/30"),
        };
        let bridge = format!("xo{letter}{}", std::process::id());
        let config = serde_json::json!({
            "features": { "containerd-snapshotter": store == Store::Containerd },
            "bridge": bridge, "iptables": false, "ip6tables": false,
        });
        fs::write(folder.join("daemon.json"), config.to_string()).map_err(|error| error.to_string())?;
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&folder)
            .args([&*bridge, address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut process = String::new();
        let _ = BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut process);
        let daemon = Daemon { folder, guardian };
        daemon.wait(process.trim()).map_err(|log| format!("{name} one that starts: {log}"))?;
        Ok(daemon)
    }

    /// Waits until it answers. Otherwise returns the last that it said.
    fn wait(&self, process: &str) -> Result<(), String> {
        let began = Instant::now();
        let stat = format!("/proc/{process}/stat");
        let runs = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        while began.elapsed() < Duration::from_secs(30) && runs() {
            if tool::succeeds("docker", &["--host", &self.host(), "version"]) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(log.lines().last().unwrap_or_default().to_owned())
    }

    /// Where it listens.
    pub fn host(&self) -> String {
        format!("unix://{}/socket", self.folder.display())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.guardian.stdin.take().unwrap().write_all(b"end\n");
        let _ = self.guardian.wait();
    }
}
