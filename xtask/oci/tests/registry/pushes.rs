//! Pushes through faults: each ends well or says what is wrong, and the tag is the old or the new image, whole.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use xtask_oci::image::Image;

use super::check;
use super::fault::{Fault, Rule};
use super::proxy::Proxy;
use super::sample::{REPOSITORY, Samples, connection, digest, push, repository};
use super::server::Registry;

const HEAD: (&str, &str) = ("HEAD", "/blobs/");
const START: (&str, &str) = ("POST", "/blobs/uploads/");
const BLOB: (&str, &str) = ("PUT", "/blobs/uploads/");
const MANIFEST: (&str, &str) = ("PUT", "/manifests/sha256:");
const TAG: (&str, &str) = ("PUT", "/manifests/latest");
const BACK: (&str, &str) = ("GET", "/manifests/latest");

pub fn trials() -> Vec<Trial> {
    let over = passing().into_iter();
    let over =
        over.map(|(name, rule)| Trial::test(format!("a push gets over {name}"), move || get_over(rule)));
    let up = lasting().into_iter().map(|(name, rule, text)| {
        Trial::test(format!("a push gives up at {name}"), move || give_up(rule, text))
    });
    let access = Trial::test("access is tried without leaving anything", access);
    over.chain(up).chain([access]).collect()
}

/// A registry with an image, behind a proxy.
pub struct Stage {
    pub registry: Registry,
    pub proxy: Proxy,
    pub samples: Samples,
    pub old: Image,
    pub new: Image,
}

impl Stage {
    pub fn new() -> Stage {
        let registry = Registry::start();
        let proxy = Proxy::new(registry.address, []);
        let samples = Samples::new();
        let image = |seed| samples.image(seed, &[100_000, 3_000_000, 20_000], proxy.address, &["latest"]);
        let (old, new) = (image(1), image(2));
        push(&old).unwrap();
        proxy.heal();
        Stage { registry, proxy, samples, old, new }
    }

    /// What the tag points at. It is whole.
    pub fn tag(&self) -> Option<String> {
        check::tag(self.registry.address, REPOSITORY, "latest")
    }
}

fn rule((method, path): (&'static str, &str), fault: Fault) -> Rule {
    Rule::new(method, path, fault)
}

fn answer(status: &'static str) -> Fault {
    Fault::Answer(status, Vec::new())
}

/// Each of these passes, and a push gets over it.
fn passing() -> Vec<(&'static str, Rule)> {
    vec![
        ("500 for a question", rule(HEAD, answer("500 Internal Server Error")).times(3)),
        ("503 for a beginning", rule(START, answer("503 Service Unavailable")).times(3)),
        ("502 for a blob", rule(BLOB, answer("502 Bad Gateway")).times(3)),
        ("500 for a manifest", rule(MANIFEST, answer("500 Internal Server Error")).times(2)),
        ("500 for the tag", rule(TAG, answer("500 Internal Server Error")).times(2)),
        ("503 for reading the tag back", rule(BACK, answer("503 Service Unavailable")).times(2)),
        ("408 for a blob", rule(BLOB, answer("408 Request Timeout"))),
        ("429 for a question", rule(HEAD, answer("429 Too Many Requests")).times(3)),
        ("a cut before a blob", rule(BLOB, Fault::CutRequest(0)).times(3)),
        ("a cut amid a blob", rule(BLOB, Fault::CutRequest(1_000_000)).after(1)),
        ("a cut amid a manifest", rule(MANIFEST, Fault::CutRequest(100))),
        ("a cut amid the tag", rule(TAG, Fault::CutRequest(100))),
        ("a lost answer to a beginning", rule(START, Fault::LoseAnswer)),
        ("a lost answer to a blob", rule(BLOB, Fault::LoseAnswer).times(2)),
        ("a lost answer to a manifest", rule(MANIFEST, Fault::LoseAnswer)),
        ("a lost answer to the tag", rule(TAG, Fault::LoseAnswer)),
        ("a damaged blob", rule(BLOB, Fault::FlipRequest).times(2)),
        ("a cut amid reading back", rule(BACK, Fault::CutAnswer(100))),
        ("a short answer when reading back", rule(BACK, Fault::Truncate(100))),
        ("a damaged answer when reading back", rule(BACK, Fault::FlipAnswer)),
        ("a forgotten upload", rule(BLOB, answer("404 Not Found")).times(2)),
        ("no answer to a question", rule(HEAD, Fault::Silence)),
        ("no answer to a blob", rule(BLOB, Fault::Silence)),
        ("an answer in drips", rule(HEAD, Fault::Drip(Duration::from_millis(200)))),
        ("nobody who reads a blob", rule(BLOB, Fault::StallRequest(1000))),
        ("uploads without an origin", rule(START, Fault::RelativeLocation).always()),
    ]
}

/// Each of these stays, and the message says what it is.
fn lasting() -> Vec<(&'static str, Rule, &'static str)> {
    vec![
        ("500 for questions", rule(HEAD, answer("500 Internal Server Error")), "500 Internal Server Error"),
        ("503 for beginnings", rule(START, answer("503 Service Unavailable")), "503 Service Unavailable"),
        ("500 for blobs", rule(BLOB, answer("500 Internal Server Error")), "tried 5 times"),
        ("413 for blobs", rule(BLOB, answer("413 Payload Too Large")), "413 Payload Too Large"),
        ("403 for beginnings", rule(START, answer("403 Forbidden")), "log in with `docker login`"),
        ("400 for manifests", rule(MANIFEST, answer("400 Bad Request")), "cannot put "),
        ("500 for the tag", rule(TAG, answer("500 Internal Server Error")), "cannot put "),
        ("cuts amid blobs", rule(BLOB, Fault::CutRequest(10_000)), "cannot reach 127.0.0.1:"),
        ("damaged blobs", rule(BLOB, Fault::FlipRequest), "DIGEST_INVALID"),
        ("forgotten uploads", rule(BLOB, answer("404 Not Found")), "404 Not Found"),
        ("no answers to questions", rule(HEAD, Fault::Silence), "took too long"),
        ("no answers to the tag", rule(TAG, Fault::Silence), "took too long"),
    ]
}

fn get_over(rule: Rule) -> Result<(), Failed> {
    let stage = Stage::new();
    stage.proxy.add(rule);
    let report = push(&stage.new)?;
    assert_eq!(stage.tag(), Some(digest(&stage.new)));
    assert_eq!(report.mounted, 0);
    stage.proxy.heal();
    let again = push(&stage.new)?;
    assert_eq!((again.uploaded, again.present), (0, report.uploaded + report.present));
    assert_eq!(stage.proxy.count("POST", ""), 0, "the second push uploads nothing");
    Ok(())
}

fn give_up(rule: Rule, text: &str) -> Result<(), Failed> {
    let stage = Stage::new();
    stage.proxy.add(rule.always());
    let error = push(&stage.new).expect_err("it cannot end well");
    assert!(error.contains(text), "{error}");
    assert!(
        error.contains(&format!("{}/{REPOSITORY}", stage.proxy.address)),
        "it does not say where: {error}"
    );
    // No more than five attempts at each of at most four things at once.
    let requests = ["HEAD", "POST", "PUT", "GET"].map(|method| stage.proxy.count(method, ""));
    assert!(requests.iter().all(|count| *count <= 25), "{requests:?}");
    assert_eq!(stage.tag(), Some(digest(&stage.old)));
    stage.proxy.heal();
    push(&stage.new)?;
    assert_eq!(stage.tag(), Some(digest(&stage.new)));
    Ok(())
}

fn access() -> Result<(), Failed> {
    let registry = Registry::start();
    let proxy = Proxy::new(registry.address, []);
    let check = || {
        let client = connection().to_push(&repository(proxy.address, REPOSITORY), &[]);
        client.check_access().map_err(|error| format!("{error:#}"))
    };
    check()?;
    assert_eq!((proxy.count("POST", "/blobs/uploads/"), proxy.count("DELETE", "/blobs/uploads/")), (1, 1));
    let left = registry.storage();
    assert!(left.iter().all(|(path, _)| !path.ends_with("data")), "{left:?}");
    proxy.add(Rule::new("POST", "/blobs/uploads/", Fault::Answer("403 Forbidden", vec![])).always());
    let error = check().unwrap_err();
    assert!(error.starts_with(&format!("cannot push to {}/{REPOSITORY}: ", proxy.address)), "{error}");
    Ok(())
}
