//! `[build]` of `config/pipeline.toml`: what is compiled, and how.

use std::collections::BTreeMap;

use clap::ValueEnum;
use image_spec::Platform;
use serde::Deserialize;

/// What is compiled, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    /// The cargo package of the service.
    pub(crate) package: String,
    /// Its folder, from the workspace root. Without it, the one named like the package.
    pub(crate) path: Option<String>,
    /// Its binaries that are shipped; the first is what a container runs. Without it, the one named like the package.
    #[serde(default)]
    pub(crate) binaries: Vec<String>,
    /// Databases that it can be built for, as in its features `db_…`; the first is the default. Without it, there is one
    /// build with the package's own default features.
    #[serde(default = "no_database")]
    pub(crate) backends: Vec<String>,
    /// For a database the features that it is built with, where they are not the one `db_…`; `default` stands for the
    /// package's own.
    #[serde(default)]
    pub(super) features: BTreeMap<String, Vec<String>>,
    /// Platforms that it is built for.
    pub(crate) platforms: Vec<Platform>,
    /// The everyday cargo profile.
    pub(crate) profile: Profile,
    /// How binaries are linked.
    #[serde(default)]
    pub(crate) linker: Linker,
}

impl Build {
    /// The binaries that are shipped, what a container runs first.
    pub(crate) fn binaries(&self) -> &[String] {
        if self.binaries.is_empty() { std::slice::from_ref(&self.package) } else { &self.binaries }
    }

    /// The folder of the package, from the workspace root: `.` is the root itself.
    pub(crate) fn folder(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.package)
    }

    /// A path in the folder of the package, from the workspace root.
    pub(crate) fn within(&self, path: &str) -> String {
        if self.folder() == "." { path.to_owned() } else { format!("{}/{path}", self.folder()) }
    }

    /// What tells cargo the features for a backend.
    pub(crate) fn features(&self, backend: &str) -> Vec<String> {
        let own = match self.features.get(backend) {
            Some(features) => features.clone(),
            None if backend == NO_DATABASE => return Vec::new(),
            None => vec![format!("db_{backend}")],
        };
        let (default, others): (Vec<_>, Vec<_>) = own.into_iter().partition(|name| name == "default");
        let mut argv = Vec::new();
        if default.is_empty() {
            argv.push("--no-default-features".to_owned());
        }
        if !others.is_empty() {
            argv.extend(["--features".to_owned(), others.join(",")]);
        }
        argv
    }
}

/// A cargo profile of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Incremental, no link-time optimisation
    Release,
    /// Link-time optimisation, one codegen unit
    Dist,
    // template: if pipeline_tests
    /// As dist, and compiled by what the service does most under load
    Pgo,
    // template: end
}

impl Profile {
    /// The name that cargo knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Dist => "dist",
            Profile::Pgo => "pgo", // template: if pipeline_tests
        }
    }
}

/// A way to link a static Linux binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Linker {
    /// The first of the others that works
    #[default]
    Auto,
    /// cargo-zigbuild and a musl target: any platform from any host
    Zigbuild,
    /// musl-gcc and a musl target
    MuslGcc,
    /// The host's own static C library
    Host,
}

/// What the one build is called of a service that is not built for databases.
pub(crate) const NO_DATABASE: &str = "default";

fn no_database() -> Vec<String> {
    vec![NO_DATABASE.to_owned()]
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use super::NO_DATABASE;
    use crate::config::Pipeline;
    use crate::config::fixture::PIPELINE;

    #[test]
    fn features_are_those_of_the_database_or_what_is_said() {
        let backends = "backends = [\"sqlite\", \"postgres\"]";
        let args = |backends_line: &str, more: &str, backend: &str| {
            let text = format!("{}{more}", PIPELINE.replace(backends, backends_line));
            Pipeline::parse(&text).unwrap().build.features(backend).join(" ")
        };
        assert_eq!(args(backends, "", "sqlite"), "--no-default-features --features db_sqlite");
        let own = "[build.features]\nsqlite = [\"default\", \"lite\"]\npostgres = [\"pg\", \"tls\"]\n";
        assert_eq!(args(backends, own, "sqlite"), "--features lite");
        assert_eq!(args(backends, own, "postgres"), "--no-default-features --features pg,tls");
        assert_eq!(args("", "", NO_DATABASE), "");
    }

    #[test]
    fn the_package_is_where_it_is_said_to_be() {
        let within = |more: &str| {
            let text = PIPELINE.replace("package = \"app\"", &format!("package = \"app\"\n{more}"));
            Pipeline::parse(&text).unwrap().build.within("Cargo.toml")
        };
        assert_eq!(within(""), "app/Cargo.toml");
        assert_eq!(within("path = \"crates/server\""), "crates/server/Cargo.toml");
        assert_eq!(within("path = \".\""), "Cargo.toml");
    }
}
// template: end
