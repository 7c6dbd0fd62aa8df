//! Pulls through faults: a blob arrives whole under its name, or not at all, and what came is not asked for twice.

use std::fs;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use xtask_oci::digest::Digest;
use xtask_oci::image::Blob;
use xtask_oci::registry::client::Client;

use super::common::Sandbox;
use super::fault::{Fault, Rule};
use super::login::{Login, Tokens};
use super::proxy::Proxy;
use super::sample::{REPOSITORY, Samples, connection, push, read, repository};
use super::server::Registry;

const SIZE: usize = 10 << 20;

pub fn trials() -> Vec<Trial> {
    let over = passing().into_iter();
    let over =
        over.map(|(name, rule)| Trial::test(format!("a pull gets over {name}"), move || get_over(rule)));
    let others = [
        Trial::test("what came of a pull is kept", what_came_is_kept),
        Trial::test("a pull tells lasting faults", lasting_faults_are_told),
        Trial::test("tokens stay with their registry", tokens_stay_with_their_registry),
        Trial::test("manifests are checked", documents_are_checked),
    ];
    over.chain(others).collect()
}

/// A registry with a blob, and where it is pulled to.
struct Stage {
    registry: Registry,
    proxy: Proxy,
    /// The same for all pulls, so that it has a token from the second on.
    client: Client,
    blob: Blob,
    bytes: Vec<u8>,
    sandbox: Sandbox,
}

impl Stage {
    fn new() -> Stage {
        let registry = Registry::start();
        let samples = Samples::new();
        let blob = samples.file(5, SIZE);
        connection().to_push(&repository(registry.address, REPOSITORY), &[]).upload(&blob).unwrap();
        let proxy = Proxy::new(registry.address, []);
        let bytes = read(&blob);
        let client = connection().to_pull(&repository(proxy.address, REPOSITORY));
        Stage { registry, proxy, client, blob, bytes, sandbox: Sandbox::new() }
    }

    /// Pulls, and checks that there is all of it or nothing.
    fn pull(&self) -> Result<(), String> {
        self.pull_as(self.blob.digest, self.blob.size)
    }

    fn pull_as(&self, digest: Digest, size: u64) -> Result<(), String> {
        let dest = self.sandbox.path("pulled/blob");
        let _ = fs::remove_dir_all(self.sandbox.path("pulled"));
        let result = self.client.download(digest, size, &dest).map_err(|error| format!("{error:#}"));
        let names = self.sandbox.names("pulled");
        match &result {
            Ok(()) => {
                assert!(fs::read(&dest).unwrap() == self.bytes);
                assert_eq!(names, ["blob"]);
            }
            Err(_) => assert_eq!(names, [""; 0]),
        }
        result
    }
}

fn blob(fault: Fault) -> Rule {
    Rule::new("GET", "/blobs/", fault)
}

fn passing() -> Vec<(&'static str, Rule)> {
    vec![
        ("503", blob(Fault::Answer("503 Service Unavailable", vec![])).times(3)),
        ("no answer", blob(Fault::Silence)),
        ("an answer in drips", blob(Fault::Drip(Duration::from_millis(300)))),
        ("a cut before the first byte", blob(Fault::CutAnswer(0)).times(3)),
        ("a cut after half of it", blob(Fault::CutAnswer(SIZE as u64 / 2))),
        ("a short answer", blob(Fault::Truncate(1_000_000))),
        ("a damaged answer", blob(Fault::FlipAnswer).times(2)),
    ]
}

fn get_over(rule: Rule) -> Result<(), Failed> {
    let stage = Stage::new();
    stage.proxy.add(rule);
    Ok(stage.pull()?)
}

fn what_came_is_kept() -> Result<(), Failed> {
    let stage = Stage::new();
    // More cuts than attempts: those that get on do not count.
    stage.proxy.add(blob(Fault::CutAnswer(1 << 20)).times(9));
    stage.pull()?;
    let ranges = stage.proxy.seen("GET", "/blobs/");
    let ranges = ranges.iter().map(|seen| seen.head.get("range").unwrap_or_default().to_owned());
    let expected = (0..10).map(|n| if n == 0 { String::new() } else { format!("bytes={}-", n << 20) });
    assert_eq!(ranges.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    Ok(())
}

fn lasting_faults_are_told() -> Result<(), Failed> {
    let stage = Stage::new();
    let digest = stage.blob.digest;
    let tell = |fault: Fault, text: &str| {
        stage.proxy.heal();
        stage.proxy.add(blob(fault).always());
        let error = stage.pull().expect_err("it cannot end well");
        let place = format!("cannot download {digest} from {}/{REPOSITORY}", stage.proxy.address);
        assert!(error.starts_with(&place) && error.contains(text), "{error}");
        assert_eq!(
            stage.proxy.count("GET", "/blobs/"),
            if text.contains("tried") { 5 } else { 1 },
            "{error}"
        );
    };
    tell(Fault::Answer("500 Internal Server Error", vec![]), "tried 5 times: ");
    tell(Fault::FlipAnswer, "tried 5 times: its digest is sha256:");
    tell(Fault::Truncate(0), &format!("tried 5 times: it ends after 0 of {SIZE} bytes"));
    tell(Fault::Answer("404 Not Found", vec![]), "the registry does not give it: 404 Not Found");
    tell(Fault::Silence, "tried 5 times: ");
    stage.proxy.heal();
    let error = stage.pull_as(digest, stage.blob.size - 1).unwrap_err();
    assert!(
        error.ends_with(&format!("it has more than the {} bytes that its manifest says", SIZE - 1)),
        "{error}"
    );
    let error = stage.pull_as(digest, stage.blob.size + 1).unwrap_err();
    assert!(error.contains(&format!("{SIZE} of {} bytes", SIZE + 1)) || error.contains("416"), "{error}");
    let other = Digest::of(b"what no registry has");
    assert!(stage.pull_as(other, 5).unwrap_err().contains("404 Not Found (BLOB_UNKNOWN"));
    stage.pull()?;
    Ok(())
}

/// What a registry sends elsewhere to be fetched goes without the token, and what is said there is not believed.
fn tokens_stay_with_their_registry() -> Result<(), Failed> {
    let stage = Stage::new();
    let elsewhere = Proxy::new(stage.registry.address, []);
    let mut tokens = Tokens::new();
    tokens.anybody = true;
    stage.proxy.login(|login| *login = Login::Bearer(tokens));
    let statuses = ["307 Temporary Redirect", "302 Found", "308 Permanent Redirect"];
    for status in statuses {
        stage.proxy.heal();
        stage.proxy.add(blob(Fault::Redirect(status, elsewhere.origin())).always());
        stage.pull()?;
        assert!(
            !stage.proxy.seen("GET", "/blobs/").last().unwrap().head.get("authorization").unwrap().is_empty()
        );
    }
    // A link that has run out is asked for again, whatever a login there is said to take.
    let challenge = format!("Bearer realm=\"{}/token\",service=\"x\"", elsewhere.origin());
    for status in ["401 Unauthorized", "403 Forbidden"] {
        elsewhere.add(blob(Fault::Answer(status, vec![("WWW-Authenticate", challenge.clone())])));
        stage.pull()?;
    }
    assert_eq!(elsewhere.count("GET", "/blobs/"), statuses.len() + 4);
    assert_eq!(elsewhere.count("GET", "/token"), 0);
    let seen = elsewhere.seen("GET", "");
    assert!(seen.iter().all(|seen| seen.head.get("authorization").is_none()), "{seen:?}");

    // A redirect to itself keeps it.
    stage.proxy.heal();
    stage.proxy.add(blob(Fault::Redirect("307 Temporary Redirect", String::new())));
    stage.pull()?;
    stage.proxy.add(blob(Fault::Redirect("307 Temporary Redirect", String::new())).always());
    let error = stage.pull().unwrap_err();
    assert!(error.ends_with(&format!("{} sends us round in circles", stage.proxy.address)), "{error}");
    Ok(())
}

fn documents_are_checked() -> Result<(), Failed> {
    let stage = Stage::new();
    let samples = Samples::new();
    let image = samples.image(1, &[1000], stage.proxy.address, &["latest"]);
    push(&image)?;
    let manifest = |fault| Rule::new("GET", "/manifests/", fault);
    let client = &stage.client;
    for fault in [Fault::CutAnswer(10), Fault::Truncate(10), Fault::FlipAnswer, Fault::Silence] {
        for reference in ["latest", &image.root().digest.to_string()] {
            stage.proxy.add(manifest(fault.clone()).times(2));
            let found = client.manifest(reference)?.expect("it is there");
            assert_eq!(found.digest, image.root().digest);
        }
    }
    assert_eq!(client.manifest("none")?, None);
    stage.proxy.add(manifest(Fault::FlipAnswer).always());
    let error = format!("{:#}", client.manifest("latest").unwrap_err());
    let start =
        format!("cannot read {}/{REPOSITORY}:latest: tried 5 times: its digest is ", stage.proxy.address);
    assert!(error.starts_with(&start), "{error}");
    Ok(())
}
