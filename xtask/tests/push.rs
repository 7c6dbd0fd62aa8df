//! `cargo xtask bdp` from the outside: every platform in a real registry, and what `verify` says of it.
//!
//! Needs what compiles for every platform, and the program `docker-registry`, elsewhere called `registry`. Where they are
//! not there, that is said, and the test counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod markdown;
#[path = "support/platforms.rs"]
mod platforms;
#[path = "../oci/tests/registry/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the engine")]
mod server;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use markdown::{Shown, document};
use server::Registry;
use support::{events, root, run, xtask};

fn main() -> ExitCode {
    let skip = missing();
    if let Some(why) = &skip {
        eprintln!("skipped: what_is_pushed_is_whole: {why}");
    }
    let trial = Trial::test("what_is_pushed_is_whole", what_is_pushed_is_whole);
    libtest_mimic::run(&Arguments::from_args(), vec![trial.with_ignored_flag(skip.is_some())]).exit_code()
}

fn missing() -> Option<String> {
    if server::program().is_none() {
        return Some("docker-registry is not installed".to_owned());
    }
    platforms::lacks()
}

/// Runs `bdp` and returns what it says of the image.
fn bdp(image: &str, more: &[&str]) -> serde_json::Value {
    let output = run(xtask().args(["bdp", "--message-format", "json", "--image", image]).args(more));
    events(&output).into_iter().find(|event| event["event"] == "image").unwrap()
}

/// A line without its figures: each build has its own.
fn form(line: &str) -> String {
    let word = |word: &str| {
        let mut form = word.replace(|c: char| c.is_ascii_digit(), "0");
        while form.contains("00") {
            form = form.replace("00", "0");
        }
        if word.len() < 40 { form } else { "…".to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn what_is_pushed_is_whole() -> Result<(), Failed> {
    let registry = Registry::start();
    let image = format!("{}/team/app", registry.address);
    let foreseen = bdp(&image, &["--dry-run"]);
    assert_eq!(foreseen["push"]["dry_run"], true);
    let pushed = bdp(&image, &["--tag", "next"]);
    assert_eq!(pushed["digest"], foreseen["digest"]);
    let platforms =
        pushed["platforms"].as_array().unwrap().iter().map(|one| one["platform"].as_str().unwrap());
    assert_eq!(platforms.collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
    let (would, did) = (&foreseen["push"]["uploaded"], &pushed["push"]["uploaded"]);
    assert!(did.as_u64().unwrap() > 1_000_000 && would == did, "{would} {did}");
    assert_eq!(bdp(&image, &[])["push"]["uploaded"], 0);

    let output = xtask().args(["verify", &format!("{image}:next"), "--no-rebuild"]).output()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("yes: platforms: linux/amd64, linux/arm64"), "{said}");
    for platform in ["linux/amd64", "linux/arm64"] {
        assert!(
            said.contains(&format!("yes: digests for {platform}: manifest, config and 3 layers")),
            "{said}"
        );
        assert!(said.contains(&format!("yes: user on {platform}: 65532:65532")), "{said}");
        assert!(said.contains(&format!("yes: SBOM for {platform} in SPDX: ")), "{said}");
    }
    // A work tree with changes gets no provenance.
    let changes = run(Command::new("git").args(["status", "--porcelain"]).current_dir(root()));
    let [shown] = &document(&root(), "docs/images.md").commands_of("cargo xtask verify ")[..] else {
        panic!("docs/images.md shows verify once")
    };
    let is_expected = |line: &&String| match line.as_str() {
        _ if line.contains("yes: built again: ") => false,
        _ => changes.is_empty() || !line.contains("yes: provenance: "),
    };
    let expected = shown.output.iter().filter(is_expected).map(|line| form(line)).collect();
    let expected = Shown { output: expected, ..shown.clone() };
    let told = said.lines().map(|line| form(line) + "\n").collect::<String>();
    assert_eq!(expected.missing(&told), None, "{}:\n{said}", shown.place);
    let problems = said.matches("NO: ").count();
    assert_eq!(problems, usize::from(!changes.is_empty()), "{said}");
    assert_eq!(output.status.success(), problems == 0, "{said}");
    Ok(())
}
