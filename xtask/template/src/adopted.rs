//! A project that was there before and has adopted the pipeline: what it has of the template, and what that is filled in with.
//!
//! The pipeline's packages are a workspace of their own in it, with a lock file of their own. So they compile in any
//! project, whatever its edition, lints and dependencies are, and nothing moves those.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::answers::{Answers, Value};
use crate::template::is_in;

/// What is the pipeline, in the order in which people get to know it.
pub(crate) const PIPELINE: [&str; 9] = [
    "config/pipeline.toml",
    "config/buildkitd.toml",
    "config/cargo-config.toml",
    "Dockerfile",
    ".dockerignore",
    "Makefile",
    "deny.toml",
    ".github/workflows",
    "xtask",
];

/// Files that only projects have that adopt the pipeline.
pub(crate) const FILES: &str = "template/adopted/";
/// The manifest of the workspace that the pipeline's packages are.
pub(crate) const MANIFEST: &str = "xtask/Cargo.toml";
/// Its lock file.
pub(crate) const LOCK: &str = "xtask/Cargo.lock";

/// The service of the project, and what the project has not taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adopted {
    /// Its package.
    pub(crate) package: String,
    /// The package's folder, from the root of the workspace; `.` is that itself.
    pub(crate) path: String,
    /// Its binaries that are shipped; the first is what a container runs.
    pub(crate) binaries: Vec<String>,
    /// TCP ports that it listens on.
    pub(crate) ports: Vec<u16>,
    /// Folders that it reads when it runs, from the root of the workspace.
    pub(crate) files: Vec<String>,
    /// Databases that it can be built for; none where that is not chosen when it is compiled.
    pub(crate) backends: Vec<String>,
    /// Files and folders of the pipeline that are the project's own.
    pub(crate) left: Vec<String>,
    /// Cargo features for each of the databases.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

impl Adopted {
    /// Whether the project has this file of the template.
    pub(crate) fn takes(&self, path: &str) -> bool {
        let among = |mut list: std::slice::Iter<'_, &str>| list.any(|entry| is_in(path, entry));
        among(PIPELINE.iter()) && !self.left.iter().any(|entry| is_in(path, entry))
    }

    /// Adds what the marks ask for.
    pub(crate) fn add_answers(&self, answers: &mut Answers) {
        let program = self.binaries.first().cloned().unwrap_or_default();
        let ports: Vec<_> = self.ports.iter().map(u16::to_string).collect();
        answers.insert("package", Value::Text(self.package.clone()));
        answers.insert("path", Value::Text(self.path.clone()));
        answers.insert("binaries", Value::List(self.binaries.clone()));
        let backend = self.backends.first().map_or("default", String::as_str);
        answers.insert("backend", Value::Text(backend.to_owned()));
        answers.insert("program", Value::Text(program));
        answers.insert("ports", Value::Text(ports.join(", ")));
        answers.insert("exposed", Value::Text(ports.join(" ")));
        answers.insert("copies", Value::Text(self.copies()));
        answers.insert("features", Value::Text(self.flags()));
        answers.insert("files", Value::Text(self.files()));
        answers.insert("databases", Value::Text(self.databases()));
        answers.insert("has_dockerfile", Value::Bool(!self.left.iter().any(|path| path == "Dockerfile")));
    }

    /// The lines of `config/pipeline.toml` about files in the image.
    fn files(&self) -> String {
        let entry = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or(path);
            format!("[[image.files]]\nsrc = \"{path}\"\ndest = \"/app/{name}\"")
        };
        if self.files.is_empty() {
            return format!("# {}", entry(&"static".to_owned()).replace('\n', "\n# "));
        }
        self.files.iter().map(entry).collect::<Vec<_>>().join("\n\n")
    }

    /// The lines of the Dockerfile about files in the image.
    fn copies(&self) -> String {
        let line = |path: &String| format!("COPY {path} /app/{}", path.rsplit('/').next().unwrap_or(path));
        if self.files.is_empty() {
            return format!("# {}", line(&"static".to_owned()));
        }
        self.files.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What tells cargo the features for the default of the databases.
    fn flags(&self) -> String {
        let features = self.backends.first().and_then(|backend| self.features.get(backend));
        features.map_or_else(String::new, |features| {
            format!("--no-default-features --features {}", features.join(","))
        })
    }

    /// The lines of `config/pipeline.toml` about databases.
    fn databases(&self) -> String {
        if self.backends.is_empty() {
            return "# backends = [\"sqlite\", \"postgres\"]        # features `db_…` of the package, each a build of its \
                    own"
            .to_owned();
        }
        let list =
            |words: &[String]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let features: Vec<_> = self
            .features
            .iter()
            .map(|(backend, features)| format!("{backend} = [{}]", list(features)))
            .collect();
        format!(
            "backends = [{}]                              # each a build of its own; the first is the default\n\
             features = {{ {} }}",
            list(&self.backends),
            features.join(", ")
        )
    }
}
