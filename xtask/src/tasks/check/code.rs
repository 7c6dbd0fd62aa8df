//! What is linted and tested: the pipeline's packages, and the service for each backend with its query cache.

use super::cargo::Code;
use super::inputs::Inputs;
use super::select::IMAGES; // template: if pipeline_tests
use super::select::{Kind, PIPELINE};
use super::{Gate, Part, databases, service, words};
use crate::config::NO_DATABASE;
use crate::plan::Step;
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
    ("xtask", &["buildkit", "documents", "image", "pgo", "push", "sccache", "up", "workflows"]),
    ("xtask-kitchen", &["browser", "live", "publish"]), // template: if kitchen
];

// template: end
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
        let images = self.code(&images).into_iter().map(|part| part.after(&needs));
        images.map(|part| part.skipped(platform::LACKING)).collect()
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
            return lints.into_iter().chain(rest.map(|part| part.skipped(missing.as_deref()))).collect();
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
}
