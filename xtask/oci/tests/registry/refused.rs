//! Logins that fail: the message says at what, and what to do.

use libtest_mimic::{Failed, Trial};
use serde_json::json;
use xtask_oci::base64;

use super::login::{IDENTITY, Login, PASSWORD, USER};
use super::logins::{ANSWER, Stage, auth, auths, bearer, only_identity};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("refused logins are told", refusals),
        Trial::test("broken credentials are told", broken_places),
    ]
}

fn refusals() -> Result<(), Failed> {
    let stage = Stage::new(Login::Basic);
    stage.fails(&format!("{0} wants a user and a password; log in with `docker login {0}`", stage.host()));
    let stage = Stage::new(bearer());
    stage.fails(
        "the registry refuses; log in with `docker login` or `podman login` as somebody who may do this",
    );
    for (login, text) in [
        (Login::Basic, "the registry refuses; log in"),
        (bearer(), "no token for 127.0.0.1"),
        (bearer(), "as robot$ci: 401 Unauthorized (UNAUTHORIZED incorrect username or password)"),
    ] {
        let mut stage = Stage::new(login);
        let wrong = base64::encode(format!("{USER}:{PASSWORD}x").as_bytes());
        stage.set("DOCKER_AUTH_CONFIG", json!({"auths": {stage.host(): {"auth": wrong}}}));
        stage.fails(text);
    }
    let mut stage = Stage::new(only_identity());
    stage.set(
        "DOCKER_AUTH_CONFIG",
        json!({"auths": {stage.host(): {"identitytoken": format!("{IDENTITY}x")}}}),
    );
    stage.fails("as an identity token: 401 Unauthorized (UNAUTHORIZED unknown identity)");

    let mut stage = Stage::new(bearer());
    stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
    let outcome = stage.push_to("somebody/else");
    assert!(!outcome.ok && outcome.stderr.contains("as somebody who may do this"), "{}", outcome.stderr);
    Ok(())
}

/// What is there and broken is named, with what to do.
fn broken_places() -> Result<(), Failed> {
    let mut stage = Stage::new(bearer());
    stage.set("DOCKER_AUTH_CONFIG", format!(r#"{{"auths": {{"x": {{"auth": "{}" "#, auth()));
    stage.fails("DOCKER_AUTH_CONFIG is not JSON: ");

    let mut stage = Stage::new(bearer());
    let file = stage.sandbox.file("home/.docker/config.json", b"not JSON").display().to_string();
    stage.fails(&format!("{file} is not JSON: "));
    stage.sandbox.file("home/.docker/config.json", b"\n");
    let file = stage.sandbox.file("auth.json", b"[1]").display().to_string();
    stage.set("REGISTRY_AUTH_FILE", &file);
    stage.fails(&format!("in {file}: it is not what `docker login` writes"));
    let host = stage.host();
    stage.config("auth.json", &json!({"auths": {&host: {"auth": "no base64"}}}));
    stage.fails(&format!("the credentials for {host} in {file}: Unable to decode credential"));

    let mut stage = Stage::new(bearer());
    stage.config("home/.docker/config.json", &json!({"credsStore": "test"}));
    stage.fails("docker-credential-test cannot be run; install it, or remove it from there");
    for (script, text) in [
        ("echo the keychain is locked; exit 1", "docker-credential-test fails: the keychain is locked"),
        ("echo locked >&2; exit 1", "docker-credential-test fails: locked"),
        ("echo surprise", "the answer of docker-credential-test is not understood"),
        (&format!("{ANSWER}; exit 1"), "docker-credential-test fails"),
    ] {
        stage.helper("test", script);
        stage.fails(text);
    }
    Ok(())
}
