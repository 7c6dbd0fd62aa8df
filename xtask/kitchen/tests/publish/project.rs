//! The project, its login, and who looks for the secret.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::publisher::Publisher;
use crate::server::Registry;

pub(crate) const USER: &str = "robot";
pub(crate) const PASSWORD: &str = "seeded-secret/7f3a";
/// User and password, as headers and config files have them.
const BASIC: &str = "cm9ib3Q6c2VlZGVkLXNlY3JldC83ZjNh";
/// The password as the registry knows it.
const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuJcXISGF1Gff4jA9V4gkWFGk1xglrRa6";

/// The programs of the pipeline.
const PROGRAMS: [&str; 3] = ["xtask", "xtask-oci", "xtask-release"];

/// Runs the pipeline's front in the project, with the login of the folder beside it.
const CARGO: &str = r#"
root=$(dirname "$0")
shift
for name in CARGO CARGO_TARGET_DIR CARGO_MAKEFLAGS MAKEFLAGS MFLAGS LD_LIBRARY_PATH; do unset "$name"; done
export CARGO_MANIFEST_DIR="$root/xtask" PATH="$root/bin:$PATH" DOCKER_CONFIG="$root/login" XDG_RUNTIME_DIR="$root/none"
exec "$root/target/debug/xtask" "$@"
"#;

const PIPELINE: &str = r#"
[build]
package = "app"
platforms = ["linux/amd64"]
profile = "release"
linker = "auto"

[image]
repository = "{repository}"
engine = "native"
base = "static"
compression = "zstd"
user = "65532:65532"
workdir = "/app"
ports = []
stop_signal = "SIGTERM"
data = "/app/data"
files = []

[push]
immutable = ["*.*.*"]
proofs = true

[check]
test_limit = "10m"

[buildkit]
packaging = "prebuilt"
cache = "layers"

[builder]
name = "app"
driver = "docker-container"
"#;

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["app"]

[workspace.package]
version = "0.1.0"
edition = "2024"
repository = "https://git.example.com/team/app"
"#;

/// The package, with one dependency: an SBOM without any would be none.
const PACKAGE: &str = r#"
[package]
name = "app"
version.workspace = true
edition.workspace = true
repository.workspace = true

[dependencies]
itoa = "1"
"#;

/// The version of the dependency that this repository has, which is there without the network.
fn lock() -> String {
    let ours = include_str!("../../../../Cargo.lock");
    let itoa = ours.split("\n\n").find(|package| package.contains("name = \"itoa\"")).unwrap();
    format!(
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"itoa\"]\n\n{itoa}\n"
    )
}

pub(crate) struct Project {
    pub(crate) publisher: Publisher,
    registry: Registry,
    _password: TempDir,
}

impl Project {
    /// With one commit, and a registry that wants a login that nobody has yet.
    pub(crate) async fn new() -> Project {
        let password = tempfile::tempdir().unwrap();
        let file = password.path().join("htpasswd");
        fs::write(&file, format!("{USER}:{HASH}\n")).unwrap();
        let registry =
            Registry::with(&format!("auth:\n  htpasswd: {{realm: test, path: {}}}\n", file.display()));
        let publisher = Publisher::idle(CARGO).await;
        for folder in ["app/src", "config", "target/debug", "bin", "login"] {
            fs::create_dir_all(publisher.path(folder)).unwrap();
        }
        let repository = format!("{}/team/app", registry.address);
        publisher.write("config/pipeline.toml", &PIPELINE.replace("{repository}", &repository));
        publisher.write("Cargo.toml", WORKSPACE);
        publisher.write("Cargo.lock", &lock());
        publisher.write("app/Cargo.toml", PACKAGE);
        publisher
            .write("app/src/main.rs", "fn main() { println!(\"{}\", itoa::Buffer::new().format(7)); }\n");
        publisher.write(".gitignore", "/bin\n/cargo\n/login\n/target\n/.kitchen\n");
        publisher.write("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
        take_programs(&publisher.path("target/debug"));
        let project = Project { publisher, registry, _password: password };
        // What the pipeline builds of itself is there.
        project.program(
            "cargo",
            "case \"$*\" in *'--package xtask-'*) exit 0 ;; esac\nPATH=${PATH#*:}\nexec cargo \"$@\"",
        );
        project.publisher.git(&["init", "--quiet", "--initial-branch", "main"]);
        project.publisher.git(&["add", "."]);
        project.publisher.commit();
        project
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.publisher.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Where docker keeps logins.
    pub(crate) fn login_file(&self) -> String {
        self.publisher.path("login/config.json").display().to_string()
    }

    /// As `docker login` does.
    pub(crate) fn log_in(&self) {
        let config = json!({ "auths": { self.registry.address.to_string(): { "auth": BASIC } } });
        fs::write(self.login_file(), config.to_string()).unwrap();
    }

    /// The same, where a helper keeps the secret. It reads what it is asked for: one that ends before cannot be told.
    pub(crate) fn log_in_by_helper(&self) {
        let answer = json!({ "Username": USER, "Secret": PASSWORD });
        self.program("docker-credential-seeded", &format!("read -r server\ncat <<'END'\n{answer}\nEND"));
        let config = json!({ "credHelpers": { self.registry.address.to_string(): "seeded" } });
        fs::write(self.login_file(), config.to_string()).unwrap();
    }

    /// The digest that the registry has for a tag.
    pub(crate) fn digest(&self, tag: &str) -> Option<String> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("http://{}/v2/team/app/manifests/{tag}", self.registry.address);
        let kinds = ["manifest.v1", "index.v1"].map(|kind| format!("application/vnd.oci.image.{kind}+json"));
        let request = agent.head(url).header("accept", kinds.join(", "));
        let answer = request.header("authorization", format!("Basic {BASIC}")).call().unwrap();
        let digest = answer.headers().get("docker-content-digest")?.to_str().unwrap().to_owned();
        Some(digest)
    }

    /// All that Kitchen has written.
    pub(crate) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.publisher.path(".kitchen"), &mut found);
        assert!(found.iter().any(|(name, _)| name.ends_with("kitchen.db")), "it looks where things are");
        assert!(found.iter().any(|(name, _)| name.ends_with(".jsonl")));
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match entry.file_type().unwrap().is_dir() {
            true => collect(&path, found),
            false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
}

/// Builds the programs of the pipeline, and puts them into `folder`: they look for each other beside themselves.
fn take_programs(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--quiet"]).current_dir(root);
    cargo.args(PROGRAMS.iter().flat_map(|name| ["--package", name]));
    let is_kept = |name: &str| ["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&name);
    let names = std::env::vars().map(|(name, _)| name);
    for name in names.filter(|name| name.starts_with("CARGO_") && !is_kept(name)) {
        cargo.env_remove(name);
    }
    for name in ["CARGO", "MAKEFLAGS", "MFLAGS", "LD_LIBRARY_PATH"] {
        cargo.env_remove(name);
    }
    assert!(cargo.status().unwrap().success());
    // Beside the folder of this test.
    let built: PathBuf = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    for name in PROGRAMS {
        let (from, to) = (built.join(name), folder.join(name));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Whether the secret is in there, in any form that it is sent or kept in.
pub(crate) fn has_secret(bytes: &[u8]) -> bool {
    let forms = [PASSWORD, BASIC, "seeded-secret%2F7f3a", "seeded-secret\\/7f3a"];
    forms.iter().any(|form| bytes.windows(form.len()).any(|part| part == form.as_bytes()))
}

pub(crate) fn check_no_secret(name: &str, bytes: &[u8]) {
    assert!(!has_secret(bytes), "{name} has the secret: {}", String::from_utf8_lossy(bytes));
}

/// Looks at the arguments of all processes, again and again.
pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    looking: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    pub(crate) fn begin() -> Watch {
        let is_over = Arc::new(AtomicBool::new(false));
        let looking = thread::spawn({
            let is_over = is_over.clone();
            move || {
                let mut found = BTreeSet::new();
                while !is_over.load(Ordering::Relaxed) {
                    for entry in fs::read_dir("/proc").unwrap().flatten() {
                        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                        if has_secret(&words) {
                            found.insert(String::from_utf8_lossy(&words).replace('\0', " "));
                        }
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                found
            }
        });
        Watch { is_over, looking }
    }

    /// The command lines that had the secret.
    pub(crate) fn end(self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.looking.join().unwrap().into_iter().collect()
    }
}
