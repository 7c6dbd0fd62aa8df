//! Logins of every kind, from every place that credentials are kept in. No secret is ever printed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use xtask_oci::base64;

use super::check;
use super::common::Sandbox;
use super::engine::{self, Outcome};
use super::login::{IDENTITY, Login, PASSWORD, Tokens, USER};
use super::proxy::Proxy;
use super::sample::REPOSITORY;
use super::server::Registry;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("Docker's config.json lets in", docker_config),
        Trial::test("variables let in", variables),
        Trial::test("podman's auth.json lets in", podman_files),
        Trial::test("credential helpers let in", helpers),
        Trial::test("identity tokens let in", identity_tokens),
        Trial::test("a check tells whose credentials were found", accounts_are_told),
    ]
}

/// A registry that asks for a login, and a project to push to it.
pub struct Stage {
    pub registry: Registry,
    pub proxy: Proxy,
    pub sandbox: Sandbox,
    pub env: Vec<(&'static str, String)>,
}

impl Stage {
    pub fn new(login: Login) -> Stage {
        let registry = Registry::start();
        let proxy = Proxy::with_login(registry.address, login);
        Stage { registry, proxy, sandbox: Sandbox::new(), env: Vec::new() }
    }

    pub fn host(&self) -> String {
        self.proxy.address.to_string()
    }

    pub fn set(&mut self, name: &'static str, value: impl ToString) {
        self.env.push((name, value.to_string()));
    }

    /// A config file in the sandbox.
    pub fn config(&mut self, name: &str, content: &Value) -> String {
        self.sandbox.file(name, content.to_string().as_bytes()).display().to_string()
    }

    /// A credential helper that does this when it is asked for this registry.
    pub fn helper(&self, name: &str, script: &str) {
        let host = self.host();
        let text =
            format!("#!/bin/sh\nread -r server; [ \"$1 $server\" = \"get {host}\" ] || exit 9\n{script}\n");
        self.script(&format!("bin/docker-credential-{name}"), &text);
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.sandbox.file(name, text.as_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // A process that another test starts holds the file open for a moment.
        let start = || Command::new(&path).stdin(Stdio::null()).stdout(Stdio::null()).status();
        while start().is_err_and(|error| error.kind() == ErrorKind::ExecutableFileBusy) {}
    }

    pub fn push(&self) -> Outcome {
        self.push_to(REPOSITORY)
    }

    pub fn push_to(&self, repository: &str) -> Outcome {
        let names = [format!("{}/{repository}:1", self.proxy.address)];
        let mut command = engine::command(&self.sandbox, &engine::spec(&self.sandbox, &names));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        engine::run(command, &self.sandbox.path("report.json"), || self.proxy.tokens())
    }

    /// The push works, and once more.
    pub fn works(&self) {
        let [first, second] = [self.push(), self.push()];
        for outcome in [&first, &second] {
            assert!(outcome.ok, "{}", outcome.stderr);
            assert_eq!(outcome.stderr, "");
        }
        let [first, second] = [first.push.unwrap(), second.push.unwrap()];
        assert_eq!((second.uploaded, second.present), (0, first.uploaded + first.present));
        assert!(check::tag(self.registry.address, REPOSITORY, "1").is_some());
    }

    pub fn fails(&self, text: &str) {
        let outcome = self.push();
        assert!(!outcome.ok);
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert_eq!(check::tag(self.registry.address, REPOSITORY, "1"), None);
    }
}

pub fn bearer() -> Login {
    Login::Bearer(Tokens::new())
}

pub fn auth() -> String {
    base64::encode(format!("{USER}:{PASSWORD}").as_bytes())
}

pub fn auths(key: &str) -> Value {
    json!({"auths": {key: {"auth": auth()}}})
}

pub fn only_identity() -> Login {
    let mut tokens = Tokens::new();
    tokens.takes_password = false;
    Login::Bearer(tokens)
}

pub const ANSWER: &str =
    r#"echo '{"ServerURL":"x","Username":"robot$ci","Secret":"pass:word&with=odd+signs"}'"#;

fn docker_config() -> Result<(), Failed> {
    for login in [|| Login::Basic, bearer] {
        for (before, after) in [("", ""), ("https://", ""), ("https://", "/v1/")] {
            let mut stage = Stage::new(login());
            let config = auths(&format!("{before}{}{after}", stage.host()));
            stage.config("docker/config.json", &config);
            stage.set("DOCKER_CONFIG", stage.sandbox.path("docker").display());
            stage.works();
        }
        let mut stage = Stage::new(login());
        let config = auths(&stage.host());
        stage.config("home/.docker/config.json", &config);
        stage.works();
    }
    Ok(())
}

fn variables() -> Result<(), Failed> {
    for login in [|| Login::Basic, bearer] {
        let mut stage = Stage::new(login());
        stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
        stage.works();

        let mut stage = Stage::new(login());
        stage.set("XTASK_REGISTRY", stage.host());
        stage.set("XTASK_REGISTRY_USERNAME", USER);
        stage.set("XTASK_REGISTRY_PASSWORD", PASSWORD);
        // What is wrong elsewhere does not matter then.
        stage.set("DOCKER_AUTH_CONFIG", "{");
        stage.works();

        let mut stage = Stage::new(login());
        stage.set("XTASK_REGISTRY", "registry.example.com");
        stage.set("XTASK_REGISTRY_USERNAME", USER);
        stage.set("XTASK_REGISTRY_PASSWORD", PASSWORD);
        stage.fails("log in with `docker login");
    }
    Ok(())
}

fn podman_files() -> Result<(), Failed> {
    let mut stage = Stage::new(bearer());
    let host = stage.host();
    let wrong = base64::encode(b"somebody:else");
    // The nearest namespace wins.
    let config = json!({"auths": {
        &host: {"auth": wrong}, format!("{host}/team"): {"auth": auth()}, format!("{host}/team/other"): {"auth": wrong},
    }});
    let file = stage.config("auth.json", &config);
    stage.set("REGISTRY_AUTH_FILE", file);
    stage.works();
    for (name, variable) in [
        ("run/containers/auth.json", Some(("XDG_RUNTIME_DIR", "run"))),
        ("xdg/containers/auth.json", Some(("XDG_CONFIG_HOME", "xdg"))),
        ("home/.config/containers/auth.json", None),
    ] {
        let mut stage = Stage::new(bearer());
        stage.config(name, &auths(&stage.host()));
        if let Some((name, folder)) = variable {
            stage.set(name, stage.sandbox.path(folder).display());
        }
        stage.works();
    }
    Ok(())
}

fn helpers() -> Result<(), Failed> {
    for login in [|| Login::Basic, bearer] {
        let mut stage = Stage::new(login());
        stage.helper("test", ANSWER);
        let config = json!({"credHelpers": {stage.host(): "test"}, "auths": {stage.host(): {}}});
        stage.config("home/.docker/config.json", &config);
        stage.works();

        let mut stage = Stage::new(login());
        stage.helper("test", ANSWER);
        stage.config("home/.docker/config.json", &json!({"credsStore": "test", "auths": {stage.host(): {}}}));
        stage.works();

        // One that knows nothing leaves the word to others.
        let mut stage = Stage::new(login());
        let text = "#!/bin/sh\nread -r server; echo credentials not found in native keychain; exit 1\n";
        stage.script("bin/docker-credential-test", text);
        stage.config("home/.docker/config.json", &json!({"credsStore": "test"}));
        stage.fails("log in with `docker login");
        let file = stage.config("auth.json", &auths(&stage.host()));
        stage.set("REGISTRY_AUTH_FILE", file);
        stage.works();
    }
    Ok(())
}

fn identity_tokens() -> Result<(), Failed> {
    let mut stage = Stage::new(only_identity());
    let user = base64::encode(b"00000000-0000-0000-0000-000000000000:");
    let config = json!({"auths": {stage.host(): {"auth": user, "identitytoken": IDENTITY}}});
    stage.config("home/.docker/config.json", &config);
    stage.works();

    let mut stage = Stage::new(only_identity());
    stage
        .helper("test", &format!(r#"echo '{{"ServerURL":"x","Username":"<token>","Secret":"{IDENTITY}"}}'"#));
    stage.config("home/.docker/config.json", &json!({"credsStore": "test"}));
    stage.works();
    Ok(())
}

/// Also where they do not let in.
fn accounts_are_told() -> Result<(), Failed> {
    let mut stage = Stage::new(Login::Basic);
    let found = |stage: &Stage| -> Value {
        let repository = format!("{}/{REPOSITORY}", stage.host());
        let spec =
            stage.sandbox.file("check.json", json!({ "repository": repository }).to_string().as_bytes());
        let mut command = engine::program(&stage.sandbox);
        let report = stage.sandbox.path("found.json");
        command.arg("check").arg(spec).arg("--report-file").arg(&report);
        command.envs(stage.env.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = fs::read_to_string(report).unwrap();
        for told in [&text, &String::from_utf8_lossy(&output.stderr).into_owned()] {
            assert!(
                !told.contains(PASSWORD) && !told.contains(&base64::encode(PASSWORD.as_bytes())),
                "{told}"
            );
        }
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(output.status.success(), found["problem"].is_null(), "{text}");
        found
    };
    let nobody = found(&stage);
    assert_eq!((&nobody["credentials"], &nobody["account"]), (&json!("none"), &Value::Null));
    let problem = nobody["problem"].as_str().unwrap();
    assert!(problem.contains("log in with `docker login"), "{problem}");

    let answer = json!({ "Username": USER, "Secret": PASSWORD });
    stage.helper("mine", &format!("cat <<'END'\n{answer}\nEND"));
    let file = stage.config("home/.docker/config.json", &json!({ "credsStore": "mine" }));
    let place = format!("docker-credential-mine, which {file} names");
    let user = found(&stage);
    assert_eq!((&user["account"], &user["found_in"]), (&json!(USER), &json!(place)));
    assert_eq!(user["features"].as_array().unwrap().len(), 5);

    let host = stage.host();
    stage.set("XTASK_REGISTRY", host);
    stage.set("XTASK_REGISTRY_USERNAME", "somebody");
    stage.set("XTASK_REGISTRY_PASSWORD", "wrong");
    let other = found(&stage);
    assert_eq!((&other["account"], &other["problem"].is_string()), (&json!("somebody"), &true));
    Ok(())
}
