//! `cargo xtask up` and `down` from the outside: the service as compose.yaml describes it, in a real Docker engine.
//!
//! Needs Docker and its plugin compose. Where they are not there, that is said, and the test counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use support::container::{free_port, http, remove_images};
use support::{events, root, run, runs_containers, xtask};

fn main() -> ExitCode {
    let skip = missing();
    if let Some(why) = &skip {
        eprintln!("skipped: notes_stay_until_their_volume_goes: {why}");
    }
    let trial = Trial::test("notes_stay_until_their_volume_goes", notes_stay_until_their_volume_goes);
    libtest_mimic::run(&Arguments::from_args(), vec![trial.with_ignored_flag(skip.is_some())]).exit_code()
}

fn missing() -> Option<String> {
    if !runs_containers("docker") {
        return Some("docker cannot run a container here".to_owned());
    }
    let asked = Command::new("docker").args(["compose", "version", "--short"]).output();
    let answers = asked.is_ok_and(|output| output.status.success());
    (!answers).then(|| "docker has no plugin compose".to_owned())
}

/// What compose.yaml describes, under a name of its own and on other ports, in the network of this machine: that works
/// even where containers have no network of their own.
struct Project {
    name: String,
    folder: tempfile::TempDir,
    port: u16,
}

impl Project {
    fn new() -> Project {
        let (name, port) = (format!("app-test-up-{}", std::process::id()), free_port());
        let folder = tempfile::tempdir().unwrap();
        let changes = format!(
            "services:\n  app-sqlite:\n    network_mode: host\n    environment:\n      \
             APP__SERVER__PORT: {port}\n      APP__ADMIN__PORT: {}\n",
            free_port()
        );
        fs::write(folder.path().join("changes.yaml"), changes).unwrap();
        Project { name, folder, port }
    }

    fn set(&self, mut command: Command) -> Command {
        let files = [root().join("compose.yaml"), self.folder.path().join("changes.yaml")];
        command.env("COMPOSE_FILE", std::env::join_paths(files.iter().map(PathBuf::as_path)).unwrap());
        command.env("COMPOSE_PROJECT_NAME", &self.name);
        command
    }

    /// Runs `cargo xtask` and returns its events.
    fn xtask(&self, args: &[&str]) -> Vec<serde_json::Value> {
        events(&run(self.set(xtask()).args(args).args(["--message-format", "json"])))
    }

    fn up(&self) -> Vec<serde_json::Value> {
        self.xtask(&["up", "--backend", "sqlite", "--image", &self.name])
    }

    fn notes(&self) -> String {
        http(self.port, "GET", "/notes", "").unwrap()
    }

    /// What Docker has of it: `docker KIND ls`.
    fn left(&self, kind: &str) -> String {
        let label = format!("label=com.docker.compose.project={}", self.name);
        run(Command::new("docker").args([kind, "ls", "--quiet", "--filter", &label]))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let down = ["compose", "--profile", "*", "down", "--volumes"];
        let _ = self.set(Command::new("docker")).args(down).current_dir(root()).output();
        remove_images("docker", &self.name);
    }
}

fn notes_stay_until_their_volume_goes() -> Result<(), Failed> {
    let project = Project::new();
    let service = project.up().into_iter().find(|event| event["event"] == "service").unwrap();
    assert_eq!(service["urls"][0], "http://localhost:8080/docs");
    assert_eq!(service["end"], "cargo xtask down");
    let documentation = fs::read_to_string(root().join("docs/events.md"))?;
    for key in service.as_object().unwrap().keys() {
        assert!(documentation.contains(&format!("`{key}`")), "docs/events.md does not describe `{key}`");
    }

    let page = http(project.port, "GET", "/docs", "")?;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let created = http(project.port, "POST", "/notes", r#"{"title":"kept","body":"over down and up"}"#)?;
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    project.xtask(&["down"]);
    assert_eq!(project.left("container"), "");
    assert!(http(project.port, "GET", "/notes", "").is_err());

    project.up();
    assert!(project.notes().contains("over down and up"), "{}", project.notes());
    project.xtask(&["down", "--volumes"]);
    assert_eq!(project.left("volume"), "");
    Ok(())
}
