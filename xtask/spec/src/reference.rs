//! Names of images, by the grammar of the
//! [distribution project](https://github.com/distribution/reference/blob/main/reference.go).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::grammar::{check_digest, check_repository, check_tag, has_registry};

/// The registry of a name that says none.
const DEFAULT_REGISTRY: &str = "docker.io";

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
    /// The registry that it is in, with its port if one is written: `docker.io` for a name that says none.
    pub fn registry(&self) -> &str {
        self.split().0
    }

    /// Its name within the registry: `library/app` for `app`, which Docker Hub calls so.
    pub fn path(&self) -> String {
        match self.split() {
            (DEFAULT_REGISTRY, path) if !path.contains('/') => format!("library/{path}"),
            (_, path) => path.to_owned(),
        }
    }

    fn split(&self) -> (&str, &str) {
        match self.0.split_once('/') {
            Some((registry, path)) if has_registry(&self.0) => (registry, path),
            _ => (DEFAULT_REGISTRY, &self.0),
        }
    }

    /// The image of this repository that has `tag`.
    pub fn with_tag(&self, tag: &Tag) -> Reference {
        Reference { repository: self.clone(), tag: Some(tag.clone()), digest: None }
    }
}

impl Reference {
    /// The same image, by the digest alone.
    pub fn with_digest(&self, digest: &str) -> Result<Reference, ParseReferenceError> {
        format!("{}@{digest}", self.repository).parse()
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, if one is written.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The tag that is meant: `latest`, if none is written.
    pub fn tag_or_latest(&self) -> String {
        self.tag.as_ref().map_or_else(|| "latest".to_owned(), ToString::to_string)
    }

    /// The digest, if one is written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a registry is asked for: the digest or, without one, the tag.
    pub fn digest_or_tag(&self) -> String {
        self.digest.clone().unwrap_or_else(|| self.tag_or_latest())
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
            "localhost:+80/app",
            "[::ffff:1.2.3.4]:+80/app",
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
    fn a_name_without_a_registry_is_on_docker_hub() {
        for (name, registry, path) in [
            ("app", "docker.io", "library/app"),
            ("team/app", "docker.io", "team/app"),
            ("docker.io/app", "docker.io", "library/app"),
            ("localhost/app", "localhost", "app"),
            ("ghcr.io/team/sub/app", "ghcr.io", "team/sub/app"),
            ("[::1]:5000/app", "[::1]:5000", "app"),
        ] {
            let repository: Repository = name.parse().unwrap();
            assert_eq!((repository.registry(), repository.path().as_str()), (registry, path));
        }
    }

    #[test]
    fn a_name_travels_as_text() {
        let reference: Reference = serde_json::from_str("\"team/app:1\"").unwrap();
        assert_eq!(serde_json::to_string(&reference).unwrap(), "\"team/app:1\"");
        assert!(serde_json::from_str::<Reference>("\"Team/app\"").is_err());
    }
}
