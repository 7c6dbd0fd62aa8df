//! `xtask-kitchen` as a process, in a project whose cargo is a script.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

const CARGO: &str = r#"echo '{"backends":[{"backend":"one"}],"platforms":[{"platform":"linux/amd64"}]}'"#;

/// One that is open, until it is dropped.
pub(crate) struct Program {
    child: Child,
    /// The addresses that it prints, its own first.
    pub(crate) entrances: Vec<String>,
}

impl Program {
    pub(crate) fn project() -> TempDir {
        let project = tempfile::tempdir().unwrap();
        script(&project.path().join("cargo"), CARGO);
        script(&project.path().join("xdg-open"), "printf '%s' \"$1\" >opened.part && mv opened.part opened");
        project
    }

    /// What opens one.
    pub(crate) fn command(project: &TempDir, flags: &[&str]) -> Command {
        Program::shell(project, &[&["--port=0"], flags].concat())
    }

    /// What asks one.
    pub(crate) fn shell(project: &TempDir, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-kitchen"));
        let path = std::env::join_paths([project.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        command.args(arguments).current_dir(project).env("PATH", path);
        command.env("CARGO", project.path().join("cargo"));
        command
    }

    pub(crate) fn open(project: &TempDir, flags: &[&str]) -> Program {
        Program::open_with(&mut Program::command(project, flags))
    }

    pub(crate) fn open_with(command: &mut Command) -> Program {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<_> = lines.take_while(|line| !line.starts_with("An address")).collect();
        let entrances =
            said.iter().filter_map(|line| line.rsplit_once(" at ").map(|(_, url)| url.to_owned()));
        Program { child, entrances: entrances.collect() }
    }

    /// Asks as a program that has the key, and gives all of the answer.
    pub(crate) fn ask(&self, project: &TempDir, request: &str, body: &str) -> String {
        let authority = self.entrances[0].trim_start_matches("http://").split('/').next().unwrap();
        let key = fs::read_to_string(project.path().join(".kitchen/key")).unwrap();
        let head = format!("host: {authority}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n");
        let length = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        ask(authority, &format!("{request} HTTP/1.1\r\n{head}{length}{body}"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and gives all of the answer.
pub(crate) fn ask(address: &str, request: &str) -> String {
    all(TcpStream::connect(address).unwrap(), request)
}

/// The same over TLS, as a browser that trusts this certificate.
pub(crate) fn over_tls(address: &str, certificate: &CertificateDer<'static>, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let client = ClientConnection::new(config, ServerName::try_from("kitchen.test").unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    all(StreamOwned::new(client, stream), request)
}

fn all(mut stream: impl std::io::Read + std::io::Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server may end TLS without a word.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// What is in a file that is about to be there.
pub(crate) fn content(path: &Path) -> String {
    let looks = (0..1000).map(|_| {
        sleep(Duration::from_millis(10));
        fs::read_to_string(path)
    });
    looks.flatten().next().unwrap()
}

/// All files of a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
