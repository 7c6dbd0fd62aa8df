//! What the tests of real servers share.

use std::fs::{self, DirEntry};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use db_servers::Source;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use xtask_db::{Backend, Options, Server};

/// Runs one statement in a connection of its own.
pub(crate) fn execute(url: &str, sql: &str) -> Result<(), String> {
    execute_in(Duration::from_secs(10), url, sql)
}

/// [`execute`] with a deadline.
pub(crate) fn execute_in(deadline: Duration, url: &str, sql: &str) -> Result<(), String> {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let call = async {
            let mut connection = AnyConnection::connect(url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        };
        match tokio::time::timeout(deadline, call).await {
            Ok(result) => result.map_err(|error: sqlx::Error| error.to_string()),
            Err(elapsed) => Err(elapsed.to_string()),
        }
    })
}

/// `xtask-db exec` of a shell script.
pub(crate) fn exec(flags: &[&str], script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-db"));
    command.arg("exec").args(flags).args(["--", "sh", "-c", script]);
    command
}

/// The port in a URL.
pub(crate) fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}

/// Whether anybody listens on a port of the loopback interface.
pub(crate) fn is_listening(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The command lines that name `folder`, as those of its server do.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let lines = match fs::read_dir("/proc") {
        Ok(entries) => {
            let command = |entry: DirEntry| fs::read_to_string(entry.path().join("cmdline")).ok();
            entries.flatten().filter_map(command).collect::<Vec<_>>()
        }
        Err(_) => {
            let output = Command::new("ps").args(["-A", "-o", "args="]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
        }
    };
    lines.into_iter().filter(|line| line.contains(folder)).collect()
}

/// Waits for something that must come to be.
pub(crate) fn wait_until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "waited in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// A container runtime with the image of `backend`, or what is missing.
pub(crate) fn container(backend: Backend) -> Result<Source, String> {
    let container = db_servers::container(backend).ok_or("no container runtime answers")?;
    let inspect = ["image", "inspect", container.image];
    let output = Command::new(container.runtime).args(inspect).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{} has no image {}", container.runtime, container.image));
    }
    Ok(Source::Container(container))
}

/// A process that owns a server and has printed the path of its authority.
pub(crate) struct Owned {
    owner: Child,
    folder: PathBuf,
}

impl Owned {
    pub(crate) fn start(command: &mut Command) -> Owned {
        let mut owner = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let folder = Path::new(line.trim()).parent().unwrap().to_owned();
        assert!(!processes_in(&folder).is_empty());
        Owned { owner, folder }
    }

    /// Kills the owner, and sees the server go.
    pub(crate) fn ends_with_its_owner(mut self) {
        self.owner.kill().unwrap();
        self.owner.wait().unwrap();
        wait_until("the end of the server", Duration::from_secs(8), || processes_in(&self.folder).is_empty());
        wait_until("the end of its folder", Duration::from_secs(8), || !self.folder.exists());
    }
}

/// Starts a server, pauses it, and waits to be killed.
pub(crate) fn own_a_paused_server(backend: Backend) -> ! {
    let mut server = Server::start(backend, Options { fast: true }).unwrap();
    // Also one that serves a connection.
    let url = server.url().to_owned();
    std::thread::spawn(move || execute_in(Duration::from_secs(60), &url, "SELECT pg_sleep(60)"));
    sleep(Duration::from_millis(300));
    server.pause().unwrap();
    println!("{}", server.ca().unwrap().display());
    loop {
        sleep(Duration::from_secs(60));
    }
}
