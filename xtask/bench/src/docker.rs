//! What is asked of Docker besides builds.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::output_of;

/// The label of our containers, whose value is the run's id.
pub(crate) const LABEL: &str = "galley.bench";

/// Why nothing can be built by Docker here, if that is so.
pub(crate) fn missing() -> Option<&'static str> {
    if output_of("docker", &["version", "--format", "{{.Server.Version}}"]).is_none() {
        return Some("Docker does not run");
    }
    output_of("docker", &["buildx", "version"]).is_none().then_some("docker has no buildx")
}

/// Whether images keep their layers as they were compressed: by containerd's store, not by the classic one.
pub(crate) fn keeps_layers() -> bool {
    output_of("docker", &["info", "--format", "{{.DriverStatus}}"])
        .is_some_and(|status| status.contains("io.containerd.snapshotter"))
}

/// Runs a docker command that takes no time worth measuring, and returns what it printed.
///
/// # Errors
/// When it fails, with what it said.
pub(crate) fn docker(args: &[&str]) -> Result<String> {
    let output = Command::new("docker").args(args).output().context("cannot start docker")?;
    if !output.status.success() {
        bail!("`docker {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The records of the builder's cache, by id.
pub(crate) fn records() -> BTreeSet<String> {
    let text = output_of("docker", &["buildx", "du", "--verbose"]).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("ID:")).map(|id| id.trim().to_owned()).collect()
}

/// Removes records of the builder's cache, as far as nothing else needs them. One that another was made of can go only
/// after that, so it takes rounds.
pub(crate) fn prune(wanted: &BTreeSet<String>) {
    let mut left = wanted.len() + 1;
    loop {
        let there = records().intersection(wanted).cloned().collect::<Vec<_>>();
        if there.is_empty() || there.len() >= left {
            return;
        }
        left = there.len();
        for record in there {
            let filter = format!("id={record}");
            output_of("docker", &["buildx", "prune", "--force", "--all", "--filter", &filter]);
        }
    }
}

/// Removes the containers, images and cache mounts of the run `id`, if there is a Docker.
pub(crate) fn remove(id: &str) {
    let Some(containers) = output_of("docker", &["version", "--format", "."]).map(|_| {
        output_of("docker", &["ps", "--all", "--quiet", "--filter", &format!("label={LABEL}={id}")])
    }) else {
        return;
    };
    for container in containers.unwrap_or_default().lines() {
        output_of("docker", &["rm", "--force", "--volumes", container]);
    }
    let images =
        output_of("docker", &["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).unwrap_or_default();
    for image in images.lines().filter(|image| is_ours(image, id)) {
        output_of("docker", &["image", "rm", "--force", image]);
    }
    let cache = output_of("docker", &["buildx", "du", "--verbose"]).unwrap_or_default();
    prune(&mounts(&cache, id).map(str::to_owned).collect());
}

/// Whether an image is in the folder `id` of Docker Hub or of a registry.
fn is_ours(image: &str, id: &str) -> bool {
    image.split('/').rev().nth(1) == Some(id)
}

/// The records of cache mounts whose names end with the run's id and what follows it.
fn mounts<'a>(cache: &'a str, id: &str) -> impl Iterator<Item = &'a str> {
    cache
        .split("\n\n")
        .filter(move |record| record.contains("exec.cachemount") && record.contains(id))
        .filter_map(|record| record.lines().find_map(|line| line.strip_prefix("ID:")).map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_removed() {
        assert!(is_ours("galley-bench-7/chef:latest", "galley-bench-7"));
        assert!(is_ours("localhost:5001/galley-bench-7/chef:latest", "galley-bench-7"));
        assert!(!is_ours("galley-bench-77/chef:latest", "galley-bench-7"));
        assert!(!is_ours("galley-bench-7:latest", "galley-bench-7"));
        let cache = "ID:\ta\nDescription:\tcached mount /x from exec sh with id \"/target-bench-7\"\nType:\texec.cachemount\n\n\
                     ID:\tb\nDescription:\tcached mount /x with id \"/target-bench-8\"\nType:\texec.cachemount\n\n\
                     ID:\tc\nDescription:\tbench-7\nType:\tregular\n";
        assert_eq!(mounts(cache, "bench-7").collect::<Vec<_>>(), ["a"]);
    }
}
