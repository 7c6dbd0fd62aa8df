//! Secrets in the environment of a build, kept out of what it prints: a program may print by mistake what it was given.
//! What records builds of terminals has this file as well.

use std::ffi::OsString;

/// What is kept instead of a secret.
const SHOWN: &[u8] = b"***";
/// Words of which a variable has one in its name when it holds a secret.
const NAMES: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL", "KEY"];
/// What is shorter, in bytes, is no secret, and stands in many lines for something else.
const SHORTEST: usize = 8;
/// From this length on, letters alone may be a secret; `password` is none.
const LETTERS: usize = 16;

/// The secrets of an environment.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// As they stand in a line of text or JSON; the longest first, since one may be a part of another.
    secrets: Vec<Vec<u8>>,
}

impl Mask {
    /// What is secret among these variables: what has such a name, and passwords in URLs. Of several lines, each.
    pub(crate) fn of(variables: impl Iterator<Item = (OsString, OsString)>) -> Mask {
        let mut secrets = Vec::new();
        for (name, value) in variables {
            let (name, value) = (name.to_string_lossy().to_uppercase(), value.to_string_lossy().into_owned());
            let is_named = NAMES.iter().any(|word| name.contains(word));
            let values = if is_named {
                value.lines().collect()
            } else {
                password(&value).into_iter().collect::<Vec<_>>()
            };
            for value in values.into_iter().map(str::trim).filter(|value| is_secret(value)) {
                let escaped = serde_json::to_string(value).unwrap_or_default();
                secrets.push(escaped.trim_matches('"').as_bytes().to_owned());
                secrets.push(value.as_bytes().to_owned());
            }
        }
        secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        secrets.dedup();
        Mask { secrets }
    }

    /// The line without them.
    pub(crate) fn apply(&self, mut line: Vec<u8>) -> Vec<u8> {
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = line[from..].windows(secret.len()).position(|bytes| bytes == secret) {
                line.splice(from + at..from + at + secret.len(), SHOWN.iter().copied());
                from += at + SHOWN.len();
            }
        }
        line
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

/// The password in a URL: `scheme://user:password@host/path`.
fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

fn is_secret(value: &str) -> bool {
    let is_path = value.starts_with(['/', '.', '~']);
    let is_word = value.len() < LETTERS && value.chars().all(char::is_alphabetic);
    value.len() >= SHORTEST && !is_path && !is_word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(variables: &[(&str, &str)]) -> Mask {
        Mask::of(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn secrets_are_left_out_of_text_and_of_json() {
        let mask = mask(&[
            ("REGISTRY_TOKEN", "s3cr3t-token"),
            ("REGISTRY_TOKEN_OLD", "s3cr3t-token-2"),
            ("db_password", "quo\"ted\\7"),
            ("DATABASE_URL", "db://app:p4ssw0rd@localhost/app"),
            ("SIGNING_KEY", "-----BEGIN-----\nMC4CAQAwBQYDK2Vw\n"),
        ]);
        let line = br#"{"line":"s3cr3t-token-2 s3cr3t-token quo\"ted\\7 app:p4ssw0rd@ MC4CAQAwBQYDK2Vw"}"#;
        let masked = String::from_utf8(mask.apply(line.to_vec())).unwrap();
        assert_eq!(masked, r#"{"line":"*** *** *** app:***@ ***"}"#);
        assert_eq!(mask.apply(b"quo\"ted\\7\n".to_vec()), b"***\n");
        assert_eq!(format!("{mask:?}"), "Mask { .. }");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let mask = mask(&[
            ("APP_PASSWORD", "password"),
            ("SSH_KEY", "/home/me/.ssh/id_ed25519"),
            ("TOKEN", "1234"),
            ("HOME", "/home/me-and-you"),
            ("DATABASE_URL", "db://data/app.db"),
            ("PASSWORD", ""),
        ]);
        let line = b"password /home/me/.ssh/id_ed25519 1234 /home/me-and-you db://data/app.db".to_vec();
        assert_eq!(mask.apply(line.clone()), line);
    }
}
