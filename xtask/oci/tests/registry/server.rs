//! A real registry: the program that the Debian package `docker-registry` has, elsewhere called `registry`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Starts a registry and kills it: at a word from its owner, or when its owner is gone, however that ended, and then its
/// folder goes as well.
const GUARDIAN: &str = r#"
    "$1" serve "$2/config.yml" >"$2/log" 2>&1 &
    echo $!
    read -r word || word=gone
    kill -9 $!
    wait $! 2>/dev/null
    [ "$word" != gone ] || rm -rf "$2"
"#;

/// The registry program of this machine.
pub fn program() -> Option<&'static str> {
    let answers = |program: &&str| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    ["docker-registry", "registry"].into_iter().find(answers)
}

/// A registry on a port of its own, with its data in a temporary folder.
pub struct Registry {
    pub address: SocketAddr,
    folder: tempfile::TempDir,
    guardian: Option<Child>,
}

impl Registry {
    pub fn start() -> Registry {
        Registry::with("")
    }

    /// With more lines of configuration below `http`.
    pub fn with(http: &str) -> Registry {
        // Another process may get the address in between.
        (0..5).find_map(|_| Registry::try_with(http)).expect("a registry starts")
    }

    fn try_with(http: &str) -> Option<Registry> {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nvalidation: {{disabled: true}}\n\
             storage:\n  delete: {{enabled: true}}\n  filesystem: {{rootdirectory: {}}}\n\
             http:\n  addr: {address}\n{http}",
            folder.path().join("data").display()
        );
        fs::write(folder.path().join("config.yml"), config).unwrap();
        let mut registry = Registry { address, folder, guardian: None };
        registry.restart().then_some(registry)
    }

    /// Starts it on the port that it had, with the data that it had. Says whether it answers.
    pub fn restart(&mut self) -> bool {
        self.kill();
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN, "registry", program().expect("there is a registry")])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        self.guardian = Some(guardian);
        let (began, process) = (Instant::now(), PathBuf::from(format!("/proc/{}", pid.trim())));
        let ended = || fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "));
        while began.elapsed() < Duration::from_secs(20) && !ended() {
            if TcpStream::connect(self.address).is_ok() {
                // Or somebody else is there.
                return !ended();
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Ends it by SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            let _ = guardian.stdin.take().unwrap().write_all(b"end\n");
            guardian.wait().unwrap();
        }
    }

    /// The names of all files and folders that it keeps, with their sizes, sorted.
    pub fn storage(&self) -> Vec<(PathBuf, u64)> {
        let mut found = Vec::new();
        list(&self.folder.path().join("data"), &mut found);
        found.sort();
        found
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An address that nobody has, and that nobody gets who does not care which: a registry that is killed has to find it
/// again.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 10_000) as u16;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

fn list(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), found);
        } else {
            found.push((entry.path(), entry.metadata().unwrap().len()));
        }
    }
}
