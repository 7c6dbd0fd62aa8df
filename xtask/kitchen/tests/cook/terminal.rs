//! Builds that were started in a terminal, by the records that they leave: `xtask/tests/recording.rs` has the front write
//! some.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use xtask_kitchen::build::{Origin, Status};

use crate::kitchen::Kitchen;

const COMMIT: &str = r#"{"commit":{"revision":"0a1b","branch":"main","dirty":true}}"#;
const STEP: &str =
    r#"{"at":0.5,"v":1,"event":"step-started","step":"compile","why":"compile it","command":"cargo build"}"#;
const LINE: &str = r#"{"at":1.0,"v":1,"event":"output","step":"compile","line":"fine"}"#;
const STEP_END: &str = r#"{"at":2.0,"v":1,"event":"step-finished","step":"compile","outcome":"done","exit_code":0,"seconds":1.5}"#;

fn finished(exit_code: u8) -> String {
    format!(r#"{{"at":2.25,"v":1,"event":"finished","exit_code":{exit_code},"seconds":2.2}}"#)
}

/// A record, held by its build until it is dropped.
struct Record {
    file: File,
    path: PathBuf,
}

impl Record {
    fn new(kitchen: &Kitchen, name: &str, first: &str) -> Record {
        fs::create_dir_all(kitchen.path(".kitchen/spool")).unwrap();
        let path = kitchen.path(&format!(".kitchen/spool/{name}.jsonl"));
        let file = File::create(path.with_extension("new")).unwrap();
        file.lock().unwrap();
        let mut record = Record { file, path };
        record.add(&[first]);
        fs::rename(record.path.with_extension("new"), &record.path).unwrap();
        record
    }

    /// That of this process.
    fn of(kitchen: &Kitchen, name: &str, words: &str) -> Record {
        Record::led_by(kitchen, name, words, i64::from(std::process::id()), started(std::process::id()))
    }

    fn led_by(kitchen: &Kitchen, name: &str, words: &str, pid: i64, pid_started: u64) -> Record {
        let words = serde_json::to_string(&words.split(' ').collect::<Vec<_>>()).unwrap();
        let header = format!(
            r#"{{"record":1,"started":{},"pid":{pid},"pid_started":{pid_started},"words":{words}}}"#,
            began()
        );
        Record::new(kitchen, name, &header)
    }

    fn add(&mut self, lines: &[&str]) {
        for line in lines {
            self.file.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }
}

fn started(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}

/// When all that is recorded here began: yesterday.
fn began() -> i64 {
    static BEGAN: OnceLock<i64> = OnceLock::new();
    *BEGAN.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        i64::try_from(now).unwrap() - 24 * 60 * 60 * 1000
    })
}

async fn until_gone(path: &Path) {
    let began = Instant::now();
    while path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", path.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a build is followed.
async fn known(kitchen: &Kitchen, id: i64) {
    let began = Instant::now();
    while kitchen.cook.log_length(id).is_none() {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_of_a_terminal_is_there_while_it_runs_and_afterwards() {
    let kitchen = Kitchen::at_work("", 1).await;
    let mut record = Record::of(&kitchen, "1-1", "bd --backend one");
    record.add(&[COMMIT, STEP, LINE]);
    kitchen.until_log_has(1, "compile | fine\n").await;
    let build = kitchen.build(1).await;
    assert_eq!((build.origin, build.status), (Origin::Terminal, Status::Running));
    assert_eq!(build.command, "cargo xtask bd --backend one");
    assert_eq!(
        (build.revision.as_deref(), build.branch.as_deref(), build.dirty),
        (Some("0a1b"), Some("main"), true)
    );
    assert!(kitchen.cook.log_length(1).is_some(), "it can be followed");
    assert!(kitchen.cook.store().request(1).await.unwrap().unwrap().command().ends_with("bd --backend=one"));
    // An own build does not wait for it.
    let own = kitchen.order().await;
    kitchen.until(own, Status::is_final).await;

    record.add(&[STEP_END, &finished(0)]);
    let build = kitchen.until(1, Status::is_final).await;
    assert_eq!((build.status, build.exit_code, build.error), (Status::Done, Some(0), None));
    assert_eq!(build.finished, Some(began() + 2250));
    until_gone(&record.path).await;
    assert!(kitchen.cook.log_length(1).is_none());
    assert_eq!(kitchen.log(1), "compile > compile it\ncompile | fine\ncompile < done in 1.50 s\n");
    let steps = kitchen.cook.store().steps(1).await.unwrap();
    assert_eq!(
        (steps[0].started, steps[0].seconds, steps[0].outcome.as_deref()),
        (0.5, Some(1.5), Some("done"))
    );
    let events = fs::read_to_string(kitchen.path(".kitchen/logs/1.jsonl")).unwrap();
    assert_eq!(events.lines().count(), 4);
    assert_eq!(events.lines().nth(1), Some(r#"{"v":1,"event":"output","step":"compile","line":"fine"}"#));
    for file in ["logs/1.log", "logs/1.jsonl", "kitchen.db"] {
        let mode = fs::metadata(kitchen.path(&format!(".kitchen/{file}"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_while_no_kitchen_was_open_is_taken_up_in_its_order() {
    let mut kitchen = Kitchen::idle("", 1).await;
    let failed = r#"{"at":1.0,"v":1,"event":"error","message":"no such program"}"#;
    for (name, lines) in [
        ("1-1", vec![STEP, &finished(0)]),
        ("2-1", vec![STEP, &finished(101)]),
        ("3-1", vec![&finished(130)]),
        ("4-1", vec![failed]),
        ("5-1", vec![STEP, r#"{"at":2.0,"v":1,"event":"fini"#]),
    ] {
        Record::of(&kitchen, name, "bd").add(&lines);
    }
    // That of a process that is gone.
    for name in ["4-1", "5-1"] {
        let path = kitchen.path(&format!(".kitchen/spool/{name}.jsonl"));
        let pid = format!("\"pid\":{}", std::process::id());
        fs::write(&path, fs::read_to_string(&path).unwrap().replace(&pid, "\"pid\":99999999")).unwrap();
    }
    kitchen.begin();
    let statuses = [Status::Done, Status::Failed, Status::Killed, Status::Failed, Status::Interrupted];
    until_gone(&kitchen.path(".kitchen/spool/5-1.jsonl")).await;
    for (id, status) in (1..).zip(statuses) {
        assert_eq!(kitchen.build(id).await.status, status, "{id}");
    }
    assert_eq!(kitchen.build(4).await.error.as_deref(), Some("no such program"));
    assert_eq!(fs::read_dir(kitchen.path(".kitchen/spool")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kitchen_that_opens_again_goes_on_without_doubling_a_line() {
    let mut kitchen = Kitchen::at_work("", 1).await;
    let mut record = Record::of(&kitchen, "1-1", "check");
    record.add(&[STEP, LINE]);
    kitchen.until_log_has(1, "compile | fine\n").await;
    kitchen.end().await;
    assert_eq!(kitchen.build(1).await.status, Status::Running, "it goes on without Kitchen");
    record.add(&[LINE]);
    kitchen.cook.tidy().await.unwrap();
    assert_eq!(kitchen.build(1).await.status, Status::Running, "it is none of those that Kitchen left");
    kitchen.begin();
    kitchen.until_log_has(1, "fine\ncompile | fine\n").await;
    record.add(&[STEP_END, &finished(0)]);
    kitchen.until(1, Status::is_final).await;
    assert_eq!(kitchen.log(1).matches("fine").count(), 2);
    assert_eq!(kitchen.cook.store().steps(1).await.unwrap().len(), 1);
    assert_eq!(kitchen.cook.store().build(2).await.unwrap(), None);

    // Killed between the history and the removal of the record.
    fs::write(&record.path, "anything").unwrap();
    kitchen.end().await;
    kitchen.begin();
    until_gone(&record.path).await;
    assert_eq!(kitchen.cook.store().build(2).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_records_harm_nothing() {
    let kitchen = Kitchen::at_work("", 1).await;
    let spool = kitchen.path(".kitchen/spool");
    let mut record = Record::of(&kitchen, "1-1", "bd --tag=$(id);<script>");
    record.file.write_all(b"\xff\xfe\0\n{}\n[[[[\nnull\n{\"at\":1e999,\"event\":\"note\"}\n\n").unwrap();
    let strange = STEP_END.replace("\"done\"", "\"'; DROP TABLE builds; --\"");
    let long = format!(r#"{{"at":1.0,"v":1,"event":"output","step":"a","line":"{}"}}"#, "x".repeat(3 << 20));
    record.add(&[STEP, &strange, &long, &"[".repeat(100_000), r#"{"at":9e99,"v":1,"event":"space"}"#, LINE]);
    // No records at all; what has nobody who writes it is removed.
    fs::write(spool.join("0-1.jsonl"), b"\0\n").unwrap();
    fs::write(spool.join("0-2.jsonl"), r#"{"record":1,"started":-1,"pid":1,"words":[]}"#).unwrap();
    fs::write(spool.join("0-3.jsonl"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", spool.join("0-4.jsonl")).unwrap();
    assert!(Command::new("mkfifo").arg(spool.join("0-5.jsonl")).status().unwrap().success());
    fs::create_dir(spool.join("0-6.jsonl")).unwrap();

    kitchen.until_log_has(1, "compile | fine\n").await;
    assert_eq!(kitchen.build(1).await.command, "cargo xtask bd '--tag=$(id);<script>'");
    assert!(kitchen.log(1).len() < 1000, "{}", kitchen.log(1));
    assert_eq!(kitchen.cook.store().request(1).await.unwrap(), None, "nobody can ask for that");
    record.add(&[&finished(0)]);
    let build = kitchen.until(1, Status::is_final).await;
    assert!(build.finished > build.started);
    until_gone(&record.path).await;
    let mut left: Vec<_> = fs::read_dir(&spool).unwrap().flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["0-4.jsonl", "0-5.jsonl", "0-6.jsonl"]);
    assert_eq!(kitchen.cook.store().build(2).await.unwrap(), None);
}

/// A process that notes that it was asked to end, for as long as there is its folder.
fn process(kitchen: &Kitchen) -> Child {
    let script =
        "trap 'echo asked >asked; exit 130' INT; echo >ready; while [ -f ready ]; do sleep 0.05; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(kitchen.path("")).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    while !kitchen.path("ready").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_process_of_a_terminal_is_ended_and_no_other() {
    let kitchen = Kitchen::at_work("", 1).await;
    let mut child = process(&kitchen);
    let pid = i64::from(child.id());
    // A later process with the number that it had.
    let other = Record::led_by(&kitchen, "1-1", "bd", pid, started(child.id()) - 1);
    known(&kitchen, 1).await;
    assert!(!kitchen.cook.kill(1).await.unwrap());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(child.try_wait().unwrap(), None);
    assert_eq!(kitchen.build(1).await.status, Status::Running, "whoever holds its record writes it on");
    drop(other);
    assert_eq!(kitchen.until(1, Status::is_final).await.status, Status::Interrupted);

    let record = Record::led_by(&kitchen, "2-1", "bd", pid, started(child.id()));
    known(&kitchen, 2).await;
    assert!(kitchen.cook.kill(2).await.unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_to_string(kitchen.path("asked")).unwrap(), "asked\n");
    drop(record);
    assert_eq!(kitchen.until(2, Status::is_final).await.status, Status::Killed);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_record_is_removed_is_interrupted() {
    let kitchen = Kitchen::at_work("", 1).await;
    let record = Record::of(&kitchen, "1-1", "bd");
    known(&kitchen, 1).await;
    fs::remove_file(&record.path).unwrap();
    let build = kitchen.until(1, Status::is_final).await;
    assert_eq!(build.status, Status::Interrupted);
    assert_eq!(build.error.as_deref(), Some("the record of the build was removed"));
}
