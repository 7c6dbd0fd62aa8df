//! Tokens on their way: renewed when they expire, good for mounts, and never shown to another host.

use libtest_mimic::{Failed, Trial};

use super::fault::{Fault, Rule};
use super::login::TOKENS;
use super::logins::{Stage, auths, bearer};
use super::proxy::Proxy;
use super::server::Registry;
use super::{check, engine, sample};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tokens are renewed amid a push", tokens_are_renewed),
        Trial::test("token servers that fail are told", token_servers_fail),
        Trial::test("mounts take both rights", mounts_take_both_rights),
        Trial::test("uploads elsewhere get no token", uploads_elsewhere_get_no_token),
        Trial::test("anybody pulls what is public", anonymous_pulls),
    ]
}

/// Tokens that are good for a few requests: there is a new one in the middle of the push.
fn tokens_are_renewed() -> Result<(), Failed> {
    for uses in [8, 11] {
        let mut stage = Stage::new(bearer());
        stage.proxy.login(|login| login.tokens().uses = uses);
        stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
        stage.works();
        assert!(stage.proxy.tokens().len() > 2, "{:?}", stage.proxy.tokens());
    }
    Ok(())
}

/// The token server fails for a moment, for good, or sends us elsewhere with the password.
fn token_servers_fail() -> Result<(), Failed> {
    let mut stage = Stage::new(bearer());
    stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
    let elsewhere = Proxy::new(stage.registry.address, []);
    let rule = |fault| Rule::new("GET", TOKENS, fault);
    stage.proxy.add(rule(Fault::Redirect("307 Temporary Redirect", elsewhere.origin())).always());
    stage.fails(&format!("the token server {} sends us to {}", stage.proxy.address, elsewhere.address));
    assert_eq!(elsewhere.count("GET", ""), 0);
    for (fault, text) in [
        (Fault::Answer("400 Bad Request", vec![]), "as robot$ci: 400 Bad Request"),
        (Fault::Answer("200 OK", vec![]), "the token server's answer is not understood"),
    ] {
        stage.proxy.heal();
        stage.proxy.add(rule(fault).always());
        stage.fails(text);
    }
    stage.proxy.heal();
    stage.proxy.add(rule(Fault::Answer("503 Service Unavailable", vec![])).times(2));
    stage.proxy.add(rule(Fault::CutRequest(0)).times(2));
    stage.works();
    Ok(())
}

/// To mount takes the right to pull, in the same token. Who has it not uploads instead.
fn mounts_take_both_rights() -> Result<(), Failed> {
    for (own, is_strict, mounts) in
        [(vec!["team/"], false, true), (vec!["team/app"], false, false), (vec!["team/app"], true, false)]
    {
        let mut stage = Stage::new(bearer());
        stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
        let names = ["base", "app"].map(|name| format!("{}/team/{name}", stage.proxy.address));
        let push = |name: &str, source: &str| {
            let mut command = engine::helper(&stage.sandbox, name, source);
            command.envs(stage.env.iter().map(|(name, value)| (name, value)));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice::<image_spec::PushReport>(&output.stdout).unwrap()
        };
        let first = push(&names[0], &names[1]);
        stage.proxy.login(|login| {
            login.tokens().own = own;
            login.tokens().is_strict = is_strict;
        });
        let second = push(&names[1], &names[0]);
        assert_eq!(
            (second.mounted, second.uploaded),
            if mounts { (first.uploaded, 0) } else { (0, first.uploaded) }
        );
        let asked = ["repository:team/app:pull,push", "repository:team/base:pull"];
        stage.proxy.login(|login| assert!(login.tokens().demands.iter().any(|scopes| scopes == &asked)));
        assert!(check::tag(stage.registry.address, "team/app", "latest").is_some());
    }
    Ok(())
}

/// An upload that goes on at another host goes there without the token.
fn uploads_elsewhere_get_no_token() -> Result<(), Failed> {
    let mut stage = Stage::new(bearer());
    let elsewhere = Proxy::new(stage.registry.address, []);
    stage.set("DOCKER_AUTH_CONFIG", auths(&stage.host()));
    stage.proxy.add(Rule::new("POST", "/uploads/", Fault::MoveLocation(elsewhere.origin())).always());
    stage.works();
    let seen = elsewhere.seen("PUT", "/uploads/");
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.head.get("authorization").is_none()));
    Ok(())
}

/// Anybody may pull what is public, and nobody else's.
fn anonymous_pulls() -> Result<(), Failed> {
    let registry = Registry::start();
    let samples = sample::Samples::new();
    let names = ["public/base", "team/base"].map(|name| format!("{}/{name}:1", registry.address));
    sample::push(&samples.named(1, &[1000], &names))?;
    let proxy = Proxy::with_login(registry.address, bearer());
    let client = |name| sample::connection().to_pull(&sample::repository(proxy.address, name));
    assert!(client("public/base").manifest("1")?.is_some());
    let error = format!("{:#}", client("team/base").manifest("1").unwrap_err());
    assert!(error.contains("401 Unauthorized (UNAUTHORIZED authentication required)"), "{error}");
    Ok(())
}
