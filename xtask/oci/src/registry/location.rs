//! Where a repository is on the network: mirrors, Docker Hub's other name, and who is spoken to without TLS.

use anyhow::{Result, ensure};
use image_spec::{Registries, Repository};
use ureq::http::Uri;

use super::route;

/// What Docker Hub is called in image names.
const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// A repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The registry as image names have it: what credentials are kept for.
    pub registry: String,
    /// The name within the registry.
    pub repository: String,
    is_secure: bool,
}

impl Location {
    /// Where images of `repository` are pushed to.
    pub fn to_push(repository: &Repository, registries: &Registries) -> Location {
        Location::new(repository.registry().to_owned(), repository.path(), registries)
    }

    /// Where images of `repository` are pulled from: a mirror of its registry, if there is one.
    pub fn to_pull(repository: &Repository, registries: &Registries) -> Location {
        let (registry, path) = registries.place(repository);
        Location::new(registry, path, registries)
    }

    fn new(registry: String, repository: String, registries: &Registries) -> Location {
        let is_secure = !is_loopback(&registry) && !registries.insecure.contains(&registry);
        Location { registry, repository, is_secure }
    }

    /// The URL of something in the repository, such as `manifests/latest`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.origin(), self.repository)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        let host = if self.registry == DOCKER_HUB { DOCKER_HUB_HOST } else { &self.registry };
        format!("{}://{host}", if self.is_secure { "https" } else { "http" })
    }

    /// Whether `url` may see what is meant for this registry: it is the same origin, however it is written.
    pub fn owns(&self, url: &str) -> bool {
        let own = origin(&self.origin());
        own.is_some() && own == origin(url)
    }

    /// Whether secrets may go to `url`: nobody can listen, or TLS is off for this registry anyway.
    pub fn trusts(&self, url: &str) -> bool {
        !self.is_secure || url.starts_with("https://")
    }

    /// What `place` means in an answer from `url`, to which it may be relative.
    ///
    /// # Errors
    /// It is not encrypted, and the registry is: somebody in between could read and change what goes there.
    pub fn resolve(&self, url: &str, place: &str) -> Result<String> {
        let mut parts = url.splitn(4, '/');
        let (scheme, host) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let found = match place {
            _ if place.starts_with("//") => format!("{scheme}{place}"),
            _ if place.starts_with('/') => format!("{scheme}//{host}{place}"),
            _ => place.to_owned(),
        };
        ensure!(
            self.trusts(&found),
            "{} sends us to {}, which is not encrypted; a proxy before it has to set X-Forwarded-Proto",
            self.registry,
            found.split(['?', '#']).next().unwrap_or_default()
        );
        Ok(found)
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str()?.to_owned();
    let port = url.port_u16().or_else(|| match &scheme[..] {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    });
    Some((scheme, url.host()?.to_ascii_lowercase(), port?))
}

/// Whether a registry is on this machine.
fn is_loopback(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, _)) if !registry.ends_with(']') => host,
        _ => registry,
    };
    route::is_loopback(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registries() -> Registries {
        Registries {
            mirrors: [("gcr.io", "mirror.example.com:5000/gcr"), ("docker.io", "mirror.example.com")]
                .map(|(registry, mirror)| (registry.to_owned(), mirror.to_owned()))
                .into(),
            insecure: vec!["registry.internal:5000".to_owned()],
        }
    }

    fn pulled(name: &str) -> String {
        Location::to_pull(&name.parse().unwrap(), &registries()).url("tags")
    }

    #[test]
    fn mirrors_stand_in_for_registries_when_pulling() {
        assert_eq!(
            pulled("gcr.io/distroless/static"),
            "https://mirror.example.com:5000/v2/gcr/distroless/static/tags"
        );
        assert_eq!(pulled("alpine"), "https://mirror.example.com/v2/library/alpine/tags");
        assert_eq!(pulled("ghcr.io/a/b"), "https://ghcr.io/v2/a/b/tags");
        let pushed = Location::to_push(&"team/app".parse().unwrap(), &registries());
        assert_eq!(pushed.url("tags"), "https://registry-1.docker.io/v2/team/app/tags");
        assert_eq!(pushed.registry, "docker.io");
    }

    #[test]
    fn only_this_machine_and_who_is_named_go_without_tls() {
        for name in ["localhost:5000/a", "127.0.0.1:5000/a", "[::1]:5000/a", "localhost/a", "127.1.2.3/a"] {
            assert!(pulled(name).starts_with("http://"), "{name}");
        }
        assert_eq!(pulled("registry.internal:5000/a"), "http://registry.internal:5000/v2/a/tags");
        for name in [
            "registry.internal/a",
            "127.0.0.1.example.com/a",
            "localhost.example.com:5000/a",
            "10.0.0.1:5000/a",
        ] {
            assert!(pulled(name).starts_with("https://"), "{name}");
        }
    }

    #[test]
    fn secrets_stay_with_their_registry() {
        let location = Location::to_pull(&"ghcr.io/a/b".parse().unwrap(), &registries());
        assert!(location.owns("https://ghcr.io/v2/a/b/blobs/uploads/1?state=x"));
        for own in ["https://GHCR.io/v2/", "https://ghcr.io:443/v2/", "https://ghcr.io"] {
            assert!(location.owns(own), "{own}");
        }
        for other in [
            "https://ghcr.io.example.com/",
            "http://ghcr.io/v2/",
            "https://ghcr.io:444/v2/",
            "https://ghcr.io@example.com/",
            "https://ghcr.io:443@example.com/",
            "ghcr.io",
            "",
        ] {
            assert!(!location.owns(other), "{other}");
        }
        assert!(location.trusts("https://auth.example.com/token"));
        assert!(!location.trusts("http://auth.example.com/token"));
    }

    #[test]
    fn places_are_resolved_and_stay_encrypted() {
        let location = Location::to_pull(&"ghcr.io/a/b".parse().unwrap(), &registries());
        for (url, place, found) in [
            ("https://ghcr.io/v2/x?y=1", "/v2/a", "https://ghcr.io/v2/a"),
            ("https://cdn.example.com:444/x", "/y?z=/1", "https://cdn.example.com:444/y?z=/1"),
            ("https://ghcr.io/v2/", "//cdn.example.com/a", "https://cdn.example.com/a"),
            ("https://ghcr.io/v2/", "https://cdn.example.com/a", "https://cdn.example.com/a"),
        ] {
            assert_eq!(location.resolve(url, place).unwrap(), found);
        }
        let error = location.resolve("https://ghcr.io/v2/", "http://ghcr.io/v2/a?_state=secret").unwrap_err();
        assert_eq!(
            error.to_string(),
            "ghcr.io sends us to http://ghcr.io/v2/a, which is not encrypted; a proxy before it has to set \
             X-Forwarded-Proto"
        );
    }
}
