//! Cargo's JSON messages, as far as they tell which crates there are:
//! [the format](https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages).

use serde::Deserialize;

/// What every message begins with, as cargo writes it.
const BEGINNING: &str = "{\"reason\":\"";

/// A message.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub(super) enum Message {
    /// A unit was compiled, or was there already.
    CompilerArtifact {
        /// Whose it is.
        package_id: String,
        /// What it is.
        target: Target,
        /// How it was compiled.
        profile: Profile,
        /// Whether it was there already.
        fresh: bool,
    },
    /// A build script has run, or had run before.
    BuildScriptExecuted {
        /// Whose it is.
        package_id: String,
    },
    /// Nothing more is compiled. What comes next is printed by what was compiled, or by who runs it.
    BuildFinished {
        /// Whether all could be compiled.
        success: bool,
    },
    /// Anything else, which says nothing of crates.
    #[serde(other)]
    Other,
}

/// A target of a package.
#[derive(Debug, Deserialize)]
pub(super) struct Target {
    /// One for most, several for a library of several types.
    pub(super) kind: Vec<String>,
    /// Its name; that of a library has underscores.
    pub(super) name: String,
}

/// A profile.
#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    /// Whether it is compiled as a test.
    pub(super) test: bool,
}

/// What a line turned out to be.
pub(super) enum Found {
    /// A message.
    Message(Message),
    /// The beginning of one, or of something else: it is no more than that.
    Part,
    /// No message.
    Text,
}

/// Looks for a message in `line`.
pub(super) fn find(line: &str) -> Found {
    if !line.starts_with(BEGINNING) {
        return Found::Text;
    }
    match serde_json::from_str(line) {
        Ok(message) => Found::Message(message),
        Err(error) if error.is_eof() => Found::Part,
        Err(_) => Found::Text,
    }
}

/// Looks for a message that came in the middle of another line: both streams of cargo go through one pipe, and what it says
/// to people it writes in pieces.
pub(super) fn within(line: &str) -> Option<(&str, Message)> {
    let at = line.find(BEGINNING).filter(|at| *at > 0)?;
    Some((&line[..at], serde_json::from_str(&line[at..]).ok()?))
}

/// The name and version in a
/// [package id](https://doc.rust-lang.org/cargo/reference/pkgid-spec.html), such as
/// `registry+https://github.com/rust-lang/crates.io-index#serde@1.0.2` or `path+file:///src/app#0.1.0`.
pub(super) fn package(id: &str) -> (&str, &str) {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    let (path, _query) = url.split_once('?').unwrap_or((url, ""));
    let folder = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    fragment.rsplit_once('@').unwrap_or((folder, fragment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_of_every_source_are_read() {
        for (id, expected) in [
            ("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.2", ("serde", "1.0.2")),
            ("path+file:///src/app#0.1.0", ("app", "0.1.0")),
            ("path+file:///src/app#demo-app@0.1.0", ("demo-app", "0.1.0")),
            ("git+https://host/team/one.git?branch=a%2Fb#two@2.0.0-rc.1+b", ("two", "2.0.0-rc.1+b")),
            ("git+https://host/team/one?tag=x#0.3.0", ("one", "0.3.0")),
            ("nonsense", ("nonsense", "")),
        ] {
            assert_eq!(package(id), expected, "{id}");
        }
    }
}
