//! The page of a run, in a browser.
//!
//! Needs chromium. Where it is not there, that is said, and the tests in it count as ignored.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[path = "support/page.rs"]
mod page;
mod workspace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use workspace::{Workspace, check_documented, signal, stderr};

/// What the engine does as `artifact`: it puts the binary in its place.
const XTASK_OCI: &str =
    "for last; do :; done; mkdir -p \"$(dirname \"$last\")\"; echo x > \"$last\"; echo 0 > \"$last.sha256\"";

/// Looks at the page, and does what a reader does.
const LOOK: &str = include_str!("timings/look.html");

fn main() -> ExitCode {
    let skip = page::browser().is_none().then_some("chromium is not installed");
    let in_browser = |name: &str, test: fn() -> Result<(), Failed>| {
        if let Some(why) = skip {
            eprintln!("skipped: {name}: {why}");
        }
        Trial::test(name, test).with_ignored_flag(skip.is_some())
    };
    let trials = vec![
        Trial::test("a_page_is_written_however_the_run_ended", a_page_is_written_however_the_run_ended),
        Trial::test("a_page_goes_where_it_is_wanted", a_page_goes_where_it_is_wanted),
        in_browser("a_real_run_is_shown", a_real_run_is_shown),
        in_browser("many_bars_and_hostile_names_are_shown", many_bars_and_hostile_names_are_shown),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A workspace whose `build` compiles by `compile`.
fn builds(compile: &str) -> Workspace {
    let script = format!("case \"$*\" in *'--package app'*) {compile};; metadata*) echo '{{}}';; esac");
    let workspace = Workspace::with(&script);
    workspace.program("xtask-oci", XTASK_OCI);
    workspace
}

fn build<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let platform = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
    [&["build", "--linker", "host", "--platform", platform], more].concat()
}

/// The pages below the target folder.
fn pages(workspace: &Workspace) -> Vec<PathBuf> {
    let folder = fs::read_dir(workspace.path().join("target/timings"));
    folder.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn a_page_is_written_however_the_run_ended() -> Result<(), Failed> {
    let workspace = builds("echo fine");
    let output = workspace.run(&build(&["--timings"]));
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    let (_, last) = text.trim_end().rsplit_once('\n').unwrap();
    let path = last.strip_prefix("   timings  ").unwrap_or_else(|| panic!("{text}"));
    assert!(path.starts_with("target/timings/build-2") && path.ends_with("Z.html"), "{path}");
    assert_eq!(pages(&workspace), [workspace.path().join(path)]);

    let workspace = builds("exit 7");
    let output = workspace.run(&build(&["--timings"]));
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("note: the waterfall is in target/timings/build-"), "{text}");
    assert!(text.trim_end().lines().last().unwrap().starts_with("error: step `compile` failed"), "{text}");
    assert!(fs::read_to_string(&pages(&workspace)[0])?.contains(r#""failed":"compile""#));

    let workspace = builds("touch started; sleep 60");
    let xtask = workspace.xtask(&build(&["--timings"])).spawn()?;
    workspace.wait_for("started");
    signal(&xtask, "INT");
    assert_eq!(xtask.wait_with_output()?.status.code(), Some(130));
    assert!(fs::read_to_string(&pages(&workspace)[0])?.contains(r#""outcome":"cancelled""#));
    Ok(())
}

fn a_page_goes_where_it_is_wanted() -> Result<(), Failed> {
    let workspace = builds("echo fine");
    let elsewhere = tempfile::tempdir()?;
    let args = build(&["--timings=sub/page.html", "--message-format", "json"]);
    let output = workspace.xtask(&args).current_dir(elsewhere.path()).output()?;
    let events = String::from_utf8(output.stdout)?;
    let events = events.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    check_documented(&events);
    let [.., timings, finished] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&timings["event"], &finished["event"]), (&"timings".into(), &"finished".into()));
    assert_eq!(Path::new(timings["path"].as_str().unwrap()), elsewhere.path().join("sub/page.html"));
    assert!(elsewhere.path().join("sub/page.html").is_file() && pages(&workspace).is_empty());

    // What cannot be written is said, and the run is what it is.
    let output = workspace.run(&build(&["--timings=/dev/null/page.html"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let note = "note: cannot write the timings to /dev/null/page.html: ";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    Ok(())
}

fn a_real_run_is_shown() -> Result<(), Failed> {
    let cargo = std::env::var("CARGO")?;
    let flags = "--offline --message-format=json-render-diagnostics --target-dir demo/target";
    let workspace = builds(&format!("exec '{cargo}' build {flags} --manifest-path demo/Cargo.toml"));
    for (file, text) in [
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n"),
        ("one/Cargo.toml", "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("one/src/lib.rs", "pub fn one() {}\n"),
        ("one/build.rs", "fn main() {}\n"),
        (
            "two/Cargo.toml",
            "[package]\nname = \"two\"\nversion = \"0.2.0\"\nedition = \"2024\"\n\
             [dependencies]\none.path = \"../one\"\n",
        ),
        ("two/src/main.rs", "fn main() { one::one() }\n"),
    ] {
        let path = workspace.path().join("demo").join(file);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, text)?;
    }
    let timings = format!("--timings={}", workspace.path().join("page.html").display());
    let run = || -> Result<Value, Failed> {
        let output = workspace.run(&build(&[&timings, "--message-format", "json"]));
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
        let events = String::from_utf8(output.stdout)?;
        let events = events.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        check_documented(&events);
        Ok(Value::Array(events))
    };
    let crates = |events: &Value, fresh: bool| {
        let events = events.as_array().unwrap().iter();
        events.filter(|event| event["event"] == "crate" && event["fresh"] == fresh).count()
    };
    let events = run()?;
    assert_eq!((crates(&events, false), crates(&events, true)), (4, 0), "{events:#}");
    for (scheme, is_dark) in [("1", false), ("0", true)] {
        for (seen, width) in
            page::look(&workspace.path().join("page.html"), LOOK, scheme).iter().zip([400, 800, 1400])
        {
            assert_eq!((&seen["width"], &seen["dark"]), (&width.into(), &is_dark.into()), "{seen:#}");
            assert_eq!((&seen["steps"], &seen["units"]), (&4.into(), &4.into()), "{seen:#}");
            assert_eq!((&seen["verdict"], &seen["moved"]), (&"done".into(), &true.into()), "{seen:#}");
            assert_eq!(seen["cores"] == 0, !Path::new("/proc/stat").exists(), "{seen:#}");
            let names = seen["names"].as_array().unwrap();
            assert!(names.contains(&"two 0.2.0".into()), "{seen:#}");
            let ground = if is_dark { "rgb(19, 20, 23)" } else { "rgb(247, 247, 245)" };
            assert_eq!(seen["ground"], ground);
        }
    }

    let events = run()?;
    assert_eq!((crates(&events, false), crates(&events, true)), (0, 4), "{events:#}");
    for seen in page::look(&workspace.path().join("page.html"), LOOK, "1") {
        assert_eq!(
            (&seen["units"], &seen["fresh"][0]),
            (&0.into(), &"4 crates were fresh".into()),
            "{seen:#}"
        );
    }
    Ok(())
}

fn many_bars_and_hostile_names_are_shown() -> Result<(), Failed> {
    let hostile = "</script><img src=//example.org/x><script>console.error(1)</script>";
    let workspace = builds("cat messages; exit 3");
    let message = |name: &str| {
        format!(
            "{}\n",
            serde_json::json!({
                "reason": "compiler-artifact", "package_id": format!("p#{name}@1.0.0"), "fresh": false,
                "target": {"kind": ["lib"], "name": name}, "profile": {"test": false},
            })
            .to_string()
            // As cargo writes it, the reason comes first.
            .replace(r#","reason":"compiler-artifact""#, "")
            .replacen('{', r#"{"reason":"compiler-artifact","#, 1)
        )
    };
    let long = "a-name-without-any-place-to-break-it".repeat(8);
    let messages = [hostile, &long].map(message).concat()
        + &(2..1500).map(|number| message(&format!("crate-{number}"))).collect::<String>();
    fs::write(workspace.path().join("messages"), messages)?;
    let timings = format!("--timings={}", workspace.path().join("page.html").display());
    let output = workspace.run(&build(&[&timings, "--quiet"]));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    for seen in page::look(&workspace.path().join("page.html"), LOOK, "0") {
        assert_eq!((&seen["units"], &seen["rows"]), (&1500.into(), &1500.into()), "{seen:#}");
        assert_eq!((&seen["verdict"], &seen["strangers"]), (&"compile failed".into(), &0.into()), "{seen:#}");
        let names = seen["names"].as_array().unwrap();
        assert!(names.contains(&format!("{hostile} 1.0.0").into()), "{seen:#}");
        let told = seen["told"].as_array().unwrap().iter().filter_map(Value::as_str);
        assert!(told.clone().any(|text| text.ends_with("failed")), "{seen:#}");
    }
    Ok(())
}
