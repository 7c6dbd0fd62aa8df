//! The whole tool, in a small repository with a small program in the place of cargo: what it measures, what it leaves, and
//! what its page looks like.
//!
//! Some of it needs a browser or hadolint. Where one is not there, that is said, and the test counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[path = "../../../tests/support/page.rs"]
mod page;
mod repository;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use repository::{Repository, stderr, wait_until};
use serde_json::Value;

fn main() -> ExitCode {
    let hadolint = Command::new("hadolint").arg("--version").output().is_err().then_some("hadolint");
    let chromium = page::browser().is_none().then_some("chromium");
    let needing = |missing: Option<&str>, name: &str, test: fn() -> Result<(), Failed>| {
        if let Some(program) = missing {
            eprintln!("skipped: {name}: {program} is not installed");
        }
        Trial::test(name, test).with_ignored_flag(missing.is_some())
    };
    let trials = vec![
        needing(None, "all_is_measured_in_turn_and_the_checkout_is_left_alone", in_turn),
        needing(None, "who_fails_is_left_out", who_fails_is_left_out),
        needing(None, "a_run_that_is_killed_leaves_nothing", || nothing_is_left("KILL", None)),
        needing(None, "a_run_that_is_interrupted_leaves_nothing", || nothing_is_left("INT", Some(130))),
        needing(None, "what_was_measured_before_an_interruption_is_kept", what_was_measured_is_kept),
        needing(None, "a_revision_that_is_worse_fails", a_revision_that_is_worse_fails),
        needing(None, "costs_are_lines_where_they_grow", costs_are_lines_where_they_grow),
        needing(None, "layers_are_compared_by_level", layers_are_compared_by_level),
        needing(None, "mistakes_are_explained", mistakes_are_explained),
        needing(hadolint, "recipes_of_peers_have_no_lints", recipes_of_peers_have_no_lints),
        needing(chromium, "the_page_asks_for_nothing_in_light_and_dark", the_page_asks_for_nothing),
        needing(chromium, "plots_are_drawn", plots_are_drawn),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn in_turn() -> Result<(), Failed> {
    let repository = Repository::new();
    let output = repository.bench(&["edit", "same", "--peer", "galley,cargo", "--rounds", "2"]).output()?;
    assert!(output.status.success(), "{}", stderr(&output));

    // Each builds once, warms up, and is measured twice; an edit is another each time.
    let log = repository.log();
    let kinds = log.iter().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(kinds, [&["fetch"][..], &["xtask", "build"].repeat(7)].concat(), "{log:#?}");
    let said = log[3..9].iter().map(|line| line.split(' ').nth(1).unwrap()).collect::<Vec<_>>();
    let mut distinct = said.clone();
    distinct.dedup();
    assert!(distinct.len() == 6 && said.iter().all(|text| text.starts_with("\"listening1")), "{said:?}");

    let report: Value = serde_json::from_str(&fs::read_to_string(repository.report("json"))?)?;
    let [edit, same] = &report["sections"].as_array().unwrap()[..] else { panic!("{report:#}") };
    assert_eq!((&edit["scenario"], &same["scenario"]), (&"edit".into(), &"same".into()));
    for (row, name) in edit["rows"].as_array().unwrap().iter().zip(["galley", "cargo"]) {
        assert_eq!((&row["name"], row["samples"].as_array().unwrap().len()), (&name.into(), 2), "{row:#}");
        assert!(row["figures"]["seconds"]["median"].as_f64().unwrap() > 0.05, "{row:#}");
    }
    let table = String::from_utf8(output.stdout)?;
    assert!(table.starts_with("## One line edited\n") && table.contains("| × galley | × cargo |"), "{table}");
    repository.check_untouched();
    Ok(())
}

fn who_fails_is_left_out() -> Result<(), Failed> {
    let repository = Repository::new();
    let mut bench = repository.bench(&["edit", "--peer", "galley,cargo", "--rounds", "1"]);
    let output = bench.env("FAILS", "build").output()?;
    assert!(output.status.success(), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout)?;
    assert!(table.contains("without cargo: no such crate"), "{table}");
    assert!(table.contains("| galley |"), "{table}");

    // What cannot be measured at all is no success.
    let output = repository.bench(&["start", "--peer", "galley"]).output()?;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("failed: Docker does not run"), "{}", stderr(&output));
    Ok(())
}

/// A run that hangs in the scenario `edit`, and is ended there.
fn ended(scenarios: &[&str], signal: &str, code: Option<i32>) -> Result<Repository, Failed> {
    let repository = Repository::new();
    let mut bench =
        repository.bench(&[scenarios, &["--quick", "--peer", "galley", "--rounds", "1"]].concat());
    let mut bench = bench.env("HANGS", "xtask").spawn()?;
    let hanging = wait_until("a program hangs", || repository.hanging());
    assert!(repository.temporary() > 0 && is_alive(&hanging));
    let status = Command::new("kill").args([&format!("-{signal}"), &bench.id().to_string()]).status()?;
    assert!(status.success());
    assert_eq!(bench.wait()?.code(), code);
    wait_until("all is gone", || (repository.temporary() == 0 && !is_alive(&hanging)).then_some(()));
    repository.check_untouched();
    Ok(repository)
}

fn nothing_is_left(signal: &str, code: Option<i32>) -> Result<(), Failed> {
    let repository = ended(&["edit"], signal, code)?;
    assert!(!repository.report("json").exists());
    Ok(())
}

fn what_was_measured_is_kept() -> Result<(), Failed> {
    let repository = ended(&["payload", "edit"], "INT", Some(130))?;
    let report: Value = serde_json::from_str(&fs::read_to_string(repository.report("json"))?)?;
    let scenarios = report["sections"].as_array().unwrap().iter().map(|section| &section["scenario"]);
    assert_eq!(scenarios.collect::<Vec<_>>(), ["payload"]);
    assert_eq!(report["notes"][1], "stopped by signal 2: what was still to be measured is not here");
    assert!(repository.report("html").exists());
    Ok(())
}

fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Nobody may have asked yet how it ended.
    !stat.is_empty() && !stat.contains(") Z ")
}

fn a_revision_that_is_worse_fails() -> Result<(), Failed> {
    let repository = Repository::new();
    // From now on galley takes ten times as long, so that it shows on a busy machine as well.
    repository.commit("slow", "3.0");
    let args = ["edit", "--rounds", "3", "--against"];
    let output = repository.bench(&[&args[..], &["HEAD~1"]].concat()).output()?;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout)?;
    assert!(table.contains("edit: ") && table.contains(": WORSE"), "{table}");
    let output = repository.bench(&[&args[..], &["HEAD"]].concat()).output()?;
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && table.contains("edit: "), "{table}{}", stderr(&output));
    Ok(())
}

fn costs_are_lines_where_they_grow() -> Result<(), Failed> {
    let repository = Repository::new();
    let scenarios = ["crates", "matrix", "history", "payload"];
    let output = repository.bench(&[&scenarios[..], &["--quick", "--rounds", "1"]].concat()).output()?;
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_str(&fs::read_to_string(repository.report("json"))?)?;
    let places = [
        ("crates", "galley", &[1.0, 10.0, 50.0][..]),
        ("images", "two platforms", &[2.0]),
        ("commits", "galley", &[100.0, 1_000.0, 10_000.0, 100_000.0]),
        ("GB", "galley", &[0.0001, 0.001, 0.01, 0.1]),
    ];
    for (section, (of, name, places)) in report["sections"].as_array().unwrap().iter().zip(places) {
        let growth = &section["growth"];
        assert_eq!(growth["of"], of, "{section:#}");
        let points = |line: &Value| {
            let points = line["points"].as_array().unwrap().iter();
            points.map(|point| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap())).collect::<Vec<_>>()
        };
        let lines = growth["lines"].as_array().unwrap();
        // Two points make a line, and with one database there is one point for two platforms.
        if let Some(line) = lines.iter().find(|line| line["name"] == name && line["quantity"] == "seconds") {
            assert_eq!(points(line).iter().map(|point| point.0).collect::<Vec<_>>(), places);
            assert!(points(line).iter().all(|point| point.1 > 0.0), "{line:#}");
        } else {
            assert_eq!(of, "images", "{section:#}");
        }
    }
    let table = String::from_utf8(output.stdout)?;
    assert!(table.contains("\ngalley: seconds = 0.") && table.contains(" for each crate\n"), "{table}");
    assert!(table.contains("\n| two platforms, 2 images |"), "{table}");
    repository.check_untouched();
    Ok(())
}

fn layers_are_compared_by_level() -> Result<(), Failed> {
    let repository = Repository::new();
    let output = repository.bench(&["layers", "--quick", "--rounds", "1"]).output()?;
    assert!(output.status.success(), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout)?;
    for title in ["## A layer of 0.01 GB by level\n", "## A layer of 0.05 GB by level\n"] {
        assert!(table.contains(title), "{table}");
    }
    for row in ["| galley zstd:balanced ", "| galley zstd:smallest ", "| tar with gzip "] {
        assert_eq!(table.matches(row).count(), 2, "{table}");
    }
    repository.check_untouched();
    Ok(())
}

fn mistakes_are_explained() -> Result<(), Failed> {
    let repository = Repository::new();
    let output = repository.bench(&["edit", "--against", "nowhere"]).output()?;
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("error: there is no revision nowhere; `git log` shows"), "{text}");
    let output = repository.bench(&["edit", "--image", "a"]).output()?;
    assert!(stderr(&output).contains("error: --image a: write it as NAME=REFERENCE"), "{}", stderr(&output));
    repository.check_untouched();
    Ok(())
}

fn recipes_of_peers_have_no_lints() -> Result<(), Failed> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    for peer in fs::read_dir(peers)? {
        let output = Command::new("hadolint").arg(peer?.path().join("Dockerfile")).output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

fn the_page_asks_for_nothing() -> Result<(), Failed> {
    let repository = Repository::new();
    let output = repository.bench(&["edit", "--peer", "galley,cargo", "--rounds", "1"]).output()?;
    assert!(output.status.success(), "{}", stderr(&output));
    for (scheme, is_dark, ground) in [("1", false, "rgb(247, 247, 245)"), ("0", true, "rgb(19, 20, 23)")] {
        for (seen, width) in
            page::look(&repository.report("html"), include_str!("look.html"), scheme).iter().zip([400, 1400])
        {
            assert_eq!((&seen["width"], &seen["dark"]), (&width.into(), &is_dark.into()), "{seen:#}");
            assert_eq!((&seen["ground"], &seen["bars"]), (&ground.into(), &2.into()), "{seen:#}");
            assert_eq!((&seen["strangers"], &seen["commit"]), (&0.into(), &true.into()), "{seen:#}");
        }
    }
    Ok(())
}

fn plots_are_drawn() -> Result<(), Failed> {
    let repository = Repository::new();
    let folder = repository.path("plots");
    let args = ["edit", "same", "--peer", "galley", "--rounds", "1", "--png", folder.to_str().unwrap()];
    let output = repository.bench(&args).output()?;
    assert!(output.status.success(), "{}", stderr(&output));
    for name in ["edit.png", "same.png"] {
        let bytes = fs::read(folder.join(name))?;
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 2000, "{name} has {} bytes", bytes.len());
    }
    Ok(())
}
