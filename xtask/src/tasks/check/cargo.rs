//! How cargo lints and tests.
//!
//! What is to be linted and tested, one cargo does: clippy's compiler, `clippy-driver`, stands in for rustc and goes on to
//! make the tests. That spares the second compilation of all dependencies that `cargo clippy` would need for itself, and
//! reads the sources once instead of twice.
// template: if pipeline_tests
//! docs/performance.md has the figures.
// template: end

use super::inputs::Inputs;
use super::select::Kind;
use super::{Gate, MESSAGES, Part, debug, words};
use crate::plan::{Step, shell};
use crate::platform;

/// What has cargo and nextest run the rest after a test that failed.
pub(super) const GO_ON: &str = "--no-fail-fast";

/// What the names of steps that repair lints begin with.
pub(super) const FIX: &str = "fix-";

/// Something that is linted and tested.
pub(super) struct Code<'a> {
    /// Its name on the command line.
    pub(super) name: &'a str,
    /// What it is, in the middle of a sentence.
    pub(super) what: String,
    /// The arguments that mean it.
    pub(super) packages: Vec<String>,
    /// The arguments that mean what of it runs here, where that is not all.
    pub(super) targets: Vec<String>,
    /// The arguments that put its programs where no other of the same name replaces them while tests run them.
    pub(super) programs: Vec<String>,
    pub(super) inputs: Inputs,
    /// What puts its tests beside a database, if they need one.
    pub(super) beside: Vec<String>,
}

impl Code<'_> {
    /// The arguments that mean all of it that can be linted.
    fn lintable(&self) -> Vec<String> {
        if self.targets.is_empty() { words(&["--all-targets"]) } else { self.targets.clone() }
    }
}

impl Gate<'_> {
    /// What is wanted of lints and tests.
    pub(super) fn code(&self, code: &Code<'_>) -> Vec<Part> {
        let wanted = [Kind::Clippy, Kind::Test].map(|kind| self.selection.wants_for(kind, code.name));
        let parts = match wanted {
            [true, true] => {
                let why = format!("{} has no lints, and all its tests pass", code.what);
                vec![self.tests(code, code.name.to_owned(), why, &linting())]
            }
            [true, false] => vec![self.clippy(code)],
            [false, true] => vec![self.test(code)],
            [false, false] => vec![],
        };
        if !self.flags.fix || !wanted[0] {
            return parts;
        }
        let fix = self.fix(code);
        let needs = [fix.step.name.clone()];
        std::iter::once(fix).chain(parts.into_iter().map(|part| part.after(&needs))).collect()
    }

    /// Tests without lints.
    pub(super) fn test(&self, code: &Code<'_>) -> Part {
        self.tests(code, format!("test-{}", code.name), format!("all tests of {} pass", code.what), &[])
    }

    /// Lints without tests.
    pub(super) fn clippy(&self, code: &Code<'_>) -> Part {
        let command = words(&["cargo", "clippy", "--locked", MESSAGES]);
        let argv = [command, code.lintable(), code.packages.clone(), words(&["--", "-D", "warnings"])];
        self.cargo(
            code,
            format!("clippy-{}", code.name),
            format!("{} has no lints", code.what),
            argv.concat(),
        )
    }

    /// Lints of what has tests that cannot run. It shares the dependencies that are compiled for tests of others.
    pub(super) fn compile(&self, code: &Code<'_>) -> Part {
        let command = words(&["cargo", "test", "--locked", MESSAGES, "--no-run"]);
        let argv = [command, code.packages.clone(), linting(), code.programs.clone()];
        self.cargo(
            code,
            format!("clippy-{}", code.name),
            format!("{} has no lints", code.what),
            argv.concat(),
        )
    }

    /// Repairs of lints.
    fn fix(&self, code: &Code<'_>) -> Part {
        let command = ["cargo", "clippy", "--locked", MESSAGES, "--fix", "--allow-dirty", "--allow-staged"];
        let argv = [words(&command), code.lintable(), code.packages.clone()];
        self.cargo(
            code,
            format!("{FIX}{}", code.name),
            format!("repair lints of {}", code.what),
            argv.concat(),
        )
    }

    fn tests(&self, code: &Code<'_>, name: String, why: String, linting: &[String]) -> Part {
        let which = [&code.packages[..], &code.targets, linting, &code.programs, &self.giving_way()].concat();
        let go_on = if self.keep_going { words(&[GO_ON]) } else { vec![] };
        let beside = match code.beside.as_slice() {
            [] => vec![],
            some => [some, &words(&["--"])].concat(),
        };
        // Tests of the pipeline share what is dear to start within one program; nextest would start it for each.
        let command = if self.config.host.tools.has("cargo-nextest") && code.inputs == Inputs::Service {
            self.nextest(&which, &go_on)
        } else {
            [words(&["cargo", "test", "--locked", MESSAGES]), go_on, which].concat()
        };
        let part = self.cargo(code, name, why, [&beside[..], &command].concat());
        let needs = if beside.is_empty() { vec![] } else { words(&["databases"]) };
        let limit = Some(self.config.pipeline.check.test_limit);
        Part { step: Step { needs, limit, ..part.step }, ..part }
    }

    /// All tests by nextest, and then those in documentation, which it leaves out.
    fn nextest(&self, which: &[String], go_on: &[String]) -> Vec<String> {
        let messages = format!("--cargo{}", &MESSAGES[1..]);
        let run = words(&["cargo", "nextest", "run", "--locked", &messages, "--no-tests=pass"]);
        let run = [&run, go_on, which].concat();
        if !self.files.has(&self.config.pipeline.build.within("src/lib.rs")) {
            return run;
        }
        let doc = [&words(&["cargo", "test", "--locked", "--doc"]), which].concat();
        words(&["sh", "-c", &format!("{} && {}", shell(&run), shell(&doc))])
    }

    /// All that is compiled stays in the common folder, [`build.build-dir`](https://doc.rust-lang.org/cargo/reference/build-cache.html).
    pub(super) fn programs(&self, backend: &str) -> Vec<String> {
        let common = self.config.relative(&self.config.host.target_dir).to_string_lossy().into_owned();
        let common = format!("build.build-dir={}", toml::Value::String(common));
        [words(&["--config", &common]), self.own_folder(backend)].concat()
    }

    /// A target folder for `part`.
    pub(super) fn own_folder(&self, part: &str) -> Vec<String> {
        words(&["--target-dir", &self.config.target(&format!("check/{part}")).to_string_lossy()])
    }

    /// What lets compilers give way to tests that run beside them, and to people. It changes nothing of what they make.
    fn giving_way(&self) -> Vec<String> {
        match platform::NICE_WRAPPER.filter(|_| !self.config.host.has_wrapper) {
            None => vec![],
            Some(wrapper) => words(&["--config", &format!("build.rustc-wrapper=\"{wrapper}\"")]),
        }
    }

    fn cargo(&self, code: &Code<'_>, name: String, why: String, argv: Vec<String>) -> Part {
        let step =
            Step { name, why, argv, crates: true, folder: Some(debug(self.config)), ..Step::default() };
        Part { step, inputs: code.inputs }
    }
}

/// What has cargo compile with clippy, as `cargo clippy -- -D warnings` has it. A program that a test starts inherits none
/// of it.
fn linting() -> Vec<String> {
    let wrapper = "build.rustc-workspace-wrapper=\"clippy-driver\"";
    let arguments = "env.CLIPPY_ARGS=\"-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__\"";
    words(&["--config", wrapper, "--config", arguments])
}
