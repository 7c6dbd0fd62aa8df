use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use super::*;
use crate::plan::Step;

/// What a report writes, to be read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a step that prints a recording and ends with `exit_code`; returns that of the run, and what people see.
fn bake(recording: &str, exit_code: u8) -> (u8, String) {
    run(&format!("vertices/recordings/{recording}"), exit_code, Step { vertices: true, ..Step::default() })
}

fn run(recording: &str, exit_code: u8, step: Step) -> (u8, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runner");
    let step = Step {
        name: "bake".to_owned(),
        why: "to build".to_owned(),
        argv: ["sh", "-c", &format!("cat {recording} >&2; exit {exit_code}")].map(str::to_owned).to_vec(),
        ..step
    };
    let plan = Plan { cwd: folder, steps: vec![step], ..Plan::default() };
    let page = Page::default();
    let mut report = Report::on(page.clone());
    report.begin(&plan);
    let (sender, receiver) = sync_channel(BACKLOG);
    let end = Session::new(&plan, None, sender, &mut report).unwrap().run(&receiver).unwrap();
    let failures = end.failures.as_slice();
    report.event(&Event::Finished { exit_code: end.exit_code, seconds: 9.0, failed: None, failures });
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    (end.exit_code, text)
}

/// The table at the end.
fn rows(text: &str) -> Vec<&str> {
    text.lines().skip_while(|line| !line.is_empty()).skip(1).collect()
}

#[test]
fn vertices_are_shown_within_their_step() {
    let (exit_code, text) = bake("linked.txt", 0);
    assert_eq!(exit_code, 0, "{text}");
    for line in [
        "bake: img-sqlite cook 1/2 > COPY recipe.txt /",
        "bake: img-sqlite cook 2/2 | half line",
        "bake: img-sqlite exporting > exporting to oci image format",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is missing:\n{text}");
    }
    assert!(!text.contains('{'), "{text}");
    let rows = rows(&text);
    assert!(rows[0].starts_with("      bake     ") && rows[0].ends_with(" s"), "{rows:?}");
    assert_eq!(
        rows[1..],
        [
            "                 0.45 s   img-sqlite cook 1/2",
            "                 0.61 s   img-sqlite cook 2/2",
            "                 0.34 s   img-sqlite 1/3",
            "                 0.24 s   img-sqlite exporting",
            "    in all     9.00 s",
        ]
    );
}

#[test]
fn what_is_cached_is_not_shown() {
    let (exit_code, text) = bake("cached.txt", 0);
    assert_eq!(exit_code, 0, "{text}");
    assert!(!text.contains("RUN") && !text.contains("FROM"), "{text}");
    assert_eq!(rows(&text).len(), 2, "{text}");
}

#[test]
fn the_output_of_the_vertex_that_failed_is_repeated() {
    let (exit_code, text) = bake("failed.txt", 17);
    assert_eq!(exit_code, 17, "{text}");
    let last = text.lines().rev().take(3).collect::<Vec<_>>();
    assert!(last[0].starts_with("error: step `bake` failed with exit code 17: sh -c "), "{text}");
    assert_eq!(last[1..], ["error[E0425]: cannot find value", "about to fail"]);
    assert!(text.contains("      bake | ERROR: failed to solve: "), "{text}");
}

#[test]
fn the_outcome_of_a_vertex_is_not_that_of_its_step() {
    let (exit_code, text) = bake("failed.txt", 0);
    assert_eq!(exit_code, 0);
    assert!(text.contains("0.58 s   failed   base 2/2"), "{text}");
}

#[test]
fn people_see_what_cargo_says_and_no_message() {
    let step = || Step { crates: true, ..Step::default() };
    let (exit_code, text) = run("crates/recordings/test.txt", 0, step());
    assert_eq!(exit_code, 0, "{text}");
    for line in
        ["warning: unused variable: `unused`", "   Compiling mac v1.0.0 (/src/mac)", "test adds ... ok"]
    {
        assert!(text.contains(&format!("      bake | {line}\n")), "{line} is missing:\n{text}");
    }
    assert!(!text.contains(r#"{"reason"#), "{text}");
    assert_eq!(rows(&text).len(), 2, "{text}");

    let (_, text) = run("crates/recordings/failed.txt", 101, step());
    let last = text.lines().rev().nth(1).unwrap();
    assert!(last.contains("could not compile `demo-app` (lib)"), "{text}");
}
