//! A fixed configuration for tests: plans that follow from it are the same on every machine.

use db_servers::{Backend, Container};
use image_spec::{Pins, Platform};

use super::{Config, Host, Lists, Package, Pgo, Pipeline, Source};
use crate::tools::{Advisories, Compose, Os, Runtime, System, Tools};

/// A `config/pipeline.toml`.
pub(crate) const PIPELINE: &str = r#"
[build]
package = "app"
backends = ["sqlite", "postgres"]
platforms = ["linux/amd64", "linux/arm64"]
profile = "release"
linker = "auto"

[image]
repository = "team/app"
base = "static"
compression = "zstd"
user = "65532:65532"
workdir = "/app"
ports = [8080]
stop_signal = "SIGTERM"
data = "/data"

[image.env]
APP__DATABASE__URL = "sqlite:///data/app.db"

[[image.files]]
src = "config/app.toml"
dest = "/app/config/app.toml"
"#;

/// A `Dockerfile`.
pub(crate) const DOCKERFILE: &str = "\
ARG RUST_VERSION=1
FROM --platform=$BUILDPLATFORM rust:$RUST_VERSION AS build
RUN cargo build
FROM scratch AS artifact
COPY --from=build /out /
FROM gcr.io/distroless/static AS runtime-static
COPY --from=artifact /app /app
FROM alpine:3 AS runtime-media
RUN apk add ffmpeg
";

const POSTGRES: Container = Container { runtime: "docker", image: "postgres" };

/// An x86-64 Linux machine with zig and Docker, and a clean checkout of a commit.
pub(crate) fn config() -> Config {
    Config {
        root: "/galley".into(),
        pipeline: Pipeline::parse(PIPELINE).unwrap(),
        buildkitd: toml::Table::new(),
        pins: Pins::default(),
        dockerfile: Some(DOCKERFILE.to_owned()),
        has_workflows: true,
        rust: Some("1.95.0".to_owned()),
        package: Package {
            version: "1.2.3".to_owned(),
            license: Some("MIT".to_owned()),
            repository: Some("https://example.com/team/app".to_owned()),
        },
        has_own_tools: false,
        source: Source { revision: Some("0123abcd".repeat(5)), created: 1_700_000_000 },
        lists: Lists::default(),
        pgo: Pgo {
            folder: "/galley/target/profdata".into(),
            found: vec![],
            digest: "0123456789ab".to_owned(),
            now: 1_700_000_000,
            may_train: true,
        },
        host: Host {
            platform: Some(Platform::LinuxAmd64),
            target_dir: "/galley/target".into(),
            bin_dir: "/galley/target/debug".into(),
            cargo_home: "/home/me/.cargo".into(),
            has_cargo_bin: true,
            cache_dir: "/home/me/.cache".into(),
            rustflags: None,
            has_wrapper: false,
            ci: false,
            secrets: vec![],
            run: None,
            surroundings: vec![],
            tools: Tools {
                found: vec![
                    "cargo",
                    "rustc",
                    "cc",
                    "git",
                    "cargo-zigbuild",
                    "hadolint",
                    "musl-gcc",
                    "docker",
                    "podman",
                ],
                targets: ["x86_64", "aarch64"].map(|arch| format!("{arch}-unknown-linux-musl")).to_vec(),
                static_libc: true,
                profdata: None,
                zig: true,
                runtime: Some(Runtime { program: "docker", version: "29.1.0".to_owned() }),
                buildx: None,
                advisories: Advisories::Copy { days: 3 },
                compose: Some(Compose { version: "2.39.1".to_owned() }),
                databases: vec![
                    (Backend::Sqlite, Ok(db_servers::Source::File)),
                    (Backend::Postgres, Ok(db_servers::Source::Container(POSTGRES))),
                    (Backend::Mysql, Err("no MariaDB server".to_owned())),
                ],
                system: System {
                    os: Os::Linux,
                    arch: "x86_64",
                    is_root: false,
                    has_manager: true,
                    has_venv: true,
                },
            },
        },
    }
}
