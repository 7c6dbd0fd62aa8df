//! Builds that run to their end.

use xtask_kitchen::build::{Request, Status};

use crate::kitchen::Kitchen;

const EVENTS: &str = r#"
echo 'cargo says something' >&2
echo '{"v":1,"event":"step-started","step":"compile","why":"compile it","command":"cargo build"}'
for name in a b; do
    echo '{"v":1,"event":"crate","step":"compile","package":"'$name'","version":"1.0.0","target":"a","kind":"lib","started":0,"finished":0,"fresh":true,"outcome":"done"}'
done
printf '{"v":1,"event":"output","step":"compile","line":"\\u001b[32mfine\\u001b[0m"}\n'
echo '{"v":1,"event":"step-finished","step":"compile","outcome":"done","exit_code":0,"seconds":0.5}'
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_prints_is_in_its_log_and_in_the_history() {
    let script = format!("{EVENTS}echo '{{\"v\":1,\"event\":\"finished\",\"exit_code\":0,\"seconds\":1}}'");
    let kitchen = Kitchen::at_work(&script, 1).await;
    let id = kitchen.order().await;
    let build = kitchen.until(id, Status::is_final).await;
    assert_eq!((build.status, build.exit_code, build.error), (Status::Done, Some(0), None));
    let log = kitchen.log(id);
    for line in [
        "cargo says something\n",
        "compile > compile it\n",
        "compile | \u{1b}[32mfine\u{1b}[0m\n",
        "compile < done in 0.50 s\n",
    ] {
        assert!(log.contains(line), "{log}");
    }
    let steps = kitchen.cook.store().steps(id).await.unwrap();
    assert_eq!((steps[0].outcome.as_deref(), steps[0].fresh), (Some("done"), 2));
    let events = std::fs::read_to_string(kitchen.path(&format!(".kitchen/logs/{id}.jsonl"))).unwrap();
    assert_eq!(events.lines().count(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_as_the_build_tells_it() {
    let failed = r#"{"v":1,"event":"finished","exit_code":101,"seconds":1,"failed":"compile"}"#;
    let kitchen = Kitchen::at_work(&format!("{EVENTS}echo '{failed}'; exit 101"), 1).await;
    let id = kitchen.order().await;
    let build = kitchen.until(id, Status::is_final).await;
    assert_eq!((build.status, build.exit_code), (Status::Failed, Some(101)));
    assert_eq!(build.failed_step.as_deref(), Some("compile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_build_runs_at_a_time_and_words_are_handed_over_as_they_are() {
    let kitchen = Kitchen::at_work("echo \"$@\" >>words; sleep 0.3", 1).await;
    let [first, second] = [kitchen.order().await, {
        let request = Request { backends: vec!["one".to_owned()], dry_run: true, ..Request::default() };
        kitchen.cook.order(&request).await.unwrap()
    }];
    kitchen.until(first, |status| status == Status::Running).await;
    assert_eq!(kitchen.build(second).await.status, Status::Queued);
    let [first, second] =
        [kitchen.until(first, Status::is_final).await, kitchen.until(second, Status::is_final).await];
    assert!(first.finished <= second.started);
    let words = std::fs::read_to_string(kitchen.path("words")).unwrap();
    let json = "--message-format json";
    assert_eq!(words, format!("xtask bd {json}\nxtask bd --backend=one --dry-run {json}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_not_queued() {
    let kitchen = Kitchen::idle("", 1).await;
    let request = Request { backends: vec!["--help".to_owned()], ..Request::default() };
    let error = kitchen.cook.order(&request).await.unwrap_err().to_string();
    assert_eq!(error, "there is no backend `--help`; there is one");
    for _ in 0..200 {
        kitchen.order().await;
    }
    let error = kitchen.cook.order(&Request::default()).await.unwrap_err().to_string();
    assert_eq!(error, "the queue is full: 200 builds wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_knows_what_a_build_was_made_of() {
    let mut kitchen = Kitchen::idle("", 1).await;
    let package = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
    std::fs::write(kitchen.path("Cargo.lock"), package).unwrap();
    kitchen.begin();
    let [first, second] = [kitchen.order().await, kitchen.order().await];
    for id in [first, second] {
        kitchen.until(id, Status::is_final).await;
        let packages = kitchen.cook.store().packages(id).await.unwrap();
        assert_eq!((packages.len(), packages[0].name.as_str()), (1, "a"));
    }
    // Nobody asked for a database: it is for the first.
    assert_eq!(kitchen.cook.store().backends(first).await.unwrap(), ["one"]);
    // One that is broken is told of by the build, and is no reason not to begin it.
    std::fs::write(kitchen.path("Cargo.lock"), "<<<<<<<").unwrap();
    let broken = kitchen.order().await;
    assert_eq!(kitchen.until(broken, Status::is_final).await.status, Status::Done);
    assert!(kitchen.cook.store().packages(broken).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_be_kept_fails_and_the_next_one_runs() {
    let kitchen = Kitchen::at_work("echo it ran >>ran", 1).await;
    // A folder where the log is to be.
    std::fs::create_dir(kitchen.path(".kitchen/logs/1.log")).unwrap();
    std::fs::create_dir(kitchen.path(".kitchen/logs/2.jsonl")).unwrap();
    let builds = [kitchen.order().await, kitchen.order().await, kitchen.order().await];
    let mut ends = Vec::new();
    for id in builds {
        let build = kitchen.until(id, Status::is_final).await;
        ends.push((build.status, build.error.unwrap_or_default()));
    }
    assert!(ends[0].0 == Status::Failed && ends[0].1.starts_with("cannot open the log "), "{ends:?}");
    assert!(
        ends[1].0 == Status::Failed && ends[1].1.starts_with("cannot open the file of events"),
        "{ends:?}"
    );
    assert_eq!(ends[2].0, Status::Done);
    assert_eq!(std::fs::read_to_string(kitchen.path("ran")).unwrap(), "it ran\n", "only the last one");
}
