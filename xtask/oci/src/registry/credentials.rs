//! Who we are to a registry: what `docker login`, `podman login`, credential helpers and CI systems leave for us.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

use anyhow::{Result, anyhow, bail};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use image_spec::CredentialKind;
use serde_json::Value;

use crate::error::describe;

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

/// What this machine knows for a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who we are.
    pub credentials: Credentials,
    /// What says so, in words; none where nothing does.
    pub place: Option<String>,
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
        Ok(Credentials::locate(registry, repository)?.credentials)
    }

    /// The same, and where that was.
    ///
    /// # Errors
    /// As [`Credentials::find`].
    pub fn locate(registry: &str, repository: &str) -> Result<Found> {
        if let Some(credentials) = from_variables(registry) {
            let place = "the variables XTASK_REGISTRY_USERNAME and XTASK_REGISTRY_PASSWORD".to_owned();
            return Ok(Found { credentials, place: Some(place) });
        }
        let keys = keys(registry);
        if let Some(text) = variable("DOCKER_AUTH_CONFIG")
            && let Some(found) = look("DOCKER_AUTH_CONFIG", &text, &keys)?
        {
            return Ok(found);
        }
        let namespaces = [namespaces(registry, repository), keys.clone()].concat();
        let files = docker_file().into_iter().map(|file| (file, &keys));
        for (file, keys) in files.chain(podman_files().into_iter().map(|file| (file, &namespaces))) {
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(error) => bail!("{}", describe(&error, "read the credentials in", &file)),
            };
            if let Some(found) = look(&file.display().to_string(), &text, keys)? {
                return Ok(found);
            }
        }
        Ok(Found { credentials: Credentials::Anonymous, place: None })
    }

    /// Of which kind they are, and whose, where that is no secret: who has no password has it as a name.
    pub fn account(&self) -> (CredentialKind, Option<&str>) {
        match self {
            Credentials::Anonymous => (CredentialKind::None, None),
            Credentials::Password { user, password } => {
                (CredentialKind::Password, Some(&**user).filter(|_| !password.is_empty()))
            }
            Credentials::Identity(_) => (CredentialKind::Token, None),
        }
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn docker_file() -> Option<PathBuf> {
    let folder = match variable("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&variable("HOME")?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

/// Where [podman](https://docs.podman.io/en/stable/markdown/podman-login.1.html#authfile-path) looks.
fn podman_files() -> Vec<PathBuf> {
    if let Some(file) = variable("REGISTRY_AUTH_FILE") {
        return vec![PathBuf::from(file)];
    }
    let runtime = variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("containers"));
    let runtime = runtime.or_else(|| {
        let user = fs::metadata("/proc/self").ok()?.uid();
        Some(PathBuf::from(format!("/run/containers/{user}")))
    });
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(Path::new(&variable("HOME")?).join(".config")));
    let folders = runtime.into_iter().chain(config.map(|folder| folder.join("containers")));
    folders.map(|folder| folder.join("auth.json")).collect()
}

/// What a config file, or a variable that holds one, has under the first of `keys` that it has.
fn look(name: &str, text: &str, keys: &[String]) -> Result<Option<Found>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let config: Value = serde_json::from_str(text).map_err(|error| anyhow!("{name} is not JSON: {error}"))?;
    for key in keys {
        match docker_credential::get_credential_from_reader(text.as_bytes(), key) {
            Ok(found) => {
                let credentials = Credentials::from(found);
                let place = match helper(&config, key) {
                    Some(helper) => format!("docker-credential-{helper}, which {name} names"),
                    None => name.to_owned(),
                };
                // A helper may answer with nothing.
                let place = Some(place).filter(|_| credentials != Credentials::Anonymous);
                return Ok(Some(Found { credentials, place }));
            }
            Err(error) if is_nothing(&error) => {}
            Err(error) => {
                let helper = helper(&config, key).unwrap_or_default();
                bail!("the credentials for {key} in {name}: {}", reason(&error, helper))
            }
        }
    }
    Ok(None)
}

/// The helper that a config file has asked for `key`: its own, or that of all which the file itself does not have.
fn helper<'a>(config: &'a Value, key: &str) -> Option<&'a str> {
    let entry = &config["auths"][key];
    let is_kept = ["identitytoken", "auth", "username"].iter().any(|field| !entry[field].is_null());
    let general = || config["credsStore"].as_str().filter(|_| !is_kept);
    config["credHelpers"][key].as_str().or_else(general)
}

/// Why credentials cannot be had, in a line. What a helper printed may be a secret, unless it looks like words.
fn reason(error: &CredentialRetrievalError, helper: &str) -> String {
    let helper = format!("docker-credential-{helper}");
    match error {
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            let mut lines = stderr.lines().chain(stdout.lines()).map(str::trim);
            let said = lines.find(|line| !line.is_empty() && !line.contains(['{', '"']));
            format!("{helper} fails{}", said.map(|said| format!(": {said}")).unwrap_or_default())
        }
        CredentialRetrievalError::HelperCommunicationError => {
            format!("{helper} cannot be run; install it, or remove it from there")
        }
        CredentialRetrievalError::MalformedHelperResponse => {
            format!("the answer of {helper} is not understood")
        }
        CredentialRetrievalError::ConfigReadError => "it is not what `docker login` writes".to_owned(),
        other => other.to_string(),
    }
}

impl From<DockerCredential> for Credentials {
    fn from(found: DockerCredential) -> Credentials {
        match found {
            // What a helper answers for an identity token.
            DockerCredential::UsernamePassword(user, token) if user == "<token>" => {
                Credentials::Identity(token)
            }
            DockerCredential::UsernamePassword(user, password) if user.is_empty() && password.is_empty() => {
                Credentials::Anonymous
            }
            DockerCredential::UsernamePassword(user, password) => Credentials::Password { user, password },
            DockerCredential::IdentityToken(token) => Credentials::Identity(token),
        }
    }
}

fn from_variables(registry: &str) -> Option<Credentials> {
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
        CredentialRetrievalError::NoCredentialConfigured => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            let says = |text: &str| text.contains("credentials not found") || text.contains("no credentials");
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
    fn the_account_is_told_and_where_it_was_found() {
        let text = r#"{"auths": {"a": {"auth": "bWU6aGlkZGVu"}}, "credHelpers": {"b": "pass"}, "credsStore": "all"}"#;
        let found = look("config.json", text, &["a".to_owned()]).unwrap().unwrap();
        assert_eq!(found.credentials.account(), (CredentialKind::Password, Some("me")));
        assert_eq!(found.place.as_deref(), Some("config.json"));
        let config = serde_json::from_str(text).unwrap();
        assert_eq!(["a", "b", "c"].map(|key| helper(&config, key)), [None, Some("pass"), Some("all")]);
        let token = Credentials::Password { user: "hidden".to_owned(), password: String::new() };
        assert_eq!(token.account(), (CredentialKind::Password, None));
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
        assert!(!is_nothing(&says("sh: pass: not found")));
    }
}
