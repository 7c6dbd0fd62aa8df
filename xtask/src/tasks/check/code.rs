//! Lints, tests and the query cache: of the pipeline's packages, and of the service for each backend.
//!
//! What is to be linted and tested, one cargo does: clippy's compiler, `clippy-driver`, stands in for rustc and goes on to
//! make the tests. That spares the second compilation of all dependencies that `cargo clippy` would need for itself, and
//! reads the sources once instead of twice.
// template: if pipeline_tests
//! docs/performance.md has the figures.
// template: end

use super::inputs::Inputs;
use super::select::IMAGES; // template: if pipeline_tests
use super::select::{Kind, PIPELINE};
use super::{Gate, MESSAGES, Part, databases, debug, service, words};
use crate::config::NO_DATABASE;
use crate::plan::{Step, shell};
use crate::platform;
use crate::tasks::{BEHIND, sqlx};

/// The packages besides the service. They are named, because xtask never builds the whole workspace by accident. Those
/// [behind the front](BEHIND) only where they run.
const PACKAGES: &[&str] = &[
    // The front, and what it starts.
    "xtask",
    "xtask-bench", // template: if pipeline_tests
    "xtask-db",
    "xtask-kitchen", // template: if kitchen
    "xtask-oci",
    "xtask-release",
    "xtask-soak", // template: if pipeline_tests
    "xtask-template",
    "db-servers",
    "image-spec",
];

// template: if pipeline_tests
/// The tests that build the service or the programs of the pipeline, and those that measure and want to be alone, by their
/// package. Its Cargo.toml leaves them out of `cargo test`.
const IMAGE_TESTS: &[(&str, &[&str])] = &[
    ("xtask", &["buildkit", "image", "push", "sccache", "up", "workflows"]),
    ("xtask-kitchen", &["browser", "live", "publish"]), // template: if kitchen
];

// template: end
/// What has cargo and nextest run the rest after a test that failed.
pub(super) const GO_ON: &str = "--no-fail-fast";

/// What the names of steps that repair lints begin with.
pub(super) const FIX: &str = "fix-";

/// Something that is linted and tested.
struct Code<'a> {
    /// Its name on the command line.
    name: &'a str,
    /// What it is, in the middle of a sentence.
    what: String,
    /// The arguments that mean it.
    packages: Vec<String>,
    /// The arguments that mean what of it runs here, where that is not all.
    targets: Vec<String>,
    /// The arguments that put its programs where no other of the same name replaces them while tests run them.
    programs: Vec<String>,
    inputs: Inputs,
    /// What puts its tests beside a database, if they need one.
    beside: Vec<String>,
}

impl Code<'_> {
    /// The arguments that mean all of it that can be linted.
    fn lintable(&self) -> Vec<String> {
        if self.targets.is_empty() { words(&["--all-targets"]) } else { self.targets.clone() }
    }
}

impl Gate<'_> {
    /// The pipeline's own packages.
    pub(super) fn pipeline(&self) -> Vec<Part> {
        // They are as the template has tested them, and their tests are about its service.
        if self.config.has_own_tools {
            return Vec::new();
        }
        let runs = |name: &&&str| platform::LACKING.is_none() || !BEHIND.contains(name);
        let packages =
            PACKAGES.iter().filter(runs).flat_map(|name| words(&["--package", name])).collect::<Vec<_>>();
        let pipeline = Code {
            name: PIPELINE,
            what: "the pipeline".to_owned(),
            packages,
            targets: words(platform::TARGETS),
            programs: if platform::REPLACES_RUNNING { vec![] } else { self.own_folder(PIPELINE) },
            inputs: Inputs::Pipeline,
            beside: vec![],
        };
        self.code(&pipeline)
    }

    // template: if pipeline_tests
    /// The pipeline's tests which build the service. They run the same programs as `pipeline` and build some of them.
    pub(super) fn images(&self, pipeline: &[Part]) -> Vec<Part> {
        // `--all-targets` has linted it.
        if self.config.has_own_tools || !self.selection.wants_for(Kind::Test, IMAGES) {
            return vec![];
        }
        let of_package = |(package, tests): &(&str, &[&str])| {
            let tests = tests.iter().flat_map(|name| words(&["--test", name]));
            words(&["--package", package]).into_iter().chain(tests).collect::<Vec<_>>()
        };
        let images = Code {
            name: IMAGES,
            what: "what builds the service's images, or measures,".to_owned(),
            packages: IMAGE_TESTS.iter().flat_map(of_package).collect(),
            targets: vec![],
            programs: vec![],
            inputs: Inputs::Images,
            beside: vec![],
        };
        let needs = pipeline.iter().map(|part| part.step.name.clone()).collect::<Vec<_>>();
        let images = self.code(&images).into_iter().map(|part| after(part, &needs));
        images.map(|part| skipped(part, platform::LACKING)).collect()
    }

    // template: end
    /// The service with the database `backend`.
    pub(super) fn backend(&self, backend: &str) -> Vec<Part> {
        let config = self.config;
        let mut code = Code {
            name: backend,
            what: format!("the service for {backend}"),
            packages: service(config, backend),
            targets: vec![],
            programs: self.programs(backend),
            inputs: Inputs::Service,
            beside: words(&[&databases(config), "exec", "--backend", backend]),
        };
        if backend == NO_DATABASE {
            return self.code(&Code { what: "the service".to_owned(), beside: vec![], ..code });
        }
        let [lint, query, test] =
            [Kind::Clippy, Kind::Sqlx, Kind::Test].map(|kind| self.selection.wants_for(kind, backend));
        // Who has adopted the pipeline need not use sqlx, or not so that it keeps what it has asked.
        let query = query
            && (!config.has_own_tools
                || self.files.has(&config.pipeline.build.within(&format!(".sqlx/{backend}"))));
        let missing = config.missing_database(backend);
        let compare = Part { step: sqlx::compare_step(config, backend), inputs: Inputs::Service };
        if missing.is_some() {
            let lints = lint.then(|| if test { self.compile(&code) } else { self.clippy(&code) });
            let rest = [query.then_some(compare), test.then(|| self.test(&code))].into_iter().flatten();
            return lints.into_iter().chain(rest.map(|part| skipped(part, missing.as_deref()))).collect();
        }
        let at_once = lint && test && query;
        let mut parts = Vec::new();
        if at_once {
            code.beside.extend(sqlx::queries(config, backend));
        } else if query {
            parts.push(Part { step: sqlx::describe_step(config, backend), inputs: Inputs::Service });
        }
        parts.extend(self.code(&code));
        if query {
            let describes = if at_once { backend.to_owned() } else { format!("describe-{backend}") };
            let repaired = if self.flags.fix { sqlx::replace_step(config, backend) } else { compare.step };
            let step = Step { needs: vec![describes], ..repaired };
            parts.push(Part { step, inputs: Inputs::Service });
        }
        parts
    }

    /// What is wanted of lints and tests.
    fn code(&self, code: &Code<'_>) -> Vec<Part> {
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
        std::iter::once(fix).chain(parts.into_iter().map(|part| after(part, &needs))).collect()
    }

    /// Tests without lints.
    fn test(&self, code: &Code<'_>) -> Part {
        self.tests(code, format!("test-{}", code.name), format!("all tests of {} pass", code.what), &[])
    }

    /// Lints without tests.
    fn clippy(&self, code: &Code<'_>) -> Part {
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
    fn compile(&self, code: &Code<'_>) -> Part {
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
    fn programs(&self, backend: &str) -> Vec<String> {
        let common = self.config.relative(&self.config.host.target_dir).to_string_lossy().into_owned();
        let common = format!("build.build-dir={}", toml::Value::String(common));
        [words(&["--config", &common]), self.own_folder(backend)].concat()
    }

    /// A target folder for `part`.
    fn own_folder(&self, part: &str) -> Vec<String> {
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

/// What cannot run for this reason, if there is one.
fn skipped(part: Part, reason: Option<&str>) -> Part {
    let Some(reason) = reason else { return part };
    Part { step: Step { skip: Some(reason.to_owned()), needs: vec![], ..part.step }, ..part }
}

fn after(part: Part, needs: &[String]) -> Part {
    let needs = [&part.step.needs, needs].concat();
    Part { step: Step { needs, ..part.step }, ..part }
}
