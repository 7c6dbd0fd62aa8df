//! Builds that are killed, or whose Kitchen was.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use xtask_kitchen::build::Status;
use xtask_kitchen::store::{Commit, Leader};

use crate::kitchen::Kitchen;

/// A grandchild that leaves the group and ignores all it can, and a child that does not end either. After five minutes
/// they do: nobody else would end them if this test were killed.
const STUBBORN: &str = r#"
setsid sh -c 'trap "" INT TERM HUP; echo $$ >>pids; exec sleep 300' &
trap "" INT TERM
echo $$ >>pids
echo '{"v":1,"event":"note","message":"it runs"}'
exec sleep 300
"#;

/// Whether the process is there, and no zombie.
fn is_there(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Those that are there. One that was killed may need a moment to go, on a busy machine, and never minutes.
fn left_after_a_moment(kitchen: &Kitchen) -> Vec<String> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) && !is_left(kitchen).is_empty() {
        sleep(Duration::from_millis(20));
    }
    is_left(kitchen)
}

fn is_left(kitchen: &Kitchen) -> Vec<String> {
    let pids = fs::read_to_string(kitchen.path("pids")).unwrap_or_default();
    pids.lines().filter(|pid| is_there(pid)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_hundred_that_do_not_want_to_end() {
    let kitchen = Kitchen::at_work(STUBBORN, 100).await;
    let mut builds = Vec::new();
    for _ in 0..100 {
        builds.push(kitchen.order().await);
    }
    for id in &builds {
        kitchen.until_log_has(*id, "it runs").await;
    }
    assert!(is_left(&kitchen).len() >= 100);
    for id in &builds {
        assert!(kitchen.cook.kill(*id).await.unwrap());
    }
    for id in &builds {
        assert_eq!(kitchen.until(*id, Status::is_final).await.status, Status::Killed);
    }
    assert_eq!(left_after_a_moment(&kitchen), Vec::<String>::new());
    let zombies =
        Command::new("ps").args(["-o", "stat=", "--ppid", &std::process::id().to_string()]).output();
    let zombies = String::from_utf8(zombies.unwrap().stdout).unwrap();
    assert!(!zombies.contains('Z'), "{zombies}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_when_it_is_asked_to_has_the_time() {
    let script = r#"
        trap 'echo "{\"v\":1,\"event\":\"note\",\"message\":\"tidied\"}"; exit 130' INT
        echo '{"v":1,"event":"note","message":"it runs"}'
        while :; do sleep 0.05; done"#;
    let kitchen = Kitchen::at_work(script, 1).await;
    let id = kitchen.order().await;
    kitchen.until_log_has(id, "it runs").await;
    kitchen.cook.kill(id).await.unwrap();
    assert_eq!(kitchen.until(id, Status::is_final).await.status, Status::Killed);
    assert!(kitchen.log(id).contains("note: tidied\n"));
    assert!(!kitchen.cook.kill(id).await.unwrap(), "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_waits_is_taken_out_of_the_queue() {
    let kitchen = Kitchen::idle("", 1).await;
    let id = kitchen.order().await;
    assert!(kitchen.cook.kill(id).await.unwrap());
    assert_eq!(kitchen.build(id).await.status, Status::Killed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_kitchen_ends_its_builds() {
    let mut kitchen = Kitchen::at_work(STUBBORN, 1).await;
    let [running, waiting] = [kitchen.order().await, kitchen.order().await];
    kitchen.until_log_has(running, "it runs").await;
    kitchen.end().await;
    assert_eq!(kitchen.build(running).await.status, Status::Interrupted);
    assert_eq!(kitchen.build(waiting).await.status, Status::Queued);
    assert_eq!(left_after_a_moment(&kitchen), Vec::<String>::new());
}

/// A build as a Kitchen leaves it that was killed: its processes run, and the history says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_kitchen_left_is_ended_and_marked() {
    let kitchen = Kitchen::idle("", 1).await;
    let store = kitchen.cook.store();
    let mark = format!("{}#1", kitchen.path("").to_str().unwrap().trim_end_matches('/'));
    let mut left = Command::new("sh").args(["-c", "sleep 100"]).env("KITCHEN_BUILD", &mark).spawn().unwrap();
    let mut other = Command::new("sleep").arg("100").spawn().unwrap();
    for _ in 0..2 {
        let id = kitchen.order().await;
        store.start(id, &Commit::default()).await.unwrap();
    }
    // Its number is that of another process by now.
    store.led_by(2, Leader { pid: i64::from(other.id()), started: 1 }).await.unwrap();
    kitchen.cook.tidy().await.unwrap();
    assert!(!left.wait().unwrap().success());
    assert_eq!(other.try_wait().unwrap(), None, "a process of somebody else");
    for id in [1, 2] {
        let build = kitchen.build(id).await;
        assert_eq!(build.status, Status::Interrupted);
        assert_eq!(build.error.as_deref(), Some("Kitchen ended before the build"));
    }
    other.kill().unwrap();
    other.wait().unwrap();
}
