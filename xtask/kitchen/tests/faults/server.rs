//! The program itself, in a project whose cargo is a script.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

/// How many lines the log of a record has.
pub(crate) const LINES: usize = 3000;

/// A build of about a second that tells much, with a process that leaves its group.
const CARGO: &str = r#"#!/bin/sh
[ "$2" = ci ] && echo '{"backends":[{"backend":"one"}],"platforms":[{"platform":"linux/amd64"}]}' && exit
echo $$ >>pids
setsid --fork sh -c 'echo $$ >>pids; exec sleep 600'
trap 'exit 130' INT
n=0
while [ $n -lt 100 ]; do
    n=$((n + 1))
    echo '{"v":1,"event":"step-started","step":"s'$n'","why":"a step","command":"x"}'
    echo '{"v":1,"event":"output","step":"s'$n'","line":"a line"}'
    echo '{"v":1,"event":"crate","step":"s'$n'","package":"a","version":"1.0.0","target":"a","kind":"lib","test":false,"started":0,"finished":1,"fresh":false,"outcome":"done"}'
    echo '{"v":1,"event":"step-finished","step":"s'$n'","outcome":"done","exit_code":0,"seconds":0.1}'
    sleep 0.005
done
echo '{"v":1,"event":"finished","exit_code":0,"seconds":1}'
"#;

/// A project.
pub(crate) struct Project(TempDir);

/// A Kitchen that is open.
pub(crate) struct Server {
    pub(crate) process: Child,
    url: String,
    key: String,
}

impl Project {
    pub(crate) fn new() -> Project {
        let project = Project(tempfile::tempdir().unwrap());
        fs::write(project.path("cargo"), CARGO).unwrap();
        fs::set_permissions(project.path("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    /// Opens it, and waits until it is.
    pub(crate) fn open(&self) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-kitchen"));
        command.args(["--port", "0"]).env("CARGO", self.path("cargo")).current_dir(self.0.path());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_once("http://").unwrap().1.split_once("/enter").unwrap().0;
        let key = fs::read_to_string(self.path(".kitchen/key")).unwrap();
        Server { process, url: format!("http://{url}"), key }
    }

    /// The record of a build that has ended in a terminal.
    pub(crate) fn record(&self, number: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let mut text = format!("{{\"record\":1,\"started\":{now},\"pid\":99999999,\"words\":[\"bd\"]}}\n");
        for line in 0..LINES {
            let event = r#""v":1,"event":"output","step":"a","line""#;
            writeln!(text, r#"{{"at":0.5,{event}:"line {line}"}}"#).unwrap();
        }
        text.push_str("{\"at\":1.0,\"v\":1,\"event\":\"finished\",\"exit_code\":0,\"seconds\":1}\n");
        fs::create_dir_all(self.path(".kitchen/spool")).unwrap();
        fs::write(self.path(&format!(".kitchen/spool/{number:013}-1.jsonl")), text).unwrap();
    }

    pub(crate) async fn history(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.path(".kitchen/kitchen.db"));
        SqlitePool::connect_with(options).await.unwrap()
    }

    pub(crate) fn log(&self, build: i64) -> PathBuf {
        self.path(&format!(".kitchen/logs/{build}.log"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

impl Server {
    pub(crate) fn order(&self) {
        let post = ureq::post(format!("{}/api/builds", self.url)).header("content-type", "application/json");
        post.header("authorization", format!("Bearer {}", self.key)).send("{}").unwrap();
    }

    pub(crate) fn build(&self, id: i64) -> Value {
        let get = ureq::get(format!("{}/api/builds/{id}", self.url));
        let mut answer = get.header("authorization", format!("Bearer {}", self.key)).call().unwrap();
        let build: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        build["build"].clone()
    }
}
