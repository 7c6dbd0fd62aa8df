//! `cargo xtask builder` with a real buildx.
//!
//! buildx keeps its builders in a folder of the test's own. Daemons are started only where the image of BuildKit is
//! already there. What a machine lacks is said, and counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::fs;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use support::{events, root, run};
use tempfile::TempDir;

/// What buildx starts when nothing else is asked for.
const BUILDKIT: &str = "moby/buildkit:buildx-stable-1";

/// A test's name, what it does, and why it is skipped, if it is.
type Test = (&'static str, fn(), Option<&'static str>);

fn main() -> ExitCode {
    let answers = |args: &[&str]| {
        Command::new("docker").args(args).output().is_ok_and(|output| output.status.success())
    };
    let buildx = (!answers(&["buildx", "version"])).then_some("docker buildx is not installed");
    let engine = buildx.or_else(|| (!answers(&["info"])).then_some("no Docker engine answers"));
    let has_image = || answers(&["image", "inspect", BUILDKIT]);
    let image = engine.or_else(|| (!has_image()).then_some("the image of BuildKit is not here"));
    let tests: [Test; 4] = [
        ("what_is_made_twice_is_made_once", what_is_made_twice_is_made_once, engine),
        ("buildx_knows_every_option_of_a_cluster", buildx_knows_every_option_of_a_cluster, buildx),
        ("buildx_knows_every_option_of_a_daemon", buildx_knows_every_option_of_a_daemon, buildx),
        ("a_daemon_that_runs_tells_of_its_cache", a_daemon_that_runs_tells_of_its_cache, image),
    ];
    let trials = tests.map(|(name, test, skip)| {
        if let Some(why) = skip {
            eprintln!("skipped: {name}: {why}");
        }
        let run = move || {
            test();
            Ok::<(), Failed>(())
        };
        Trial::test(name, run).with_ignored_flag(skip.is_some())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

/// A workspace with a section `[builder]`, and a buildx without builders. Its builder goes with it.
struct Workspace {
    folder: TempDir,
    name: String,
}

impl Workspace {
    fn new(kind: &str, section: &str) -> Workspace {
        let workspace = Workspace {
            folder: tempfile::tempdir().unwrap(),
            name: format!("xtask-test-{kind}-{}", std::process::id()),
        };
        fs::create_dir(workspace.folder.path().join("config")).unwrap();
        for file in ["Cargo.toml", "config/buildkitd.toml"] {
            fs::copy(root().join(file), workspace.folder.path().join(file)).unwrap();
        }
        // A program outside of cargo's target folder takes the workspace's. Written by this process, it could not be
        // started while another thread starts something.
        let program = workspace.folder.path().join("xtask");
        run(Command::new("cp").arg(env!("CARGO_BIN_EXE_xtask")).arg(program));
        workspace.configure(section);
        workspace
    }

    /// Has `section` be what the configuration says of the builder.
    fn configure(&self, section: &str) {
        let text = fs::read_to_string(root().join("config/pipeline.toml")).unwrap();
        let (others, _) = text.split_once("[builder]").unwrap();
        let text = format!("{others}[builder]\nname = '{}'\n{section}\n", self.name);
        fs::write(self.folder.path().join("config/pipeline.toml"), text).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("BUILDX_CONFIG", self.folder.path().join("buildx"));
        command.env("CARGO_MANIFEST_DIR", self.folder.path().join("xtask"));
        command.env("KUBECONFIG", self.folder.path().join("kubeconfig"));
        command
    }

    /// Runs `cargo xtask builder TASK`, and returns its steps and what they printed.
    fn builder(&self, task: &str) -> (Vec<String>, String) {
        self.xtask(&["builder", task])
    }

    fn xtask(&self, args: &[&str]) -> (Vec<String>, String) {
        let program = self.folder.path().join("xtask");
        let mut command = self.command(&program.to_string_lossy());
        let events = events(&run(command.args(args).args(["--message-format", "json"])));
        let of = |kind: &str, field: &str| {
            let of_kind = events.iter().filter(|event| event["event"] == kind);
            of_kind.map(|event| event[field].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        (of("step-started", "step"), of("output", "line").join("\n"))
    }

    /// The folder where buildx keeps what it knows of the builder, as text.
    fn stored(&self) -> Option<String> {
        fs::read_to_string(self.folder.path().join("buildx/instances").join(&self.name)).ok()
    }

    fn volume(&self) -> String {
        format!("buildx_buildkit_{}0_state", self.name)
    }

    fn has_volume(&self) -> bool {
        let name = self.volume();
        run(self.command("docker").args(["volume", "ls", "--quiet"])).lines().any(|volume| volume == name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = self.command("docker").args(["buildx", "rm", "--force", &self.name]).output();
        let _ = self.command("docker").args(["volume", "rm", "--force", &self.volume()]).output();
    }
}

fn what_is_made_twice_is_made_once() {
    let workspace = Workspace::new("container", "driver = 'docker-container'");
    let (steps, said) = workspace.builder("create");
    assert_eq!(steps, ["settings", "create-0", "inspect"], "{said}");
    let first = workspace.stored().unwrap();
    let (steps, said) = workspace.builder("create");
    assert_eq!((steps, workspace.stored().unwrap()), (vec!["inspect".to_owned()], first.clone()), "{said}");
    let (steps, said) = workspace.builder("status");
    assert_eq!(steps, ["inspect"]);
    assert!(said.contains(&format!("{}0", workspace.name)) && said.contains("inactive"), "{said}");

    // What a daemon would have filled.
    run(workspace.command("docker").args(["volume", "create", &workspace.volume()]));
    let changed = "driver = 'docker-container'\nnetwork = 'host'";
    workspace.configure(changed);
    let (steps, said) = workspace.builder("create");
    assert_eq!(steps, ["remove", "settings", "create-0", "inspect"], "{said}");
    assert!(said.contains("network=\"host\"") && workspace.has_volume(), "{said}");
    let second = workspace.stored().unwrap();
    assert!(second != first);
    let settings = workspace.folder.path().join("config/buildkitd.toml");
    fs::write(&settings, "worker.oci.max-parallelism = 7").unwrap();
    assert_eq!(workspace.builder("create").0.len(), 4);
    assert!(workspace.stored().unwrap() != second);
    run(workspace.command("docker").args(["buildx", "rm", "--keep-state", &workspace.name]));
    assert_eq!(workspace.builder("create").0, ["settings", "create-0", "inspect"]);
    assert!(workspace.has_volume());

    assert_eq!(workspace.builder("remove").0, ["remove", "cache"]);
    assert!(workspace.stored().is_none() && !workspace.has_volume());
    assert_eq!(workspace.builder("remove").0, ["cache"]);
}

fn buildx_knows_every_option_of_a_cluster() {
    let section = "
        driver = 'kubernetes'
        namespace = 'builders'
        image = 'registry.example.com/buildkit:rootless'
        rootless = true
        requests = { cpu = '500m', memory = '4Gi' }
        limits = { cpu = '4', memory = '8Gi' }
        [[builder.node]]
        platforms = ['linux/amd64']
        nodeselector = { 'kubernetes.io/arch' = 'amd64', disk = 'ssd' }
        replicas = 2
        [[builder.node]]
        platforms = ['linux/arm64']";
    let workspace = Workspace::new("cluster", section);
    // Nobody listens there: buildx reads the options before it asks.
    let kubeconfig = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}"#;
    fs::write(workspace.folder.path().join("kubeconfig"), kubeconfig).unwrap();
    let (steps, said) = workspace.builder("create");
    assert_eq!(steps, ["settings", "create-0", "create-1", "inspect"], "{said}");
    for told in ["nodeselector=\"disk=ssd,kubernetes.io/arch=amd64\"", "replicas=\"2\"", "linux/arm64*"] {
        assert!(said.contains(told), "{said}");
    }
    assert!(!said.contains("Error:"), "{said}");
    let first = workspace.stored().unwrap();
    assert!(first.contains("buildkitd.toml"));
    assert_eq!(workspace.builder("create").0, ["inspect"]);
    assert_eq!(workspace.stored().unwrap(), first);
}

fn buildx_knows_every_option_of_a_daemon() {
    let section = |port: u16| {
        format!(
            "driver = 'remote'
            endpoint = 'tcp://127.0.0.1:{port}'
            cacert = 'ca.pem'
            cert = 'a, \"b\".pem'
            key = 'key.pem'
            servername = 'build.example.com'
            platforms = ['linux/amd64', 'linux/arm64']"
        )
    };
    let workspace = Workspace::new("remote", &section(1));
    assert_eq!(workspace.builder("create").0, ["create-0", "inspect"]);
    let first = workspace.stored().unwrap();
    let (steps, said) = workspace.builder("create");
    assert_eq!((steps, workspace.stored().unwrap()), (vec!["inspect".to_owned()], first.clone()));
    assert!(said.contains(r#"a, \"b\".pem""#) && said.contains("linux/arm64*"), "{said}");
    workspace.configure(&section(2));
    assert_eq!(workspace.builder("create").0, ["remove", "create-0", "inspect"]);
    assert!(workspace.stored().unwrap().contains("tcp://127.0.0.1:2"));
    assert_eq!(workspace.builder("remove").0, ["remove"]);
    assert_eq!(workspace.builder("remove").0, [""; 0]);
}

fn a_daemon_that_runs_tells_of_its_cache() {
    let workspace = Workspace::new("running", "driver = 'docker-container'\nnetwork = 'host'");
    let (steps, said) = workspace.builder("bootstrap");
    assert_eq!(steps, ["settings", "create-0", "inspect"]);
    assert!(said.contains("running") && workspace.has_volume(), "{said}");
    let (steps, said) = workspace.builder("status");
    assert_eq!(steps, ["inspect", "cache"]);
    assert!(said.contains("Total:"), "{said}");
    let (steps, said) = workspace.xtask(&["clean", "--builder", "--older-than", "7d", "--keep", "5GB"]);
    assert_eq!(steps, ["builder-age", "builder-size"]);
    assert_eq!(said.matches("Total:").count(), 2, "{said}");
    let program = workspace.folder.path().join("xtask");
    let shown = run(workspace.command(&program.to_string_lossy()).arg("clean"));
    assert!(shown.contains(&format!("cache of the builder {}", workspace.name)), "{shown}");
    workspace.builder("remove");
    assert!(!workspace.has_volume());
}
