//! Whom a server runs as: servers of databases refuse to be root.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// An account of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// User and group; none for the user that this process runs as.
    ids: Option<(u32, u32)>,
}

impl User {
    /// The user that this process runs as.
    pub(super) fn this() -> User {
        User { ids: None }
    }

    /// This user, or for root the first of `accounts` that there is.
    pub(super) fn choose(accounts: &[&str]) -> Result<User> {
        if !rustix::process::geteuid().is_root() {
            return Ok(User::this());
        }
        let table = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let ids = accounts.iter().find_map(|name| ids(&table, name));
        let missing =
            || format!("root may not run a database server, and there is no user {}", accounts.join(", "));
        Ok(User { ids: Some(ids.with_context(missing)?) })
    }

    /// A command that this user runs.
    pub(super) fn command(self, argv: &[String]) -> Command {
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]);
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes this user the owner of `path`.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        let Some((user, group)) = self.ids else { return Ok(()) };
        chown(path, Some(user), Some(group)).with_context(|| format!("cannot hand over {}", path.display()))
    }

    /// Writes a file that only this user and root can read.
    pub(super) fn write(self, path: &Path, text: &str) -> Result<()> {
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
        self.own(path)
    }
}

/// User and group of `name` in a [passwd](https://man7.org/linux/man-pages/man5/passwd.5.html) file.
fn ids(table: &str, name: &str) -> Option<(u32, u32)> {
    let line = table.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let table = "root:x:0:0::/:/bin/sh\nserver2:x:7:7::/:\nserver:x:101:104:,,,:/var:/bin/bash\n";
        assert_eq!(ids(table, "server"), Some((101, 104)));
        assert_eq!(ids(table, "serv"), None);
    }
}
