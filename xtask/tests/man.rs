//! The pages of `cargo xtask man`, and what formatters say of them. What a machine lacks is said, and counts as ignored.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod help;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, ExitCode};

use help::tasks;
use libtest_mimic::{Arguments, Failed, Trial};
use support::{has, root, run};
use tempfile::TempDir;

fn main() -> ExitCode {
    let warns = |program: &'static str, args: &'static [&'static str]| {
        let lacks = !has(program);
        let name = format!("{program}_warns_of_nothing");
        if lacks {
            eprintln!("skipped: {name}: {program} is not installed");
        }
        Trial::test(name, move || warns_of_nothing(program, args)).with_ignored_flag(lacks)
    };
    let trials = vec![
        Trial::test("every_task_that_is_shown_has_a_page", every_task_that_is_shown_has_a_page),
        // In the C locale, where what is beyond ASCII has to be written by its name in roff.
        warns("groff", &["-man", "-ww", "-Tutf8"]),
        warns("mandoc", &["-T", "lint", "-W", "warning"]),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A folder with the pages, twice over, as after a change.
fn pages() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg("man").arg(folder.path().join("new/man1")).env("CARGO_MANIFEST_DIR", root().join("xtask"));
        run(&mut xtask);
    }
    folder
}

fn every_task_that_is_shown_has_a_page() -> Result<(), Failed> {
    let folder = pages();
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join("new/man1"))? {
        let path = entry?.path();
        texts.insert(path.file_name().unwrap().to_owned().into_string().unwrap(), fs::read_to_string(path)?);
    }
    let of_tasks = tasks().into_iter().map(|task| format!("cargo-xtask-{task}.1"));
    let nested = ["cargo-xtask-builder-create.1", "cargo-xtask-registry-check.1", "cargo-xtask-sqlx-check.1"];
    for name in of_tasks.chain(nested.map(str::to_owned)) {
        let page = texts.get(&name).ok_or_else(|| format!("{name} is missing: {:?}", texts.keys()))?;
        assert!(page.contains(".SH EXAMPLES\n.TP\n"), "{name}: {page}");
    }
    assert!(texts["cargo-xtask-bd.1"].contains(r"\fBcargo xtask bd \-\-engine buildkit \-\-dry\-run\fR"));
    let hidden = texts.keys().find(|name| name.contains("watchdog") || name.contains("sccache"));
    assert_eq!(hidden, None);
    Ok(())
}

fn warns_of_nothing(program: &str, args: &[&str]) -> Result<(), Failed> {
    let folder = pages();
    for entry in fs::read_dir(folder.path().join("new/man1"))? {
        let path = entry?.path();
        let output = Command::new(program).args(args).arg(&path).env("LC_ALL", "C").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let lint = if program == "mandoc" { String::from_utf8_lossy(&output.stdout) } else { "".into() };
        assert!(
            output.status.success() && said.is_empty() && lint.is_empty(),
            "{}: {said}{lint}",
            path.display()
        );
    }
    Ok(())
}
