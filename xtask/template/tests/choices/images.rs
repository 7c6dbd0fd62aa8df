//! Every two choices together, as an image that `cargo xtask bd` makes, which runs and keeps a note.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use db_servers::Backend;

use crate::builds::{backends, name};
use crate::pairs::covering;
use crate::platforms;
use crate::project::{Project, root};
use crate::questions::{Answers, Questions};
use crate::support::container::Container;
use crate::support::{clean, run, runs_containers};
use crate::{Outcome, Test};

const PLATFORMS: &str = "platforms";

pub(crate) fn tests(questions: &Questions) -> Vec<Test> {
    let docker = (!runs_containers("docker")).then(|| "docker cannot run a container here".to_owned());
    let test = |answers: Answers| {
        let lacks = docker.clone().or_else(|| lacks(&answers));
        Test::slow(format!("image: {}", name(&answers)), move || works(&answers)).unless(lacks)
    };
    let questions = match platforms::lacks() {
        None => questions.clone(),
        Some(why) => {
            eprintln!("skipped: images for platforms other than {}: {why}", here());
            questions.with(PLATFORMS, here())
        }
    };
    covering(&questions).into_iter().map(test).collect()
}

/// The platform of this machine.
fn here() -> String {
    let name = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    format!("linux/{name}")
}

/// What this machine lacks to run the service.
fn lacks(answers: &Answers) -> Option<String> {
    let backend = answers["backends"][0].parse::<Backend>().unwrap();
    db_servers::find(backend).err().map(|missing| missing.to_string())
}

fn works(answers: &Answers) -> Outcome {
    let project = Project::of(answers);
    project.commit();
    let platforms = &answers[PLATFORMS];
    let bd = |args: &[&str]| run(project.program("cargo", &["xtask", "bd", "--quiet"]).args(args));
    if *platforms != [here()] {
        bd(&["--platform", &platforms.join(","), "--output", "oci"]);
    }
    if !platforms.contains(&here()) {
        return Ok(());
    }
    let repository = format!("app-test-choices-{}", std::process::id());
    bd(&["--image", &repository, "--tag", "it", "--output", "docker"]);
    let database = Database::of(&backends(&project)[0]);
    let url =
        database.iter().map(|database| format!("APP__DATABASE__URL={}", database.url)).collect::<Vec<_>>();
    let container = Container::with("docker", &format!("{repository}:it"), &url);
    container.start();
    let health = container.http("GET", "/healthz", "");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    let created = container.http("POST", "/notes", r#"{"title":"kept","body":"by every choice"}"#);
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    assert!(container.http("GET", "/notes", "").contains("by every choice"));
    assert_eq!(container.terminate(), "0");
    Ok(())
}

/// A database server, which ends when this is dropped.
struct Database {
    process: Child,
    url: String,
}

impl Database {
    /// One for the service; none where its database is a file.
    fn of(backend: &str) -> Option<Database> {
        let is_file = backend.parse::<Backend>().unwrap().facts().is_none();
        (!is_file).then(|| Database::start(backend))
    }

    fn start(backend: &str) -> Database {
        let mut exec = clean(Command::new("cargo"));
        exec.args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "xtask-db",
            "--",
            "exec",
            "--backend",
            backend,
        ]);
        // Until nobody writes to it any more.
        exec.args(["--", "sh", "-c", "echo \"$TEST_DATABASE_URL\"; exec cat"]).current_dir(root());
        let mut process = exec.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(!url.trim().is_empty(), "no {backend} server was started");
        Database { process, url: url.trim().to_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
