//! Who we are to a registry: what `docker login`, `podman login`, credential helpers and CI systems leave for us.

use std::env;
use std::fmt;
use std::io::Cursor;

use anyhow::{Result, anyhow};
use docker_credential::{CredentialRetrievalError, DockerCredential};

/// What Docker keeps Docker Hub's credentials under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for others, as Azure's registry gives.
    Identity(String),
}

/// Says who, never the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("anonymous"),
            Credentials::Password { user, .. } => write!(f, "{user}"),
            Credentials::Identity(_) => f.write_str("an identity token"),
        }
    }
}

impl Credentials {
    /// What this machine knows for `registry`, from the first that knows: the variables `XTASK_REGISTRY_USERNAME` and
    /// `XTASK_REGISTRY_PASSWORD` with `XTASK_REGISTRY` naming the registry that they are for; DOCKER_AUTH_CONFIG, which
    /// holds what a config file would; Docker's config.json with its helpers; podman's auth.json.
    ///
    /// # Errors
    /// A file or a helper is there and broken. Going on without would end in a refusal that says less.
    pub fn find(registry: &str, repository: &str) -> Result<Credentials> {
        if let Some(own) = from_variables(registry) {
            return Ok(own);
        }
        let inline = env::var("DOCKER_AUTH_CONFIG").ok().filter(|text| !text.is_empty());
        let inline = |key: &str| match &inline {
            Some(text) => docker_credential::get_credential_from_reader(Cursor::new(text), key),
            None => Err(CredentialRetrievalError::ConfigNotFound),
        };
        let keys = keys(registry);
        let namespaces = [namespaces(registry, repository), keys.clone()].concat();
        let look = |name: &str, source: &dyn Fn(&str) -> Found, keys: &[String]| {
            for key in keys {
                match source(key) {
                    Ok(found) => return Ok(Some(found.into())),
                    Err(error) if is_nothing(&error) => {}
                    Err(error) => return Err(anyhow!("the credentials for {registry} in {name}: {error}")),
                }
            }
            Ok(None)
        };
        let found = match look("DOCKER_AUTH_CONFIG", &inline, &keys)? {
            None => look("Docker's config.json", &docker_credential::get_credential, &keys)?,
            some => some,
        };
        let found = match found {
            None => look("podman's auth.json", &docker_credential::get_podman_credential, &namespaces)?,
            some => some,
        };
        Ok(found.unwrap_or(Credentials::Anonymous))
    }
}

type Found = Result<DockerCredential, CredentialRetrievalError>;

impl From<DockerCredential> for Credentials {
    fn from(found: DockerCredential) -> Credentials {
        match found {
            // What a helper answers for an identity token.
            DockerCredential::UsernamePassword(user, token) if user == "<token>" => {
                Credentials::Identity(token)
            }
            DockerCredential::UsernamePassword(user, password) => Credentials::Password { user, password },
            DockerCredential::IdentityToken(token) => Credentials::Identity(token),
        }
    }
}

fn from_variables(registry: &str) -> Option<Credentials> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if variable("XTASK_REGISTRY")? != registry {
        return None;
    }
    let (user, password) = (variable("XTASK_REGISTRY_USERNAME")?, variable("XTASK_REGISTRY_PASSWORD")?);
    Some(Credentials::Password { user, password })
}

/// What credentials for a registry may be kept under. Old entries are URLs.
fn keys(registry: &str) -> Vec<String> {
    let hub = (registry == "docker.io").then(|| DOCKER_HUB_KEY.to_owned());
    [registry.to_owned(), format!("https://{registry}")].into_iter().chain(hub).collect()
}

/// What podman may keep credentials under besides: the repository and the namespaces that it is in, nearest first.
fn namespaces(registry: &str, repository: &str) -> Vec<String> {
    let whole = format!("{registry}/{repository}");
    let shorter = whole.match_indices('/').skip(1).map(|(at, _)| whole[..at].to_owned());
    let mut all = shorter.chain([whole.clone()]).collect::<Vec<_>>();
    all.reverse();
    all
}

/// Whether a source merely has nothing, which helpers say in words.
fn is_nothing(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::ConfigNotFound
        | CredentialRetrievalError::NoCredentialConfigured
        // The library says the same of a file that is not there and of one that cannot be read.
        | CredentialRetrievalError::ConfigReadError => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            let says = |text: &str| text.contains("not found") || text.contains("no credentials");
            says(stdout) || says(stderr)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podman_looks_from_the_repository_outwards() {
        assert_eq!(namespaces("ghcr.io", "a/b"), ["ghcr.io/a/b", "ghcr.io/a"]);
        assert_eq!(keys("docker.io"), ["docker.io", "https://docker.io", DOCKER_HUB_KEY]);
    }

    #[test]
    fn no_secret_is_printed() {
        let password = Credentials::Password { user: "me".to_owned(), password: "hidden".to_owned() };
        let identity = Credentials::Identity("hidden".to_owned());
        assert_eq!(format!("{password:?} {identity:?}"), "me an identity token");
    }

    #[test]
    fn a_helper_that_knows_nothing_is_no_error() {
        let says = |text: &str| CredentialRetrievalError::HelperFailure {
            helper: "x".to_owned(),
            stdout: text.to_owned(),
            stderr: String::new(),
        };
        assert!(is_nothing(&says("credentials not found in native keychain")));
        assert!(!is_nothing(&says("the keychain is locked")));
    }
}
