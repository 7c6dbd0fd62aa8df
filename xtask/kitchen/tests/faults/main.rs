//! Kitchen itself is killed, at any moment of a build. A script stands in the place of cargo.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use server::Project;

/// How often Kitchen is killed.
const POINTS: u64 = 30;
/// The longest time until then: a build takes less.
const LONGEST: u64 = 1500;

/// A small generator of numbers that are not to be guessed, but the same in each run: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Whether the process is there, and no zombie.
fn is_there(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_kitchen_is_killed_the_history_is_whole_and_every_build_ends() {
    let project = Project::new();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut interrupted = 0;
    for point in 0..POINTS {
        project.record(point);
        let mut server = project.open();
        server.order();
        sleep(Duration::from_millis(dice.below(LONGEST)));
        server.process.kill().unwrap();
        server.process.wait().unwrap();

        let history = project.history().await;
        let intact: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&history).await.unwrap();
        assert_eq!(intact, "ok", "after {point}");
        let running: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM builds WHERE status = 'running' AND pid > 0")
                .fetch_all(&history)
                .await
                .unwrap();
        history.close().await;
        // The next one says where it is when it has looked at what was left.
        let mut server = project.open();
        for id in &running {
            let build = server.build(*id);
            assert_eq!(build["status"], "interrupted", "{build}");
            assert!(!build["finished"].is_null() && project.log(*id).exists(), "{build}");
        }
        interrupted += running.len();
        server.process.kill().unwrap();
        server.process.wait().unwrap();
    }
    assert!(interrupted > 5, "only {interrupted} of them ran");

    // A later process that has the number of one that Kitchen left.
    let mut other = Command::new("sleep").arg("600").spawn().unwrap();
    let history = project.history().await;
    let forged = "INSERT INTO builds (origin, status, request, command, queued, started, pid, pid_started)
        VALUES ('kitchen', 'running', '{}', 'cargo xtask bd', 1, 1, ?, 1) RETURNING id";
    let forged: i64 = sqlx::query_scalar(forged).bind(other.id()).fetch_one(&history).await.unwrap();
    let mut server = project.open();
    assert_eq!(server.build(forged)["status"], "interrupted");
    assert_eq!(other.try_wait().unwrap(), None, "a process of somebody else");
    other.kill().unwrap();
    other.wait().unwrap();

    let open = "SELECT count(*) FROM builds WHERE status IN ('queued', 'running')";
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(open).fetch_one(&history).await.unwrap() > 0 {
        assert!(began.elapsed() < Duration::from_secs(120));
        sleep(Duration::from_millis(100));
    }
    let terminal = "SELECT id FROM builds WHERE origin = 'terminal' AND status = 'done' ORDER BY id";
    let terminal: Vec<i64> = sqlx::query_scalar(terminal).fetch_all(&history).await.unwrap();
    assert_eq!(terminal.len() as u64, POINTS, "each once");
    for id in terminal {
        assert_eq!(fs::read_to_string(project.log(id)).unwrap().lines().count(), server::LINES);
    }
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    let pids = fs::read_to_string(project.path("pids")).unwrap();
    assert_eq!(pids.lines().filter(|pid| is_there(pid)).collect::<Vec<_>>(), Vec::<&str>::new());
}
