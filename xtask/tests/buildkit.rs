//! The engine `buildkit` from the outside, with a real BuildKit: the same images as the native engine's, pushes, the
//! Dockerfile's runtimes, and what a change costs.
//!
//! Compiling in containers takes minutes, so these tests run with CI=true, where BuildKit and the images that the
//! Dockerfile starts from are there. What is missing is said, and the tests count as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[path = "buildkit/image.rs"]
mod image;
mod markdown;
#[path = "support/platforms.rs"]
mod platforms;
#[path = "buildkit/runtimes.rs"]
mod runtimes;
#[path = "../oci/tests/registry/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the engine")]
mod server;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{events, has, root, run, xtask};

type Outcome = Result<(), Failed>;
type Test = (&'static str, fn() -> Outcome);

/// In this order and one at a time: what one compiles, the next finds in BuildKit's cache.
const TESTS: [Test; 6] = [
    ("both_engines_make_the_same_image", image::both_engines_make_the_same_image),
    ("what_buildkit_pushes_is_whole", image::what_buildkit_pushes_is_whole),
    ("every_runtime_runs", runtimes::every_runtime_runs),
    ("the_dockerfile_hands_out_binaries", the_dockerfile_hands_out_binaries),
    ("the_dockerfile_takes_the_versions_of_the_configuration", versions_agree),
    ("a_change_costs_what_it_changes", a_change_costs_what_it_changes),
];

fn main() -> ExitCode {
    let skip = missing();
    let trials = TESTS.map(|(name, test)| {
        let skip = skip.as_ref().filter(|_| name != "the_dockerfile_takes_the_versions_of_the_configuration");
        if let Some(why) = skip {
            eprintln!("skipped: {name}: {why}");
        }
        Trial::test(name, test).with_ignored_flag(skip.is_some())
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn missing() -> Option<String> {
    if std::env::var_os("CI").is_none() {
        return Some("runs with CI=true".to_owned());
    }
    let programs = ["docker", "skopeo", "qemu-aarch64-static"];
    if let Some(program) = programs.iter().find(|program| !has(program)) {
        return Some(format!("{program} is not installed"));
    }
    if let Some(why) = platforms::lacks() {
        return Some(why);
    }
    if server::program().is_none() {
        return Some("docker-registry is not installed".to_owned());
    }
    let chef = "lukemathwalker/cargo-chef:0.1.78-rust-1.95.0-bookworm";
    (!resolves(chef)).then(|| format!("BuildKit has no {chef}"))
}

/// Whether BuildKit finds an image, without fetching it.
fn resolves(image: &str) -> bool {
    let mut child = Command::new("docker")
        .args(["buildx", "build", "--quiet", "--output", "type=cacheonly", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("FROM {image}\n").as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// Runs a task by BuildKit and returns its events.
fn by_buildkit(task: &str, args: &[&str]) -> Vec<Value> {
    let format = ["--engine", "buildkit", "--message-format", "json"];
    events(&run(xtask().arg(task).args(format).args(args)))
}

/// The definition's defaults and the Dockerfile's are the same, so that `docker buildx build .` makes the same image.
fn versions_agree() -> Outcome {
    let dockerfile = fs::read_to_string(root().join("Dockerfile"))?;
    let definition: Value = serde_json::from_str(&run(xtask().args(["bake", "--quiet"])))?;
    let args = definition["target"]["binaries-sqlite"]["args"].as_object().unwrap();
    let versions = args.iter().filter(|(name, _)| name.ends_with("_VERSION") || name.ends_with("_RELEASE"));
    let versions = versions.map(|(name, value)| format!("ARG {name}={}\n", value.as_str().unwrap()));
    let versions = versions.collect::<Vec<_>>();
    assert!(versions.len() > 10, "{versions:?}");
    for line in versions {
        assert!(dockerfile.contains(&line), "the Dockerfile has no `{}`", line.trim());
    }
    Ok(())
}

/// By the command of docs/buildkit.md, into another folder.
fn the_dockerfile_hands_out_binaries() -> Outcome {
    let folder = tempfile::tempdir()?;
    let spans = markdown::document(&root(), "docs/buildkit.md").spans();
    let is_it = |span: &str| span.starts_with("docker buildx build --target artifact ");
    let (_, line) = spans.iter().find(|(_, span)| is_it(span)).unwrap();
    let line = line.replace("target/dist", &folder.path().display().to_string());
    run(Command::new("sh").args(["-e", "-c", &line]).current_dir(root()));
    for platform in ["amd64", "arm64"] {
        let program = folder.path().join(format!("app-sqlite-linux-{platform}"));
        let version = run(image::on_this_machine(&program, platform).arg("--version"));
        assert!(
            version.starts_with(&format!("app {} (", env!("CARGO_PKG_VERSION"))),
            "{platform}: {version}"
        );
    }
    Ok(())
}

/// Lines of commands that compile, and steps that ran instead of coming from the cache.
fn a_change_costs_what_it_changes() -> Outcome {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("context");
    let files = run(Command::new("git").args(["ls-files"]).current_dir(root()));
    for file in files.lines().filter(|file| root().join(file).is_file()) {
        fs::create_dir_all(copy.join(file).parent().unwrap())?;
        fs::copy(root().join(file), copy.join(file))?;
    }
    // What the definition names relative to the repository.
    fs::create_dir_all(copy.join("target/images/packages"))?;
    let definition = run(xtask().args(["bake", "--quiet", "--platform", "linux/amd64"]));
    let bake = || bake(&copy, &definition);
    let sent = bake();
    let sizes =
        sent.lines().filter_map(|line| line.split("transferring context: ").nth(1)?.split(' ').next());
    let sizes = sizes.collect::<Vec<_>>();
    assert!(sizes.iter().any(|size| size.ends_with("kB")), "{sent}");
    assert!(!sizes.iter().any(|size| size.ends_with("MB")), "the context is {sizes:?}");
    let compiled = |log: &str| log.lines().filter(|line| line.contains("   Compiling ")).count();

    fs::write(copy.join("xtask/src/main.rs"), "fn main() {}\n")?;
    fs::write(copy.join("README.md"), "changed\n")?;
    let pipeline = bake();
    assert_eq!(compiled(&pipeline), 0, "{pipeline}");

    run(support::clean(Command::new("cargo"))
        .args(["update", "--quiet", "--package", "itoa", "--precise", "1.0.17"])
        .current_dir(&copy));
    // An earlier run of this test may have left the layers of this very change with the builder.
    let manifest = copy.join("app/Cargo.toml");
    let unique = format!("\n[package.metadata.test]\nfolder = \"{}\"\n", folder.path().display());
    fs::write(&manifest, fs::read_to_string(&manifest)? + &unique)?;
    let leaf = bake();
    // What cargo-chef puts in the place of the service shows that cook has run. itoa is in HTTP, JSON and the log;
    // everything else stays.
    assert!(leaf.contains("Compiling app v0.0.1"), "{leaf}");
    assert!(!leaf.contains("Compiling tokio v") && !leaf.contains("Compiling rustls v"), "{leaf}");
    assert!(compiled(&leaf) < 60, "{} crates\n{leaf}", compiled(&leaf));

    let source = copy.join("app/src/server/mod.rs");
    fs::write(&source, fs::read_to_string(&source)?.replace("\"listening\"", "\"listening now\""))?;
    let edit = bake();
    assert_eq!(compiled(&edit), 1, "{edit}");
    Ok(())
}

/// Has bake make the binaries of a definition from another folder, and returns what it prints.
fn bake(context: &Path, definition: &str) -> String {
    let mut child = Command::new("docker")
        .args(["buildx", "bake", "--file", "-", "--progress", "plain", "binaries-sqlite"])
        .current_dir(context)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(definition.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    log
}
