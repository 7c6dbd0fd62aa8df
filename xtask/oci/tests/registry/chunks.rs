//! A blob that is too large for one request: it goes in pieces, and on where a connection was cut.

use libtest_mimic::{Failed, Trial};
use xtask_oci::image::Blob;
use xtask_oci::registry::upload::{MAX_REQUEST, Transfer};

use super::check;
use super::fault::{Fault, Rule};
use super::http;
use super::proxy::Proxy;
use super::sample::{REPOSITORY, Samples, connection, repository};
use super::server::Registry;

const SIZE: u64 = MAX_REQUEST + (8 << 20);
const PIECE: (&str, &str) = ("PATCH", "/blobs/uploads/");
const END: (&str, &str) = ("PUT", "/blobs/uploads/");

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("large blobs go in pieces and are resumed", pieces_are_resumed),
        Trial::test("lost uploads begin anew", lost_uploads_begin_anew),
        Trial::test("files that change amid a push are told", changed_files_are_told),
    ]
}

fn rule((method, path): (&'static str, &str), fault: Fault) -> Rule {
    Rule::new(method, path, fault)
}

/// Uploads through faults, and returns how many bytes that took.
fn upload(registry: &Registry, blob: &Blob, rules: Vec<Rule>) -> Result<u64, String> {
    let proxy = Proxy::new(registry.address, rules);
    let client = connection().to_push(&repository(proxy.address, REPOSITORY), &[]);
    let result = client.upload(blob).map_err(|error| format!("{error:#}"));
    let pieces = proxy.seen("PATCH", "").into_iter().chain(proxy.seen("PUT", ""));
    assert!(pieces.into_iter().all(|piece| piece.head.length() <= Some(MAX_REQUEST)));
    assert!(proxy.count("PATCH", "") <= 12, "{}", proxy.count("PATCH", ""));
    let path = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
    if result? == Transfer::Uploaded {
        check::blob(registry.address, REPOSITORY, &blob.digest.to_string(), blob.size);
        assert_eq!(client.upload(blob).unwrap(), Transfer::Present);
    }
    http::ask(registry.address, "DELETE", &path, b"").unwrap();
    Ok(proxy.received("PATCH", "") + proxy.received("PUT", ""))
}

fn pieces_are_resumed() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let blob = samples.file(9, SIZE as usize);
    let upload = |rules| upload(&registry, &blob, rules);
    assert_eq!(upload(vec![])?, SIZE);
    let busy = || Fault::Answer("503 Service Unavailable", vec![]);
    // The piece that was turned away comes again, and no other.
    assert_eq!(upload(vec![rule(PIECE, busy()).after(1)])?, SIZE + (SIZE - MAX_REQUEST));
    assert_eq!(upload(vec![rule(PIECE, Fault::KeepPart(20 << 20))])?, SIZE);
    // More cuts than attempts: those that get on do not count.
    assert_eq!(upload(vec![rule(PIECE, Fault::KeepPart(8 << 20)).times(7)])?, SIZE);
    assert_eq!(upload(vec![rule(END, busy()).times(2)])?, SIZE);
    assert_eq!(upload(vec![rule(END, Fault::LoseAnswer)])?, SIZE);
    assert_eq!(
        upload(vec![rule(("GET", "/uploads/"), busy()), rule(PIECE, busy()).after(1)])?,
        SIZE + (8 << 20)
    );
    Ok(())
}

/// What this registry itself makes of a piece that was cut off: it forgets the upload.
fn lost_uploads_begin_anew() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let blob = samples.file(9, SIZE as usize);
    let upload = |rules| upload(&registry, &blob, rules);
    // The registry may take a while to notice, and what comes meanwhile is in vain.
    let in_vain =
        |bytes: u64, least: u64| assert!((least..=least + SIZE).contains(&bytes), "{bytes} {least}");
    let cut = 1 << 20;
    in_vain(upload(vec![rule(PIECE, Fault::CutRequest(cut))])?, SIZE + cut);
    in_vain(upload(vec![rule(PIECE, Fault::CutRequest(cut)).after(1)])?, SIZE + MAX_REQUEST + cut);
    let forget = Fault::Answer("404 Not Found", vec![]);
    in_vain(
        upload(vec![rule(PIECE, forget.clone()), rule(("GET", "/uploads/"), forget)])?,
        SIZE + MAX_REQUEST,
    );
    in_vain(upload(vec![rule(PIECE, Fault::FlipRequest)])?, 2 * SIZE);

    // A failure that stays costs as many attempts as any other.
    let error = upload(vec![rule(PIECE, Fault::CutRequest(0)).always()]).unwrap_err();
    assert!(error.contains("tried 5 times: cannot reach 127.0.0.1:"), "{error}");
    let denied = Fault::Answer("403 Forbidden", vec![]);
    let error = upload(vec![rule(PIECE, denied).always()]).unwrap_err();
    assert!(error.contains("the registry refuses; log in") && !error.contains("tried"), "{error}");
    Ok(())
}

/// A file that changes under a push ends it: no further attempt could be any better.
fn changed_files_are_told() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let client = connection().to_push(&repository(registry.address, REPOSITORY), &[]);
    let mut shorter = samples.file(1, 1000);
    shorter.size = 1001;
    let error = format!("{:#}", client.upload(&shorter).unwrap_err());
    assert!(error.ends_with("/blobs/1-1000 became shorter while it was used; start again"), "{error}");
    let changed = samples.file(2, 1000);
    samples.0.file("blobs/2-1000", &[0; 1000]);
    let error = format!("{:#}", client.upload(&changed).unwrap_err());
    assert!(error.ends_with("/blobs/2-1000 was changed while it was used; start again"), "{error}");
    Ok(())
}
