//! What the tests share. Here: the real binary, started in a folder of its own, and a client for it.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod database;
pub(crate) mod router;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use ureq::{Agent, Body, http::Response};

use database::TestDatabase;

/// A container engine kills after ten seconds by default; nobody wants to wait that long.
pub(crate) const PROMPTLY: Duration = Duration::from_secs(2);

/// The binary under test with only the given environment, working in `folder`.
pub(crate) fn app(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_app"));
    command.current_dir(folder).env_clear().envs(environment.iter().copied());
    command
}

/// A running service; killed when dropped.
pub(crate) struct Service {
    /// Where it listens: `127.0.0.1:<port>`.
    pub(crate) address: String,
    /// Where it tells of health and metrics.
    pub(crate) admin: String,
    agent: Agent,
    child: Child,
    log: Option<JoinHandle<String>>,
    _folder: TempDir,
}

impl Service {
    /// Returns when the service listens.
    pub(crate) fn start(database: &TestDatabase, environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let fixed = [
            ("APP__SERVER__HOST", "127.0.0.1"),
            ("APP__SERVER__PORT", "0"),
            ("APP__SERVER__DRAIN_TIME", "0.1"),
            ("APP__ADMIN__HOST", "127.0.0.1"),
            ("APP__ADMIN__PORT", "0"),
            ("APP__DATABASE__URL", &database.url),
        ];
        let mut child = app(folder.path(), &fixed)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();

        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("listening") {
            assert!(stderr.read_line(&mut log).unwrap() > 0, "it ended: {log}");
        }
        let address = |name| {
            let (_, rest) = log.split_once(name).unwrap_or_else(|| panic!("no {name} in: {log}"));
            rest.trim_start_matches(['=', '"', ':']).split([' ', '"', '\n']).next().unwrap().to_owned()
        };
        let (address, admin) = (address("address"), address("admin"));
        // Read on, or the service would block on a full pipe.
        let log = thread::spawn(move || {
            stderr.read_to_string(&mut log).unwrap();
            log
        });

        // Every answer is wanted, whatever its status.
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { address, admin, agent, child, log: Some(log), _folder: folder }
    }

    /// Makes a request and reads the answer as JSON.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json")
            .body(body.map(|json| json.to_string()).unwrap_or_default())
            .unwrap();
        let mut response: Response<Body> = self.agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What the admin port answers.
    pub(crate) fn admin(&self, path: &str) -> (u16, String) {
        let mut response = self.agent.get(format!("http://{}{path}", self.admin)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// Sends a signal by its short name: TERM, INT.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end; gives the exit status, the time that took, and the log.
    pub(crate) fn wait(mut self) -> (ExitStatus, Duration, String) {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "the service does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let took = started.elapsed();
        (status, took, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails when it has ended already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
