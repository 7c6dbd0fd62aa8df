//! Whether what a registry has under a tag is whole: index, manifests, configs and layers, by digest and size.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use xtask_oci::digest::Digest;

use super::http;

/// What a tag points at, or nothing where there is no such tag.
///
/// # Panics
/// Something of it is missing or differs from its digest or size.
pub fn tag(registry: SocketAddr, repository: &str, tag: &str) -> Option<String> {
    let (status, bytes) = get(registry, repository, &format!("manifests/{tag}"));
    if status == 404 {
        return None;
    }
    assert_eq!(status, 200, "{repository}:{tag}");
    let digest = Digest::of(&bytes).to_string();
    walk(registry, repository, &bytes, &mut BTreeSet::new());
    Some(digest)
}

/// Checks everything that a document refers to.
fn walk(registry: SocketAddr, repository: &str, document: &[u8], checked: &mut BTreeSet<String>) {
    let document: Value = serde_json::from_slice(document).unwrap();
    let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    assert!(document["config"].is_object() || !list("manifests").is_empty(), "{document}");
    for (kind, part) in list("manifests").iter().map(|part| ("manifests", part)).chain(
        list("layers")
            .iter()
            .chain([&document["config"]])
            .filter(|p| p.is_object())
            .map(|part| ("blobs", part)),
    ) {
        let digest = part["digest"].as_str().unwrap();
        if !checked.insert(digest.to_owned()) {
            continue;
        }
        let bytes = part_of(registry, repository, kind, digest, part["size"].as_u64().unwrap());
        if kind == "manifests" {
            walk(registry, repository, &bytes, checked);
        }
    }
}

/// Checks a blob.
pub fn blob(registry: SocketAddr, repository: &str, digest: &str, size: u64) {
    part_of(registry, repository, "blobs", digest, size);
}

fn part_of(registry: SocketAddr, repository: &str, kind: &str, digest: &str, size: u64) -> Vec<u8> {
    let (status, bytes) = get(registry, repository, &format!("{kind}/{digest}"));
    assert_eq!(status, 200, "{kind}/{digest}");
    assert_eq!(Digest::of(&bytes).to_string(), digest);
    assert_eq!(bytes.len() as u64, size, "{digest}");
    bytes
}

fn get(registry: SocketAddr, repository: &str, path: &str) -> (u16, Vec<u8>) {
    let target = format!("/v2/{repository}/{path}");
    let mut found = http::ask(registry, "GET", &target, b"").unwrap();
    // This registry rewrites what a tag points at in place, and fails when it is asked at that moment.
    for _ in 0..50 {
        if found.0.status() != 500 {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        found = http::ask(registry, "GET", &target, b"").unwrap();
    }
    let (head, body) = found;
    if let Some(length) = head.length() {
        assert_eq!(body.len() as u64, length, "{path}");
    }
    (head.status(), body)
}
