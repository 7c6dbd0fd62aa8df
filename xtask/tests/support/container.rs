//! A container of the image under test, which goes with its volume and image when dropped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::run;

/// A container.
pub(crate) struct Container {
    runtime: &'static str,
    name: String,
    repository: String,
    port: u16,
}

impl Container {
    /// Makes a container that is read-only but for a volume, in the network of this machine.
    pub(crate) fn create(runtime: &'static str, image: &str) -> Container {
        Container::with(runtime, image, &[])
    }

    /// The same with variables NAME=VALUE for the service.
    pub(crate) fn with(runtime: &'static str, image: &str, variables: &[String]) -> Container {
        let port = free_port();
        let name = image.replace(':', "-");
        run(Command::new(runtime)
            .args(["create", "--read-only", "--network", "host", "--name", &name])
            .args(["--volume", &format!("{name}:/app/data"), "--env", &format!("APP__SERVER__PORT={port}")])
            .args(["--env", "APP__ADMIN__PORT=0"])
            .args(variables.iter().flat_map(|variable| ["--env", variable]))
            .arg(image));
        let repository = image.split(':').next().unwrap().to_owned();
        Container { runtime, name, repository, port }
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) {
        run(Command::new(self.runtime).args(["start", &self.name]));
        let began = Instant::now();
        while !self.try_http("GET", "/readyz", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(began.elapsed() < Duration::from_secs(10), "not ready: {}", self.logs());
            sleep(Duration::from_millis(20));
        }
    }

    /// Sends it SIGTERM and returns its exit code.
    pub(crate) fn terminate(&self) -> String {
        run(Command::new(self.runtime).args(["kill", "--signal", "TERM", &self.name]));
        run(Command::new(self.runtime).args(["wait", &self.name])).trim().to_owned()
    }

    /// The user that it runs as.
    pub(crate) fn user(&self) -> String {
        run(Command::new(self.runtime).args(["inspect", "--format", "{{.Config.User}}", &self.name]))
            .trim()
            .to_owned()
    }

    /// Sends a request and returns the answer with its head.
    pub(crate) fn http(&self, method: &str, path: &str, body: &str) -> String {
        self.try_http(method, path, body).unwrap()
    }

    fn try_http(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        http(self.port, method, path, body)
    }

    fn logs(&self) -> String {
        let output = Command::new(self.runtime).args(["logs", &self.name]).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// A port of this machine that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends a request to a port of this machine and returns the answer with its head.
pub(crate) fn http(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Drop for Container {
    fn drop(&mut self) {
        for args in [&["rm", "--force", &self.name][..], &["volume", "rm", "--force", &self.name]] {
            let _ = Command::new(self.runtime).args(args).output();
        }
        remove_images(self.runtime, &self.repository);
    }
}

/// Removes the images of a repository by all their tags. An image may have other names, which it keeps.
pub(crate) fn remove_images(runtime: &str, repository: &str) {
    let list = ["images", "--format", "{{.Repository}}:{{.Tag}}", repository];
    let names = Command::new(runtime).args(list).output().map(|output| output.stdout).unwrap_or_default();
    for name in String::from_utf8_lossy(&names).lines() {
        let _ = Command::new(runtime).args(["rmi", "--force", name]).output();
    }
}
