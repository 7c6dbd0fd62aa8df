//! RustSec's database of vulnerabilities, as cargo-deny keeps it.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

/// Where the database comes from unless deny.toml says otherwise.
const SERVER: (&str, u16) = ("github.com", 443);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_millis(700);
/// How old a copy may be before it is fetched again.
const FRESH: Duration = Duration::from_hours(24);

/// Which database is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Advisories {
    /// It is fetched.
    Fetch,
    /// The copy that is there: it is fresh, or the server does not answer.
    Copy {
        /// Its age.
        days: u64,
    },
    /// None: there is no copy, and the server does not answer.
    #[default]
    Missing,
}

impl Advisories {
    /// Looks for a copy in cargo's home, and where there is no fresh one, whether the server answers.
    pub(crate) fn probe(cargo_home: &Path) -> Advisories {
        let age = age_of_copy(&cargo_home.join("advisory-dbs"));
        let fresh = age.filter(|age| *age < FRESH);
        match (fresh.or(age), fresh.is_some() || !server_answers()) {
            (Some(age), true) => Advisories::Copy { days: age.as_secs() / (24 * 60 * 60) },
            (None, true) => Advisories::Missing,
            (_, false) => Advisories::Fetch,
        }
    }
}

/// How long ago the newest copy in `folder` was fetched: git writes `FETCH_HEAD` each time.
fn age_of_copy(folder: &Path) -> Option<Duration> {
    let fetched = |copy: PathBuf| {
        let times = [".git/FETCH_HEAD", ".git/HEAD"].map(|file| fs::metadata(copy.join(file)));
        times.into_iter().flatten().filter_map(|metadata| metadata.modified().ok()).max()
    };
    let newest = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| fetched(entry.path())).max()?;
    Some(SystemTime::now().duration_since(newest).unwrap_or_default())
}

/// Looking up a name can take far longer than anyone wants to wait, so a thread does.
fn server_answers() -> bool {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let addresses = SERVER.to_socket_addrs().into_iter().flatten();
        let answers = addresses.take(2).any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok());
        let _ = sender.send(answers);
    });
    receiver.recv_timeout(PATIENCE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_was_fetched_today_is_fresh() {
        let home = tempfile::tempdir().unwrap();
        let git = home.path().join("advisory-dbs/advisory-db-1/.git");
        fs::create_dir_all(&git).unwrap();
        assert_eq!(age_of_copy(&home.path().join("advisory-dbs")), None);
        fs::write(git.join("FETCH_HEAD"), "").unwrap();
        assert_eq!(Advisories::probe(home.path()), Advisories::Copy { days: 0 });
    }
}
