//! Names of things outside this machine, for documents that everybody may read.

use anyhow::{Result, bail, ensure};

use super::GitSource;

/// The source as an [SPDX download location](https://spdx.github.io/spdx-spec/v2.3/package-information/#77-package-download-location-field):
/// `git+<url>@<commit>`, without user and password.
pub(super) fn source(source: &GitSource) -> Result<String> {
    let GitSource { repository, commit } = source;
    let is_hex = commit.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    ensure!(
        is_hex && matches!(commit.len(), 40 | 64),
        "`{}` is not a commit; give its full hash",
        commit.escape_default()
    );
    let (scheme, rest) = match (repository.split_once("://"), repository.split_once(':')) {
        (Some((scheme, rest)), _) if scheme != "file" => (scheme, rest.to_owned()),
        // As git takes it for ssh: user@host:path.
        (None, Some((host, path))) if !host.contains('/') => {
            ("ssh", format!("{host}/{}", path.trim_start_matches('/')))
        }
        _ => bail!(
            "a provenance cannot name a folder of this machine as its source; give the URL of a repository"
        ),
    };
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let uri = format!("{}://{host}/{path}", scheme.strip_prefix("git+").unwrap_or(scheme));
    check("source", &uri)?;
    Ok(format!("git+{uri}@{commit}"))
}

/// Checks that `text` is a URI that means the same everywhere.
pub(super) fn check(what: &str, text: &str) -> Result<()> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let is_uri = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    ensure!(is_uri, "the {what} of a provenance needs a URI, and `{}` is none", text.escape_default());
    ensure!(scheme != "file", "the {what} of a provenance cannot be on this machine, as {text} is");
    Ok(())
}

/// The host of the first URL in `text` that names a user and a password or token.
pub(super) fn with_password(text: &str) -> Option<&str> {
    let mut urls = text.match_indices("://").map(|(at, separator)| {
        let rest = &text[at + separator.len()..];
        let end = rest.find(['/', '"', '\\', ' ', '?', '#']).unwrap_or(rest.len());
        (&text[..at], &rest[..end])
    });
    urls.find_map(|(before, authority)| {
        let (user, host) = authority.rsplit_once('@')?;
        // The user `git` of ssh is no secret; a token takes the place of the user in https.
        let is_secret = user.contains(':') || before.ends_with("http") || before.ends_with("https");
        is_secret.then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn sources_are_named_without_user_and_password() {
        for (repository, uri) in [
            ("https://github.com/a/b", "git+https://github.com/a/b"),
            ("https://x-access-token:secret@github.com/a/b.git", "git+https://github.com/a/b.git"),
            ("https://token@github.com/a/b", "git+https://github.com/a/b"),
            ("git@github.com:a/b.git", "git+ssh://github.com/a/b.git"),
            ("ssh://git@host.example:2222/a/b", "git+ssh://host.example:2222/a/b"),
            ("git+https://github.com/a/b", "git+https://github.com/a/b"),
        ] {
            let source = GitSource { repository: repository.to_owned(), commit: COMMIT.to_owned() };
            assert_eq!(super::source(&source).unwrap(), format!("{uri}@{COMMIT}"), "{repository}");
        }
    }

    #[test]
    fn passwords_and_tokens_are_seen() {
        for text in [
            "https://me:pw@host.example/x",
            "[\"see\",\"https://pw@host.example\"]",
            "a://b ssh://me:pw@host.example?x",
        ] {
            assert_eq!(with_password(text), Some("host.example"), "{text}");
        }
        for text in ["https://host.example/a@b", "ssh://git@host.example", "me:pw@host", "://", ""] {
            assert_eq!(with_password(text), None, "{text}");
        }
    }
}
