//! A process under test: the service, or its yardstick.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::sleep;

/// How long it may take to listen: the service itself waits half a minute for its database.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often it is looked at. What is measured in milliseconds must not be measured with this.
const INTERVAL: Duration = Duration::from_micros(500);

/// A running process. Dropped, it is killed.
pub(crate) struct Service {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    log: File,
    /// Its working folder, where its log is.
    folder: TempDir,
}

impl Service {
    /// Starts a program on a free port, with no settings but these: a variable below `APP__`, and its value. Returns when
    /// it listens.
    ///
    /// # Errors
    /// When it does not, with the last that it said.
    pub(crate) async fn start(program: &Path, database: &str, settings: &[(&str, &str)]) -> Result<Service> {
        Service::start_with(program, database, settings, &[]).await
    }

    /// The same, with further variables.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub(crate) async fn start_with(
        program: &Path,
        database: &str,
        settings: &[(&str, &str)],
        variables: &[(&str, &OsStr)],
    ) -> Result<Service> {
        let folder = tempfile::Builder::new().prefix("soak-").tempdir().context("cannot make a folder")?;
        let path = folder.path().join("log");
        // A pipe would have to be read, by this process, on the same cores. Appending lets the file be emptied meanwhile.
        let log = File::options().create_new(true).append(true).open(&path).context("cannot write a log")?;
        let mut command = Command::new(program);
        command.current_dir(&folder).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log.try_clone().context("cannot write a log")?).env("APP__DATABASE__URL", database);
        for listener in ["SERVER", "ADMIN"] {
            command.env(format!("APP__{listener}__HOST"), "127.0.0.1");
            command.env(format!("APP__{listener}__PORT"), "0");
        }
        command.envs(settings.iter().map(|(key, value)| (format!("APP__{key}"), value)));
        command.envs(variables.iter().copied());
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;

        // From here on it is killed when this is given up.
        let mut service = Service { address: SocketAddr::from(([127, 0, 0, 1], 0)), child, log, folder };
        service.address = service.wait_for_address().await.with_context(|| program.display().to_string())?;
        Ok(service)
    }

    async fn wait_for_address(&mut self) -> Result<SocketAddr> {
        let began = Instant::now();
        loop {
            let log = self.log();
            if let Some(address) = listening_at(&log, "address") {
                return address.parse().with_context(|| format!("no address: {address}"));
            }
            if let Some(status) = self.try_wait()? {
                bail!("ended ({status}) before it listened:\n{log}");
            }
            if began.elapsed() > PATIENCE {
                bail!("does not listen after {} s:\n{log}", PATIENCE.as_secs());
            }
            sleep(INTERVAL).await;
        }
    }

    /// Where it tells how it is, by its log.
    ///
    /// # Errors
    /// When the log does not say, because it is a yardstick's or was emptied.
    pub(crate) fn admin(&self) -> Result<SocketAddr> {
        let log = self.log();
        let address = listening_at(&log, "admin").context("the log does not name the admin port")?;
        address.parse().with_context(|| format!("no address: {address}"))
    }

    /// What it has written to its log since it was started, or since the log was emptied.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Empties its log. A line for each request fills a disk in minutes.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn empty_log(&self) -> Result<()> {
        self.log.set_len(0).context("cannot empty a log")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).context("cannot signal the service")
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot look at the service")
    }

    /// Waits for its end, and tells how long that took.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn wait(&mut self, patience: Duration) -> Result<(ExitStatus, Duration)> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok((status, began.elapsed()));
            }
            if began.elapsed() > patience {
                bail!("the service has not ended after {} s", patience.as_secs());
            }
            sleep(INTERVAL).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Before its folder is removed, or it could write into it again. It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that is called `name` in the line `listening address=127.0.0.1:8080 …`, or in the same line as JSON.
fn listening_at<'a>(log: &'a str, name: &str) -> Option<&'a str> {
    let line = log.lines().find(|line| line.contains("listening"))?;
    let value =
        [format!(" {name}="), format!("\"{name}\":\"")].iter().find_map(|key| line.split_once(key))?.1;
    value.split([' ', '"']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_not_that_of_the_admin_port() {
        let log =
            "INFO starting\nINFO app::server: listening address=127.0.0.1:1 admin=127.0.0.1:2 backend=x\n";
        assert_eq!(listening_at(log, "address"), Some("127.0.0.1:1"));
        assert_eq!(listening_at(log, "admin"), Some("127.0.0.1:2"));
        assert_eq!(listening_at("listening address=1.2.3.4:5", "address"), Some("1.2.3.4:5"));
        let json = r#"{"level":"INFO","message":"listening","address":"[::1]:1","admin":"[::1]:2"}"#;
        assert_eq!(
            [listening_at(json, "address"), listening_at(json, "admin")],
            [Some("[::1]:1"), Some("[::1]:2")]
        );
        assert_eq!(listening_at("INFO starting\n", "address"), None);
    }
}
