//! Container engines: Docker with each of its image stores, and podman.

use std::io::{Write as _, stderr};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use image_spec::Platform;
use libtest_mimic::{Failed, Trial};

use super::common::{Sandbox, tool};
use super::daemon::Daemon;
use super::listing::Listing;

/// Where Docker keeps images: its own store, which unpacks them and forgets how they were compressed, or containerd's,
/// which keeps what it pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Classic,
    Containerd,
}

/// An engine, or what a test that needs it says where there is none.
#[derive(Clone)]
pub struct Candidate {
    pub name: &'static str,
    /// Which store it has, if it is Docker.
    pub store: Option<Store>,
    pub needs: String,
    pub engine: Option<Arc<Engine>>,
    /// Whether it can build images by BuildKit.
    pub builds: bool,
}

/// An engine that runs containers on this machine.
pub struct Engine {
    pub is_podman: bool,
    /// Who has it for now.
    turn: Mutex<()>,
    /// One that was started for these tests, which ends with them.
    daemon: Option<Daemon>,
}

/// A command that is run in the end, however that comes.
pub struct Undo(Command);

/// All engines. None is started where tests are only listed.
pub fn find(is_list: bool) -> Vec<Candidate> {
    let running = running();
    let docker = |store: Store, name| {
        let daemon = match running {
            Some(found) if found == store => Ok(None),
            _ if is_list => Err("an engine that is started when it runs".to_owned()),
            _ => Daemon::start(store).map(Some),
        };
        let engine = |daemon| Arc::new(Engine { is_podman: false, turn: Mutex::default(), daemon });
        let (needs, engine) = match daemon {
            Ok(daemon) => (String::new(), Some(engine(daemon))),
            Err(needs) => (needs, None),
        };
        let builds =
            engine.as_ref().is_some_and(|engine| engine.run(&["buildx", "inspect", "default"]).is_ok());
        Candidate { name, store: Some(store), needs, engine, builds }
    };
    let podman = || Arc::new(Engine { is_podman: true, turn: Mutex::default(), daemon: None });
    let podman = tool::runs_containers("podman").then(podman);
    vec![
        docker(Store::Classic, "docker with the classic store"),
        docker(Store::Containerd, "docker with the containerd store"),
        Candidate {
            name: "podman",
            store: None,
            needs: "podman, able to run a container".to_owned(),
            engine: podman,
            builds: false,
        },
    ]
}

impl Candidate {
    /// A test that has the engine to itself: an engine keeps what images have in common once, so that the end of one test
    /// would take away what another is about to find there. `needs` is said where the engine is there, and something else is
    /// not.
    pub fn trial(
        &self,
        name: String,
        possible: bool,
        needs: &str,
        test: impl FnOnce(&Engine) -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let needs = if self.needs.is_empty() { needs } else { &self.needs };
        let engine = self.engine.clone();
        tool::trial(name, possible && engine.is_some(), needs, move || {
            let engine = engine.ok_or("no engine")?;
            let _turn = engine.turn.lock().unwrap_or_else(PoisonError::into_inner);
            test(&engine)
        })
    }
}

/// The store of the Docker engine that runs, if there is one that reaches the registries of these tests.
fn running() -> Option<Store> {
    let info = tool::output(Command::new("docker").args(["info", "--format", "{{.DriverStatus}}"])).ok()?;
    if !reaches_this_machine() {
        let _ = writeln!(stderr(), "skipped: the docker engine that runs, since it does not reach 127.0.0.1");
        return None;
    }
    let is_containerd = String::from_utf8_lossy(&info).contains("io.containerd.snapshotter");
    Some(if is_containerd { Store::Containerd } else { Store::Classic })
}

/// One in a virtual machine or in another network has a 127.0.0.1 of its own.
fn reaches_this_machine() -> bool {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { return false };
    let Ok(address) = listener.local_addr() else { return false };
    let (reached, asked) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((connection, _)) = listener.accept() {
            let _ = reached.send(());
            drop(connection);
        }
    });
    let _ = Command::new("docker").args(["pull", &format!("{address}/none")]).output();
    asked.try_recv().is_ok()
}

impl Engine {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(if self.is_podman { "podman" } else { "docker" });
        if let Some(daemon) = &self.daemon {
            command.env("DOCKER_HOST", daemon.host()).env_remove("DOCKER_CONTEXT");
        }
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Result<String, Failed> {
        let printed = tool::output(&mut self.command(arguments))?;
        Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
    }

    /// Pulls an image, and removes it in the end.
    pub fn pull(&self, name: &str, platform: Platform) -> Result<Undo, Failed> {
        let platform = platform.to_string();
        let insecure = if self.is_podman { &["--tls-verify=false"][..] } else { &[] };
        self.run(&[&["pull", "--quiet", "--platform", &platform], insecure, &[name]].concat())?;
        Ok(self.removing(name))
    }

    /// Removes an image in the end.
    pub fn removing(&self, name: &str) -> Undo {
        Undo(self.command(&["rmi", "--force", name]))
    }

    /// What a container of an image says.
    pub fn says(&self, name: &str) -> Result<String, Failed> {
        let limits = ["--rm", "--read-only", "--network=none"];
        self.run(&[&["run"], &limits[..], &[name]].concat())
    }

    /// What a container of an image that is here sees.
    pub fn export(&self, name: &str, platform: Platform) -> Result<Listing, Failed> {
        let platform = platform.to_string();
        // Podman would ask the registry, and by TLS.
        let platform = if self.is_podman { vec![] } else { vec!["--platform", &platform] };
        let create = [&["create", "--network=none"], &platform[..], &[name, "/program"]].concat();
        let id = self.run(&create)?;
        let id = id.lines().last().unwrap_or_default();
        let _container = Undo(self.command(&["rm", "--force", id]));
        Listing::of_export(&tool::output(&mut self.command(&["export", id]))?)
    }

    /// Builds an image from the folder `context` of the sandbox, and removes it in the end.
    pub fn build(
        &self,
        sandbox: &Sandbox,
        dockerfile: &str,
        name: &str,
        output: &str,
    ) -> Result<Undo, Failed> {
        let file = sandbox.file("Dockerfile", dockerfile.as_bytes()).display().to_string();
        let context = sandbox.path("context").display().to_string();
        let how = ["--builder=default", "--network=host", "--file", &file, "--output", output];
        self.run(&[&["buildx", "build"], &how[..], &["--tag", name, &context]].concat())?;
        Ok(self.removing(name))
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = self.0.output();
    }
}
