//! A server in a container, for machines without the programs.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use db_servers::Backend;

use super::guardian::Guardian;
use super::user::User;
use super::{Access, Kind, random, tls};
use crate::server::{Options, new_folder};

/// How long a server may take to answer: initialising included, which containers do at their first start.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Where the container has the certificates.
pub(super) const TLS: &str = "/tls";
/// Hands the certificates over to the user that serves, `$0`, and goes on as the image would.
const ENTRYPOINT: &str = r#"chown -R "$0" /tls && exec docker-entrypoint.sh "$@""#;

/// What is particular to one kind of server.
pub(super) struct Recipe {
    /// The user in the image that serves.
    pub(super) user: &'static str,
    /// Variables of the image; these are no secrets.
    pub(super) env: Vec<(&'static str, &'static str)>,
    /// The variable that takes the password.
    pub(super) password: &'static str,
    /// The server and its arguments.
    pub(super) serve: Vec<String>,
    /// The administrator's URL.
    pub(super) url: String,
}

/// The server.
pub(crate) struct Container {
    kind: &'static Kind,
    runtime: &'static str,
    name: String,
    port: u16,
    guardian: Guardian,
}

impl Container {
    /// Makes a container of its own and starts it.
    pub(super) fn start(
        backend: Backend,
        source: &db_servers::Container,
        options: Options,
    ) -> Result<(Container, Access)> {
        let (port, password) = (random::free_port()?, random::secret()?);
        let kind = Kind::of(backend)?;
        // In a network of its own the server does not see the loopback interface that its port is published on.
        let address = if cfg!(target_os = "linux") { "127.0.0.1" } else { "0.0.0.0" };
        let recipe = (kind.container)(address, port, &password, options);
        let name = format!("throw-away-{backend}-{}", &random::secret()?[..12]);
        let runtime = source.runtime;
        if run(Command::new(runtime).args(["image", "inspect", source.image])).is_err() {
            run(Command::new(runtime).args(["pull", "--quiet", source.image]))?;
        }
        let folder = new_folder(backend)?;
        let guardian =
            Guardian::of_container(folder.path(), &[runtime, "rm", "--force", "--volumes", &name])?;
        let folder = folder.keep();
        let mut container = Container { kind, runtime, name, port, guardian };
        let ca = Some(tls::write(&folder, User::this())?);

        container.create(source.image, &recipe, &password)?;
        container.copy(folder.join(tls::FOLDER))?;
        container.start_again()?;
        Ok((container, Access { url: recipe.url, ca }))
    }

    fn create(&self, image: &str, recipe: &Recipe, password: &str) -> Result<()> {
        let mut command = Command::new(self.runtime);
        command.args(["create", "--name", &self.name, "--entrypoint", "sh"]);
        if cfg!(target_os = "linux") {
            // Works even where containers have no network of their own.
            command.args(["--network", "host"]);
        } else {
            command.arg(format!("--publish=127.0.0.1:{0}:{0}", self.port));
        }
        for (name, value) in &recipe.env {
            command.arg(format!("--env={name}={value}"));
        }
        // Its value comes from the environment, where not everyone can read it as on a command line.
        command.args(["--env", recipe.password]).env(recipe.password, password);
        run(command.args([image, "-c", ENTRYPOINT, recipe.user]).args(&recipe.serve))
    }

    fn copy(&self, folder: PathBuf) -> Result<()> {
        run(Command::new(self.runtime).arg("cp").arg(folder).arg(format!("{}:{TLS}", self.name)))
    }

    /// Starts what was killed or stopped, and waits until it answers.
    pub(super) fn start_again(&mut self) -> Result<()> {
        self.control("start")?;
        let began = Instant::now();
        while !(self.kind.is_ready)(self.port) {
            let is_over = !self.is_running();
            if is_over || began.elapsed() > PATIENCE {
                let what = if is_over { "ended at once" } else { "does not answer" };
                bail!("the container {} {what}:\n{}", self.name, self.log());
            }
            sleep(INTERVAL);
        }
        Ok(())
    }

    /// SIGKILL, and waits until it is over.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.control("kill")?;
        self.control("wait")
    }

    /// Has the runtime do something with it: `start`, `stop`, `pause`, …
    pub(super) fn control(&mut self, verb: &str) -> Result<()> {
        run(Command::new(self.runtime).args([verb, &self.name]))
    }

    fn is_running(&self) -> bool {
        let inspect = ["inspect", "--format", "{{.State.Running}}", &self.name];
        let output = Command::new(self.runtime).args(inspect).output();
        output.is_ok_and(|output| output.stdout.starts_with(b"true"))
    }

    /// The last lines that the server wrote.
    fn log(&self) -> String {
        let output = Command::new(self.runtime).args(["logs", "--tail", "15", &self.name]).output();
        output
            .map(|output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.guardian.end(|| ());
    }
}

/// Runs a short command whose output matters only when it fails.
fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let program = command.get_program().to_string_lossy().into_owned();
    let output = output.with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        let verb = command.get_args().next().unwrap_or_default().to_string_lossy();
        bail!("`{program} {verb}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
