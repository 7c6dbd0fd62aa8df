//! The engine's program, and what it needs of this test binary in a process of its own.

use std::fs;
use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::process::{Command, Stdio};

use image_spec::{Base, ImageReport, ImageSpec, Output, PushReport};
use xtask_oci::base64;
use xtask_oci::registry::push::Push;

use super::common::Sandbox;
use super::login::{IDENTITY, PASSWORD, USER};
use super::sample::{self, Samples};

/// A push as such.
pub const PUSH: Output =
    Output::Registry { immutable: Vec::new(), dry_run: false, proofs: false, fallback: None };

/// What this binary is told by, when it is to push on behalf of a test.
const TASK: &str = "REGISTRY_TEST_PUSH";

/// What came of a run.
pub struct Outcome {
    pub ok: bool,
    pub stderr: String,
    pub push: Option<PushReport>,
}

/// The project of a sandbox as an image that is pushed under these names.
pub fn spec(sandbox: &Sandbox, names: &[String]) -> ImageSpec {
    let outputs = vec![PUSH];
    let tags = names.iter().map(|name| name.parse().unwrap()).collect();
    ImageSpec { base: Base::Scratch, tags, outputs, ..sandbox.spec() }
}

/// The engine with nothing of the test's environment.
pub fn command(sandbox: &Sandbox, spec: &ImageSpec) -> Command {
    let file = sandbox.file("spec.json", &serde_json::to_vec(spec).unwrap());
    let mut command = program(sandbox);
    command.arg("image").arg(file).arg("--cache").arg(sandbox.path("cache"));
    command.arg("--metadata-file").arg(sandbox.path("report.json"));
    command
}

/// The same, whatever it is to do.
pub fn program(sandbox: &Sandbox) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-oci"));
    bare(&mut command, sandbox);
    command
}

fn bare(command: &mut Command, sandbox: &Sandbox) {
    let path = std::env::var("PATH").unwrap();
    command.env_clear().env("PATH", format!("{}:{path}", sandbox.path("bin").display()));
    command.env("HOME", sandbox.path("home")).current_dir(sandbox.path("."));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// Runs it to its end. Nothing that it prints is a secret.
pub fn run(mut command: Command, report: &Path, tokens: impl FnOnce() -> Vec<String>) -> Outcome {
    let _ = fs::remove_file(report);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let basic = base64::encode(format!("{USER}:{PASSWORD}").as_bytes());
    let secrets = [PASSWORD.to_owned(), IDENTITY.to_owned(), basic, "pass%3Aword".to_owned()];
    for secret in secrets.into_iter().chain(tokens()) {
        assert!(
            !stderr.contains(&secret) && !output.stdout.windows(secret.len()).any(|w| w == secret.as_bytes())
        );
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
    let found = fs::read(report).ok().map(|json| serde_json::from_slice::<ImageReport>(&json).unwrap());
    Outcome { ok: output.status.success(), stderr, push: found.and_then(|report| report.push) }
}

/// This binary in a process of its own, to push a sample with an environment that the test chooses.
pub fn helper(sandbox: &Sandbox, name: &str, source: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    bare(&mut command, sandbox);
    command.env(TASK, format!("{name} {source}"));
    command
}

/// Does what [`helper`] asks for, where this process is one.
pub fn help() -> Option<bool> {
    let task = std::env::var(TASK).ok()?;
    let (name, source) = task.split_once(' ').unwrap();
    let samples = Samples::new();
    let image = samples.named(1, &[100_000, 200_000], &[name.to_owned()]);
    let how = Push { sources: vec![source.parse().unwrap()], ..Push::default() };
    let result = sample::push_with(&image, &sample::connection(), &how);
    let _ = match &result {
        Ok(report) => writeln!(stdout(), "{}", serde_json::to_string(report).unwrap()),
        Err(error) => writeln!(stderr(), "{error}"),
    };
    Some(result.is_ok())
}
