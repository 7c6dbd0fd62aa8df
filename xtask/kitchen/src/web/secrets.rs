//! Who may come in: who has the token of the printed address, once; a browser that came in by it; a program that can read
//! the key in the project's folder.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

use crate::place::private;

/// How many browsers may be in at once, and how many tokens may wait for theirs. Where there are more, the oldest is void.
const MOST: usize = 64;

/// The secrets of one run. None of them is shown by `Debug`.
pub struct Secrets {
    key: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Tokens that nobody has used yet; the oldest first.
    tokens: Vec<String>,
    /// What browsers that came in show since then; the oldest first.
    sessions: Vec<String>,
}

impl Secrets {
    /// New secrets, and the key in the file at `path`, for programs of the same user.
    ///
    /// # Errors
    /// When the file cannot be written, or the system has no random numbers.
    pub fn new(path: &Path) -> Result<Secrets> {
        let key = random()?;
        // A reader never sees half of it: the old one is gone before.
        let written = fs::remove_file(path).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        let written =
            written.and_then(|()| private(path)).and_then(|mut file| file.write_all(key.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Secrets { key, inner: Mutex::default() })
    }

    /// A token that lets one browser in, once.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn token(&self) -> Result<String> {
        let token = random()?;
        push(&mut self.inner().tokens, token.clone());
        Ok(token)
    }

    /// The address that lets one browser in, once, of a server at `url`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn entrance(&self, url: &str) -> Result<String> {
        Ok(format!("{url}/enter#{}", self.token()?))
    }

    /// What a browser that has this token shows from now on; nothing for a token that there is not, or not any more.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn exchange(&self, token: &str) -> Result<Option<String>> {
        let session = random()?;
        let mut inner = self.inner();
        let Some(known) = inner.tokens.iter().position(|known| is_same(known, token)) else {
            return Ok(None);
        };
        inner.tokens.remove(known);
        push(&mut inner.sessions, session.clone());
        Ok(Some(session))
    }

    /// Whether a browser with this came in.
    pub(super) fn is_session(&self, session: &str) -> bool {
        self.inner().sessions.iter().any(|known| is_same(known, session))
    }

    /// Whether this is the key in the file.
    pub(super) fn is_key(&self, key: &str) -> bool {
        is_same(&self.key, key)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

fn push(secrets: &mut Vec<String>, secret: String) {
    if secrets.len() == MOST {
        secrets.remove(0);
    }
    secrets.push(secret);
}

/// 256 bits in hex digits, from the system.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system has no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether both are the same, in a time that does not tell how much of them is.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lets_one_in_once() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::new(&folder.path().join("key")).unwrap();
        let token = secrets.token().unwrap();
        let session = secrets.exchange(&token).unwrap().unwrap();
        assert!(secrets.is_session(&session) && !secrets.is_session(&token));
        assert_eq!(secrets.exchange(&token).unwrap(), None);
        assert_eq!(secrets.exchange("").unwrap(), None);
        let key = fs::read_to_string(folder.path().join("key")).unwrap();
        assert!(secrets.is_key(&key) && !secrets.is_key(&key[1..]) && !secrets.is_key(""));
        assert_eq!(format!("{secrets:?}"), "Secrets { .. }");
    }
}
