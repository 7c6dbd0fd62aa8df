//! How containers of an image run: the `config` object of the
//! [image config](https://github.com/opencontainers/image-spec/blob/main/config.md), on top of that of the base.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use image_spec::RunConfig;
use serde_json::{Map, Value, json};

use crate::oci::{Annotations, DEFAULT_PATH};

/// The object by its keys.
pub type Container = BTreeMap<String, Value>;

/// What a Dockerfile's ENTRYPOINT undoes: arguments for another program. ONBUILD is for the build that was.
const DROPPED: [&str; 4] = ["Cmd", "ArgsEscaped", "OnBuild", "Image"];

/// Puts what `run` and `labels` say over what the base says. What they say nothing of stays, such as volumes and health
/// checks; variables, ports and labels of both are there, ours first where they meet.
pub fn config(base: &Container, run: &RunConfig, labels: &Annotations) -> Container {
    let mut config = base.clone();
    config.retain(|key, value| !DROPPED.contains(&key.as_str()) && !value.is_null());
    let labels = labels.iter().map(|(key, value)| (key.clone(), json!(value)));
    let ports = run.ports.iter().map(|port| (format!("{port}/tcp"), json!({})));
    extend(&mut config, "Labels", labels);
    extend(&mut config, "ExposedPorts", ports);
    let env = environment(config.get("Env"), &run.env);
    config.insert("Env".to_owned(), json!(env));
    config.insert("Entrypoint".to_owned(), json!(run.entrypoint));
    config.insert("User".to_owned(), json!(run.user));
    config.insert("WorkingDir".to_owned(), json!(run.workdir));
    config.insert("StopSignal".to_owned(), json!(run.stop_signal));
    config
}

fn extend(config: &mut Container, key: &str, ours: impl Iterator<Item = (String, Value)>) {
    let mut both = match config.remove(key) {
        Some(Value::Object(theirs)) => theirs,
        _ => Map::new(),
    };
    both.extend(ours);
    if !both.is_empty() {
        config.insert(key.to_owned(), Value::Object(both));
    }
}

/// Splits `uid` or `uid:gid`.
///
/// # Errors
/// The user is a name: Kubernetes' `runAsNonRoot` cannot check names.
pub fn numeric_user(user: &str) -> Result<(u32, Option<u32>)> {
    let number =
        |text: &str| text.parse::<u32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = match user.split_once(':') {
        Some((uid, gid)) => number(uid).zip(number(gid).map(Some)),
        None => number(user).map(|uid| (uid, None)),
    };
    parsed.with_context(|| format!("the user `{user}` is not numeric; write 65532:65532 or the like"))
}

/// The search path that programs of an image have.
pub fn search_path(base: &Container, run: &RunConfig) -> String {
    let all = environment(base.get("Env"), &run.env);
    all.iter().find_map(|variable| variable.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH).to_owned()
}

/// The base's variables in their order, with our values, then the search path and the others of ours, as BuildKit has them.
/// Each is there once: of two the later one counts in most runtimes, so that a base could undo what is ours. What has no `=`
/// is no variable, and some runtimes refuse to start with it.
fn environment(base: Option<&Value>, ours: &BTreeMap<String, String>) -> Vec<String> {
    let theirs = base.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let theirs = theirs.filter_map(|variable| variable.split_once('=')).filter(|(name, _)| !name.is_empty());
    let theirs = theirs.collect::<Vec<_>>();
    let has_path = theirs.iter().any(|(name, _)| *name == "PATH");
    let path = (!has_path).then_some(("PATH", DEFAULT_PATH));
    let ours = ours.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (mut all, mut places) = (Vec::new(), BTreeMap::new());
    for variable in theirs.into_iter().chain(path).chain(ours) {
        let place = *places.entry(variable.0).or_insert(all.len());
        match all.get_mut(place) {
            Some(known) => *known = variable,
            None => all.push(variable),
        }
    }
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunConfig {
        RunConfig {
            user: "65532:65532".to_owned(),
            entrypoint: vec!["/app".to_owned(), "--flag".to_owned()],
            env: [("LANG", "C"), ("APP", "1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ports: vec![8080],
            workdir: "/app".to_owned(),
            stop_signal: "SIGTERM".to_owned(),
        }
    }

    #[test]
    fn what_the_base_says_stays_unless_we_say_otherwise() {
        let base = json!({
            "User": "root", "Cmd": ["bash"], "Entrypoint": null, "OnBuild": [], "WorkingDir": "/",
            "Env": ["PATH=/bin", "LANG=de", "SSL_CERT_FILE=/etc/ssl/x"],
            "ExposedPorts": {"80/tcp": {}},
            "Labels": {"org.example": "theirs", "title": "theirs"},
            "Volumes": {"/data": {}},
            "Healthcheck": {"Test": ["CMD", "/check"]},
        });
        let base: Container = serde_json::from_value(base).unwrap();
        let labels = Annotations::from([("title".to_owned(), "ours".to_owned())]);
        assert_eq!(
            json!(config(&base, &run(), &labels)),
            json!({
                "User": "65532:65532", "Entrypoint": ["/app", "--flag"], "WorkingDir": "/app", "StopSignal": "SIGTERM",
                "Env": ["PATH=/bin", "LANG=C", "SSL_CERT_FILE=/etc/ssl/x", "APP=1"],
                "ExposedPorts": {"80/tcp": {}, "8080/tcp": {}},
                "Labels": {"org.example": "theirs", "title": "ours"},
                "Volumes": {"/data": {}},
                "Healthcheck": {"Test": ["CMD", "/check"]},
            })
        );
        assert_eq!(search_path(&base, &run()), "/bin");
    }

    #[test]
    fn a_variable_is_there_once() {
        let env = json!(["PATH=/a", "APP=2", "X=1", "PATH=/b", "APP=3", "X=2=3", "LANG", "=x", "", "PATH"]);
        let base = Container::from([("Env".to_owned(), env)]);
        let made = config(&base, &run(), &Annotations::new());
        assert_eq!(made["Env"], json!(["PATH=/b", "APP=1", "X=2=3", "LANG=C"]));
        assert_eq!(search_path(&base, &run()), "/b");
    }

    #[test]
    fn there_is_always_a_search_path() {
        let config = config(&Container::new(), &run(), &Annotations::new());
        assert_eq!(config["Env"], json!([format!("PATH={DEFAULT_PATH}"), "APP=1", "LANG=C"]));
        assert!(!config.contains_key("Labels"));

        let mut run = run();
        run.env.insert("PATH".to_owned(), "/opt".to_owned());
        assert_eq!(environment(None, &run.env), ["PATH=/opt", "APP=1", "LANG=C"]);
    }
}
