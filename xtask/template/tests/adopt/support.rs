//! Projects that were there before, made up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What answers on a port.
pub(crate) const SERVER: &str = r#"use std::io::Write as _;

fn main() {
    let listener = std::net::TcpListener::bind("0.0.0.0:3000").unwrap();
    for stream in listener.incoming() {
        stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
    }
}
"#;

/// A package of its own, with a comment that is not to be lost.
pub(crate) const PACKAGE: &str =
    "[package]\nname = \"web_shop\" # ours\nversion = \"1.2.3\"\nedition = \"2021\"\n";

/// The template as it is now.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// A project in git.
pub(crate) struct Project(pub(crate) TempDir);

impl Project {
    /// One with these files, a lock file, and nothing to commit.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            project.write(path, text);
        }
        if !files.iter().any(|(path, _)| *path == ".gitignore") {
            project.write(".gitignore", "/target\n");
        }
        project.run("git init --quiet");
        // Some of those that are refused are nothing that cargo knows.
        let _ = project.command("cargo generate-lockfile --offline");
        project.commit();
        project
    }

    /// A package that is no workspace.
    pub(crate) fn single() -> Self {
        Self::new(&[("Cargo.toml", PACKAGE), ("src/main.rs", SERVER)])
    }

    /// A workspace with a service, a tool and a library, which has made images before.
    pub(crate) fn workspace() -> Self {
        let package = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion.workspace = true\nedition = \"2018\"\n{more}")
        };
        let server = package(
            "shop-server",
            "[dependencies]\naxum = { path = \"../axum\" }\n\n\
             [features]\ndefault = [\"tls\", \"postgres\"]\ntls = []\nsqlite = []\npostgres = []\n",
        );
        Self::new(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\n\n[workspace.package]\nversion = \"2.0.0\"\n",
            ),
            ("crates/axum/Cargo.toml", &package("axum", "")),
            ("crates/axum/src/lib.rs", ""),
            ("crates/server/Cargo.toml", &server),
            ("crates/server/src/main.rs", &SERVER.replace("0.0.0.0", "127.0.0.1")),
            ("crates/tool/Cargo.toml", &package("tool", "")),
            ("crates/tool/src/main.rs", "fn main() {}\n"),
            (".cargo/config.toml", "# ours\n[env]\nRUST_LOG = \"debug\"\n"),
            (".github/workflows/ci.yml", "name: ours\n"),
            ("Dockerfile", "FROM scratch\n"),
        ])
    }

    /// A workspace of which the root is a package with two binaries, and whose members are all folders.
    pub(crate) fn several() -> Self {
        let manifest =
            format!("{PACKAGE}\n[workspace]\nmembers = [\"*\"]\nexclude = [\".git\", \"src\", \"target\"]\n");
        Self::new(&[
            ("Cargo.toml", &manifest),
            ("src/main.rs", SERVER),
            ("src/bin/seed.rs", "fn main() {}\n"),
            ("model/Cargo.toml", "[package]\nname = \"model\"\n"),
            ("model/src/lib.rs", ""),
        ])
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.0.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    pub(crate) fn commit(&self) {
        self.run("git add --all && git -c user.name=a -c user.email=a@b commit --quiet --message a");
    }

    fn command(&self, command: &str) -> Output {
        Command::new("sh").args(["-c", command]).current_dir(self.0.path()).output().unwrap()
    }

    /// What a command in its folder prints.
    pub(crate) fn run(&self, command: &str) -> String {
        let output = self.command(command);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What git sees of changes.
    pub(crate) fn changes(&self) -> String {
        self.run("git status --porcelain")
    }

    /// Has it adopt the pipeline; gives what is said on both streams.
    pub(crate) fn adopt(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
        command.arg("adopt").arg(self.path()).args(arguments).current_dir(root());
        command.stdin(std::process::Stdio::null()).output().unwrap()
    }

    /// As [`Project::adopt`], which works; gives the plan.
    pub(crate) fn adopted(&self, arguments: &[&str]) -> String {
        let output = self.adopt(&[arguments, &["--yes"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why it does not work, with its folder as `PROJECT`.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.adopt(arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap().replace(&self.path().display().to_string(), "PROJECT")
    }
}
