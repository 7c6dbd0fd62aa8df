//! The service as somebody starts it who has the sources, and curl.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use tempfile::TempDir;

use super::markdown::Shown;
use super::shell;
use super::support::container::{free_port, http};
use super::support::{root, run};

/// Where the documents say that it is.
const ADDRESS: &str = "localhost:8080";

/// What curl does for each of us: no answer is one that tells of a mistake, and no stream goes on forever.
const CURL: &str = "fail\nsilent\nshow-error\nno-buffer\nnoproxy = \"*\"\nmax-time = 5\n";

/// The folder with what curl does besides where it follows a stream.
const FOLLOWING: &str = "following";

/// The service with a database and ports of its own, until it is dropped.
pub(crate) struct Service {
    process: Child,
    port: u16,
    /// What tells the program where the service is.
    settings: [(&'static str, String); 3],
    folder: TempDir,
}

impl Service {
    /// Starts it by `command`, as soon as it is compiled.
    pub(crate) fn start(command: &str) -> Result<Service, Failed> {
        run(&mut shell(&root(), &command.replace("cargo run", "cargo build")));
        let (folder, port) = (tempfile::tempdir()?, free_port());
        fs::write(folder.path().join(".curlrc"), CURL)?;
        fs::create_dir(folder.path().join(FOLLOWING))?;
        fs::write(folder.path().join(FOLLOWING).join(".curlrc"), format!("{CURL}verbose\n"))?;
        let settings = [
            ("APP__SERVER__PORT", port.to_string()),
            ("APP__ADMIN__PORT", free_port().to_string()),
            ("APP__DATABASE__URL", format!("sqlite://{}", folder.path().join("app.db").display())),
        ];
        let mut start = shell(&root(), &format!("exec {command}"));
        start.envs(settings.clone()).stdout(Stdio::null()).stderr(Stdio::null());
        let service = Service { process: start.spawn()?, port, settings, folder };
        let began = Instant::now();
        while !http(port, "GET", "/docs", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")) {
            assert!(began.elapsed() < Duration::from_secs(30), "`{command}` starts no service");
            sleep(Duration::from_millis(20));
        }
        Ok(service)
    }

    /// Runs a command of a document, which has to succeed, and returns what it prints.
    pub(crate) fn ask(&self, shown: &Shown) -> Result<String, Failed> {
        let output = self.curl(shown, "").output()?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {answer}{error}", shown.place);
        Ok(answer)
    }

    /// Runs a command of a document that goes on until its time is over, and waits until it is answered.
    pub(crate) fn follow(&self, shown: &Shown) -> Result<Stream, Failed> {
        let mut command = self.curl(shown, FOLLOWING);
        let mut curl = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Of its output, curl would keep the first lines to itself.
        let mut said = BufReader::new(curl.stderr.take().unwrap()).lines().map_while(Result::ok);
        let is_answered = said.any(|line| line.starts_with("< HTTP/1.1 200 "));
        assert!(is_answered, "{}: there is no answer", shown.place);
        Ok(Stream(curl))
    }

    /// Runs a command of the service's program, such as `app --help`, which has to succeed.
    pub(crate) fn program(&self, command: &str) {
        let line = command.replacen("app", "cargo run --quiet --", 1);
        run(shell(&root(), &line).envs(self.settings.clone()));
    }

    fn curl(&self, shown: &Shown, home: &str) -> Command {
        assert!(shown.command.contains(ADDRESS), "{}: {}", shown.place, shown.command);
        let line = shown.command.replace(ADDRESS, &format!("localhost:{}", self.port));
        let mut curl = shell(&root(), &line);
        curl.env("CURL_HOME", self.folder.path().join(home));
        curl
    }
}

/// An answer that goes on.
pub(crate) struct Stream(Child);

impl Stream {
    /// All of it, until its time is over.
    pub(crate) fn rest(self) -> Result<String, Failed> {
        let output = self.0.wait_with_output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
