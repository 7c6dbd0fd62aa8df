//! A project that is published, whose cargo says what a test has put into its files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xtask_kitchen::build::Choices;
use xtask_kitchen::run::{Cook, Settings};
use xtask_kitchen::store::Store;

use crate::support::Server;

/// Prints the file of the task, and fails where there is one that says so. A task that `hold` names waits until that is
/// gone.
const CARGO: &str = r#"
cd "$(dirname "$0")"
echo "$*" >>words
task=$2
case "$*" in *--dry-run*) task=dry-run ;; esac
while [ "$(cat hold 2>/dev/null)" = "$task" ]; do sleep 0.02; done
cat "$task.json"
[ ! -e "$task.fails" ]
"#;

/// The digests of an image, as it is and as another would be.
pub(crate) const DIGESTS: [&str; 2] = [
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
];

/// What is said of an image.
pub(crate) fn image(digest: &str, dry_run: bool) -> Value {
    json!({
        "v": 1, "event": "image", "backend": "one", "digest": digest, "path": null, "loaded_into": null, "run": [],
        "tags": ["ghcr.io/team/app:0.1.0", "ghcr.io/team/app:latest"],
        "platforms": [{ "platform": "linux/amd64", "digest": digest, "config_digest": digest, "size": 5_000_000, "layers": [] }],
        "push": { "uploaded": 3_200_000, "mounted": 0, "present": 1_800_000, "dry_run": dry_run },
    })
}

/// The project, and who works in it.
pub(crate) struct Publisher {
    pub(crate) server: Server,
    work: Option<(watch::Sender<bool>, JoinHandle<anyhow::Result<()>>)>,
}

impl Publisher {
    /// A project without files whose cargo is this script, and where nobody works yet.
    pub(crate) async fn idle(script: &str) -> Publisher {
        Publisher { server: Server::with_cargo(script).await, work: None }
    }

    /// Everything goes well.
    pub(crate) async fn new() -> Publisher {
        let mut publisher = Publisher::idle(CARGO).await;
        publisher.git(&["init", "--quiet", "--initial-branch", "main"]);
        publisher.write(".gitignore", "*\n!.gitignore\n!source\n");
        publisher.write("source", "1");
        publisher.git(&["add", "."]);
        publisher.commit();
        let change = json!({ "commit": "c".repeat(40), "subject": "feat: say <b>hello</b>", "reason": "minor: feature" });
        let release = json!({
            "v": 1, "event": "release", "last": "0.1.0", "current": "0.1.0", "next": "0.2.0", "why": "minor, as the commits say",
            "changes": [change], "warnings": ["merges are left out"], "obstacles": ["the work tree is not clean"],
        });
        let feature = json!({ "feature": "zstd layers", "refusal": null, "advice": "none" });
        let registry = json!({
            "v": 1, "event": "registry", "repository": "ghcr.io/team/app", "registry": "ghcr.io", "credentials": "password",
            "account": "robot", "found_in": "/home/me/.docker/config.json", "problem": null, "features": [feature],
        });
        publisher.write("release.json", &format!("{release}\n"));
        publisher.write("release.fails", "something stands in the way of a release");
        publisher.write("registry.json", &format!("{registry}\n"));
        publisher.write("dry-run.json", &format!("{}\n", image(DIGESTS[0], true)));
        publisher.write("bdp.json", &format!("{}\n", image(DIGESTS[0], false)));
        publisher.write("verify.json", "");
        publisher.begin_work();
        publisher
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.server.app.cook.place().root().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=me", "-c", "user.email=me@example.com"])
            .args(words)
            .current_dir(self.path(""));
        // Tests may run within a hook of git.
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"] {
            git.env_remove(name);
        }
        assert!(git.status().unwrap().success(), "{words:?}");
    }

    pub(crate) fn commit(&self) {
        self.git(&["commit", "--quiet", "--all", "--allow-empty", "--message", "a change"]);
    }

    /// The tasks that cargo was asked for until now.
    pub(crate) fn tasks(&self) -> Vec<String> {
        let words = fs::read_to_string(self.path("words")).unwrap_or_default();
        let task = |line: &str| line.replace("xtask ", "").replace(" --message-format json", "");
        words.lines().map(task).collect()
    }

    pub(crate) fn begin_work(&mut self) {
        let (stop, stopped) = watch::channel(false);
        let cook = self.server.app.cook.clone();
        self.work = Some((stop, tokio::spawn(async move { cook.work(stopped).await })));
    }

    pub(crate) async fn end_work(&mut self) {
        let (stop, work) = self.work.take().unwrap();
        stop.send_replace(true);
        work.await.unwrap().unwrap();
    }

    /// Another Kitchen in the same project, which tidies and begins to work.
    pub(crate) async fn restart(&mut self) {
        if self.work.is_some() {
            self.end_work().await;
        }
        let place = self.server.app.cook.place().clone();
        let settings = Settings { cargo: self.path("cargo").into(), ..Settings::default() };
        let choices: Choices = self.server.app.cook.choices().clone();
        let store = Store::open(&place).await.unwrap();
        let cook = Cook::new(place, store, choices, settings);
        cook.tidy().await.unwrap();
        self.server.serve(cook);
        self.begin_work();
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer =
            self.server.with_key(Method::POST, &format!("/api/publications{path}"), &body.to_string()).await;
        (answer.status, serde_json::from_str(&answer.text).unwrap_or_default())
    }

    /// Begins a publication.
    pub(crate) async fn begin(&self) -> i64 {
        let (status, body) = self.post("", &json!({})).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_i64().unwrap()
    }

    pub(crate) async fn shown(&self, id: i64) -> Value {
        let answer = self.server.with_key(Method::GET, &format!("/api/publications/{id}"), "").await;
        serde_json::from_str(&answer.text).unwrap()
    }

    /// Waits until cargo was asked for this task.
    pub(crate) async fn until_asked_for(&self, task: &str) {
        let began = Instant::now();
        while !self.tasks().iter().any(|asked| asked == task) {
            assert!(began.elapsed() < Duration::from_secs(30), "{task}: {:?}", self.tasks());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a publication is in this state.
    pub(crate) async fn until(&self, id: i64, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let shown = self.shown(id).await;
            if shown["publication"]["state"] == state {
                return shown;
            }
            let is_in_vain =
                ["failed", "published"].contains(&shown["publication"]["state"].as_str().unwrap());
            let is_late = began.elapsed() > Duration::from_secs(120);
            assert!(!is_in_vain && !is_late, "{state}: {shown:#}\n{}", self.last_log(&shown));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn last_log(&self, shown: &Value) -> String {
        let last = shown["parts"].as_array().and_then(|parts| parts.last()?["build"]["id"].as_i64());
        fs::read_to_string(self.path(&format!(".kitchen/logs/{}.log", last.unwrap_or_default())))
            .unwrap_or_default()
    }

    /// Says yes to what is shown. Gives the status, and the reason of a refusal.
    pub(crate) async fn confirm(&self, id: i64) -> (StatusCode, String) {
        let confirmation = self.shown(id).await["confirmation"].clone();
        let (status, body) = self.post(&format!("/{id}/confirm"), &confirmation).await;
        (status, body["detail"].as_str().unwrap_or_default().to_owned())
    }

    /// How many pushes there were, dry runs left out.
    pub(crate) fn pushes(&self) -> usize {
        self.tasks().iter().filter(|task| *task == "bdp").count()
    }
}
