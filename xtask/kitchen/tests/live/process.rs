//! The program itself, in a project whose cargo is a script.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What stands in the place of cargo: it says what can be built, and builds as the test wants.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
*matrix*) echo '{"backends":[{"backend":"one"}],"platforms":[{"platform":"linux/amd64"}]}' ;;
*) . ./build.sh ;;
esac
"#;

/// Measures are taken by one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A Kitchen that runs.
pub(crate) struct Kitchen {
    project: TempDir,
    process: Child,
    /// `127.0.0.1` and its port.
    pub(crate) host: String,
    key: String,
    _alone: MutexGuard<'static, ()>,
}

impl Kitchen {
    /// Opens one in which builds are this script.
    pub(crate) fn open(build: &str) -> Kitchen {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let project = tempfile::tempdir().unwrap();
        let cargo = project.path().join("cargo");
        fs::write(&cargo, CARGO).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(project.path().join("build.sh"), build).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_xtask-kitchen"))
            .args(["--port", "0"])
            .current_dir(project.path())
            .env("CARGO", &cargo)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let (_, rest) = said.split_once("http://").unwrap();
        let host = rest.split('/').next().unwrap().to_owned();
        let key = fs::read_to_string(project.path().join(".kitchen/key")).unwrap();
        Kitchen { project, process, host, key, _alone: alone }
    }

    /// What the next builds are.
    pub(crate) fn build_is(&self, build: &str) {
        fs::write(self.project.path().join("build.sh"), build).unwrap();
    }

    /// A connection on which this was asked. HTTP/1.0, whose answers have no frames: they end with the connection.
    pub(crate) async fn ask(&self, method: &str, path: &str, header: &str) -> TcpStream {
        let mut socket = TcpStream::connect(&self.host).await.unwrap();
        let Kitchen { host, key, .. } = self;
        let (length, json) = ("content-length: 2", "content-type: application/json");
        let head =
            format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n{header}");
        socket.write_all(format!("{head}{length}\r\n{json}\r\n\r\n{{}}").as_bytes()).await.unwrap();
        socket
    }

    /// The body of an answer that is a success.
    pub(crate) async fn body(&self, method: &str, path: &str) -> String {
        let mut answer = String::new();
        self.ask(method, path, "").await.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 20"), "{method} {path}: {answer}");
        body.to_owned()
    }

    /// Has a build done. Gives its number when it has begun.
    pub(crate) async fn begin(&self) -> i64 {
        let answer = self.body("POST", "/api/builds").await;
        let id = serde_json::from_str::<serde_json::Value>(&answer).unwrap()["id"].as_i64().unwrap();
        while !self.log(id).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        id
    }

    /// A build, as the API tells of it.
    pub(crate) async fn build(&self, id: i64) -> serde_json::Value {
        let answer = self.body("GET", &format!("/api/builds/{id}")).await;
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["build"].clone()
    }

    /// Where the log of a build is.
    pub(crate) fn log(&self, id: i64) -> PathBuf {
        self.project.path().join(format!(".kitchen/logs/{id}.log"))
    }

    /// The most memory that it has had until now, in bytes: `VmHWM` of
    /// [proc_pid_status(5)](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Asks it to end, and gives how, and how long it took.
    pub(crate) fn terminate(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        (self.process.wait().unwrap(), began.elapsed())
    }
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.terminate();
        }
    }
}
