//! Names of images, by the grammar of the
//! [distribution project](https://github.com/distribution/reference/blob/main/reference.go).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest repository that registries accept, in bytes.
const MAX_REPOSITORY: usize = 255;

/// Where images live: `app`, `team/app`, `registry.example.com:5000/team/app`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);

/// The name of one image in a repository: at most 128 of `A-Z a-z 0-9 _ . -`, not beginning with a dot or dash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// A repository with a tag, a digest, or both: `team/app:1.2`, `team/app@sha256:…`. Without either it means `latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<String>,
}

impl Repository {
    /// The image of this repository that has `tag`.
    pub fn with_tag(&self, tag: &Tag) -> Reference {
        Reference { repository: self.clone(), tag: Some(tag.clone()), digest: None }
    }
}

impl Reference {
    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, if one is written.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if one is written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Why a text is not the name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseReferenceError {
    text: String,
    why: String,
}

impl fmt::Display for ParseReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a legal image name: {}", self.text, self.why)
    }
}

impl std::error::Error for ParseReferenceError {}

impl FromStr for Repository {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check_repository(text).map_err(|why| ParseReferenceError { text: text.to_owned(), why })?;
        Ok(Repository(text.to_owned()))
    }
}

impl FromStr for Tag {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check_tag(text).map_err(|why| ParseReferenceError { text: text.to_owned(), why })?;
        Ok(Tag(text.to_owned()))
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why| ParseReferenceError { text: text.to_owned(), why };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        check_repository(repository).map_err(bad)?;
        tag.map_or(Ok(()), check_tag).map_err(bad)?;
        digest.map_or(Ok(()), check_digest).map_err(bad)?;
        Ok(Reference {
            repository: Repository(repository.to_owned()),
            tag: tag.map(|tag| Tag(tag.to_owned())),
            digest: digest.map(str::to_owned),
        })
    }
}

fn check_repository(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("the repository is empty".to_owned());
    }
    if text.len() > MAX_REPOSITORY {
        return Err(format!("a repository has at most {MAX_REPOSITORY} characters"));
    }
    let mut components = text.split('/').peekable();
    let first = components.peek().copied().unwrap_or_default();
    let has_registry = text.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    if has_registry {
        components.next();
        check_registry(first)?;
    }
    components.try_for_each(check_component)
}

fn check_registry(text: &str) -> Result<(), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_ipv6 = |host: &str| {
        host.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
    };
    if !is_ipv6(host) && !host.split('.').all(is_label) {
        return Err(format!("`{host}` is not a host name"));
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(format!("`{port}` is not a port")),
        _ => Ok(()),
    }
}

/// Letters and digits, joined by one dot, one or two underscores, or any number of dashes.
fn check_component(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a part between slashes is empty".to_owned());
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!("`{text}` has capital letters; write `{}`", text.to_ascii_lowercase()));
    }
    if let Some(c) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Err(match c {
            ':' => "a repository has no tag; give it with --tag".to_owned(),
            other => format!("{other:?} is not allowed; use a-z, 0-9 and . _ - between them"),
        });
    }
    let separators = text.split(|c: char| c.is_ascii_alphanumeric()).collect::<Vec<_>>();
    let at_an_end =
        separators.first().is_some_and(|s| !s.is_empty()) || separators.last().is_some_and(|s| !s.is_empty());
    let is_joint = |s: &&str| matches!(*s, "" | "." | "_" | "__") || s.chars().all(|c| c == '-');
    if at_an_end || !separators.iter().all(is_joint) {
        return Err(format!(
            "`{text}` must begin and end with a letter or digit, with . _ __ or - between them"
        ));
    }
    Ok(())
}

fn check_tag(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if text.is_empty() || text.len() > 128 || !text.chars().all(legal) || text.starts_with(['.', '-']) {
        return Err("a tag is 1 to 128 of A-Z a-z 0-9 _ . - and begins with a letter, digit or _".to_owned());
    }
    Ok(())
}

fn check_digest(text: &str) -> Result<(), String> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return Err("a digest is sha256: and 64 hex digits".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_read_back_what_they_write() {
        let digest = format!("app@sha256:{}", "a1".repeat(32));
        for text in [
            "app",
            "app:1.2.3",
            "team/app",
            "a__b/c-d.e:x",
            "registry.example.com:5000/team/app:latest",
            "localhost/app",
            "localhost:5000/app",
            "[::1]:5000/app",
            "Registry.Example.com/app",
            &digest,
        ] {
            assert_eq!(text.parse::<Reference>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn illegal_names_are_refused() {
        for text in [
            "",
            "App",
            "team/",
            "/app",
            "a//b",
            "app:",
            "app:-x",
            "app@sha256:12",
            "app@",
            "a b",
            "-app",
            "app-",
            "a..b",
            "a___b",
            "host.name:port/app",
            "é",
            "-x.example/app",
            ":tag",
            "app:a:b",
            "\u{0}",
            "[::g]:1/app",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_port_is_not_a_tag() {
        let reference: Reference = "localhost:5000/app".parse().unwrap();
        assert_eq!(reference.tag(), None);
        assert_eq!(reference.repository().to_string(), "localhost:5000/app");
    }

    #[test]
    fn the_error_says_what_to_write() {
        let error = "ghcr.io/Team/app".parse::<Repository>().unwrap_err().to_string();
        assert_eq!(
            error,
            "`ghcr.io/Team/app` is not a legal image name: `Team` has capital letters; write `team`"
        );
        let error = "app:1".parse::<Repository>().unwrap_err().to_string();
        assert!(error.ends_with("give it with --tag"), "{error}");
    }

    #[test]
    fn a_name_travels_as_text() {
        let reference: Reference = serde_json::from_str("\"team/app:1\"").unwrap();
        assert_eq!(serde_json::to_string(&reference).unwrap(), "\"team/app:1\"");
        assert!(serde_json::from_str::<Reference>("\"Team/app\"").is_err());
    }
}
