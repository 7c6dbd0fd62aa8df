//! What differs between two builds.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::Package;
use crate::store::{Crate, Layer, Record};

/// Where most packages come from; of one from there, only the version is told.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Something that both builds or one of them has, with its time in milliseconds or its size in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What it is part of; empty for what is part of the build itself.
    pub(crate) within: String,
    /// Its name.
    pub(crate) name: String,
    /// Of the first build, if that has it.
    pub(crate) before: Option<i64>,
    /// Of the second.
    pub(crate) after: Option<i64>,
}

impl Change {
    /// How much more the second has.
    pub(crate) fn difference(&self) -> i64 {
        self.after.unwrap_or(0) - self.before.unwrap_or(0)
    }

    /// How many times as much the second has; none where that says nothing.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (before, after) = (self.before.filter(|before| *before > 0)?, self.after?);
        Some(after as f64 / before as f64)
    }
}

/// What changed of the packages of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name.
    pub(crate) name: String,
    /// Versions that only the first build has, each with where it is from unless that is crates.io.
    pub(crate) before: Vec<String>,
    /// Those that only the second has.
    pub(crate) after: Vec<String>,
}

impl Dependency {
    /// What happened, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        match (self.before.is_empty(), self.after.is_empty()) {
            (true, _) => "added",
            (_, true) => "removed",
            _ => "updated",
        }
    }
}

/// The steps of two builds and the vertices within them, with their times.
pub(crate) fn steps(before: &Record, after: &Record) -> Vec<Change> {
    let times = |record: &Record| -> Vec<_> {
        let ran = record.steps.iter().filter(|step| step.outcome.as_deref() != Some("skipped"));
        let times = ran.filter_map(|step| {
            let part_of = step.part_of.clone().unwrap_or_default();
            Some(((part_of, step.name.clone()), milliseconds(step.seconds?)))
        });
        times.collect()
    };
    join(times(before), times(after))
}

/// What cargo compiled in two builds, with the times: all units of a package in a step together.
pub(crate) fn crates(before: &Record, after: &Record) -> Vec<Change> {
    let times = |record: &Record| -> Vec<_> {
        let time = |unit: &Crate| {
            let key = (unit.step.clone(), format!("{} {}", unit.package, unit.version));
            (key, milliseconds(unit.finished - unit.started))
        };
        record.crates.iter().map(time).collect()
    };
    join(times(before), times(after))
}

/// The layers of two builds, with their sizes. Images that share a name, or their place among the images, are compared.
pub(crate) fn layers(before: &Record, after: &Record) -> Vec<Change> {
    let names = image_names(before, after);
    let sizes = |record: &Record| -> Vec<_> {
        let size = |layer: &Layer| {
            let image = names.get(&layer.image).unwrap_or(&layer.image);
            ((format!("{image} {}", layer.platform), layer.name.clone()), layer.size)
        };
        record.layers.iter().map(size).collect()
    };
    join(sizes(before), sizes(after))
}

/// The binaries of two builds, with their sizes.
pub(crate) fn artifacts(before: &Record, after: &Record) -> Vec<Change> {
    let sizes = |record: &Record| -> Vec<_> {
        record.artifacts.iter().map(|file| ((String::new(), file.path.clone()), file.size)).collect()
    };
    join(sizes(before), sizes(after))
}

/// Which packages were added, removed or updated, by name.
pub(crate) fn dependencies(before: &[Package], after: &[Package]) -> Vec<Dependency> {
    let (before, after) = (versions(before), versions(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let none = BTreeSet::new();
    let changes = names.into_iter().map(|name| {
        let [before, after] = [before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none)];
        let only = |these: &BTreeSet<String>, others| these.difference(others).cloned().collect::<Vec<_>>();
        Dependency { name: (*name).to_owned(), before: only(before, after), after: only(after, before) }
    });
    changes.filter(|change| !change.before.is_empty() || !change.after.is_empty()).collect()
}

fn versions(packages: &[Package]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for Package { name, version, source } in packages {
        let text = match source.as_str() {
            "" | CRATES_IO => version.clone(),
            source => format!("{version} ({source})"),
        };
        versions.entry(name.as_str()).or_default().insert(text);
    }
    versions
}

/// What each image is called where both builds are shown, by its digest.
fn image_names(before: &Record, after: &Record) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (place, image) in before.images.iter().enumerate() {
        let shared = after.images.iter().find(|other| shared_tag(&image.tags, &other.tags).is_some());
        let Some(other) = shared.or_else(|| after.images.get(place)) else { continue };
        let name = shared_tag(&image.tags, &other.tags).unwrap_or_else(|| first_tag(&image.tags));
        names.insert(image.digest.clone(), name.to_owned());
        names.insert(other.digest.clone(), name.to_owned());
    }
    for image in before.images.iter().chain(&after.images) {
        names.entry(image.digest.clone()).or_insert_with(|| first_tag(&image.tags).to_owned());
    }
    names
}

fn shared_tag<'a>(tags: &'a str, others: &str) -> Option<&'a str> {
    tags.split(' ').find(|tag| others.split(' ').any(|other| other == *tag))
}

fn first_tag(tags: &str) -> &str {
    tags.split(' ').next().unwrap_or_default()
}

/// Both sides by their keys, the largest difference first. What has the same key on one side is added up.
fn join(before: Vec<((String, String), i64)>, after: Vec<((String, String), i64)>) -> Vec<Change> {
    let mut sides = BTreeMap::<(String, String), [Option<i64>; 2]>::new();
    for (side, values) in [before, after].into_iter().enumerate() {
        for (key, value) in values {
            *sides.entry(key).or_default()[side].get_or_insert(0) += value;
        }
    }
    let changes = sides.into_iter();
    let changes = changes.map(|((within, name), [before, after])| Change { within, name, before, after });
    let mut changes: Vec<Change> = changes.collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.difference().abs()));
    changes
}

fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> (String, String) {
        ("compile".to_owned(), name.to_owned())
    }

    #[test]
    fn the_largest_difference_is_first_and_a_side_may_have_none() {
        let before = vec![(key("a"), 100), (key("b"), 400), (key("gone"), 50), (key("b"), 100)];
        let after = vec![(key("a"), 300), (key("b"), 100), (key("new"), 1)];
        let changes = join(before, after);
        let seen: Vec<_> = changes
            .iter()
            .map(|change| (change.name.as_str(), change.difference(), change.ratio()))
            .collect();
        assert_eq!(
            seen,
            [("b", -400, Some(0.2)), ("a", 200, Some(3.0)), ("gone", -50, None), ("new", 1, None)]
        );
    }

    #[test]
    fn packages_are_added_removed_and_updated() {
        let package = |name: &str, version: &str, source: &str| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            source: source.to_owned(),
        };
        let before = [
            package("same", "1.0.0", CRATES_IO),
            package("up", "1.0.0", CRATES_IO),
            package("twice", "1.0.0", CRATES_IO),
            package("twice", "2.0.0", CRATES_IO),
            package("gone", "1.0.0", CRATES_IO),
            package("forked", "1.0.0", CRATES_IO),
        ];
        let after = [
            package("same", "1.0.0", CRATES_IO),
            package("up", "1.1.0", CRATES_IO),
            package("twice", "2.0.0", CRATES_IO),
            package("new", "0.1.0", ""),
            package("forked", "1.0.0", "git+https://x"),
        ];
        let changes = dependencies(&before, &after);
        let seen: Vec<_> = changes
            .iter()
            .map(|change| {
                (change.name.as_str(), change.verb(), change.before.join(" "), change.after.join(" "))
            })
            .collect();
        let row = |name, verb, before: &str, after: &str| (name, verb, before.to_owned(), after.to_owned());
        assert_eq!(
            seen,
            [
                row("forked", "updated", "1.0.0", "1.0.0 (git+https://x)"),
                row("gone", "removed", "1.0.0", ""),
                row("new", "added", "", "0.1.0"),
                row("twice", "removed", "1.0.0", ""),
                row("up", "updated", "1.0.0", "1.1.0"),
            ]
        );
    }
}
