//! Follows the features that a build asks for from its root, and finds which packages they open.
//!
//! The rules are those of [cargo's book](https://doc.rust-lang.org/cargo/reference/features.html), resolver 2: what runs
//! while others compile has features of its own. What is in doubt is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use auditable_serde::DependencyKind;

use super::metadata::{Dependency, Edge, MetadataPackage, Node};

const DEV: Option<&str> = Some("dev");
const BUILD: Option<&str> = Some("build");

/// A package that is compiled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compiled<'m> {
    /// Whether it is linked in, or only runs while others are compiled.
    pub(super) kind: DependencyKind,
    /// The ids of the packages that it needs.
    pub(super) dependencies: BTreeSet<&'m str>,
}

/// What is compiled for the package `root`, by id. The root has the features that cargo was asked for.
///
/// # Errors
/// The metadata contradicts itself.
pub(super) fn follow<'m>(
    packages: &'m [MetadataPackage<'m>],
    nodes: &'m [Node<'m>],
    root: &'m str,
) -> Result<BTreeMap<&'m str, Compiled<'m>>> {
    let mut walk = Walk {
        packages: packages.iter().map(|package| (package.id, package)).collect(),
        nodes: nodes.iter().map(|node| (node.id, node)).collect(),
        enabled: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        queue: Vec::new(),
    };
    let features = walk.node(root)?.features.iter().copied().collect();
    walk.enable((root, DependencyKind::Runtime), features);
    while let Some(unit) = walk.queue.pop() {
        walk.visit(unit)?;
    }
    let mut compiled = BTreeMap::new();
    for (id, kind) in walk.enabled.into_keys() {
        let dependencies = walk.dependencies.remove(id).unwrap_or_default();
        let found = compiled.entry(id).or_insert(Compiled { kind, dependencies });
        found.kind = found.kind.max(kind);
    }
    Ok(compiled)
}

/// A package, once for what is linked in and once for what runs while others are compiled.
type Unit<'m> = (&'m str, DependencyKind);

struct Walk<'m> {
    packages: HashMap<&'m str, &'m MetadataPackage<'m>>,
    nodes: HashMap<&'m str, &'m Node<'m>>,
    enabled: BTreeMap<Unit<'m>, BTreeSet<&'m str>>,
    dependencies: BTreeMap<&'m str, BTreeSet<&'m str>>,
    queue: Vec<Unit<'m>>,
}

impl<'m> Walk<'m> {
    fn package(&self, id: &str) -> Result<&'m MetadataPackage<'m>> {
        self.packages.get(id).copied().with_context(|| format!("the metadata does not describe {id}"))
    }

    fn node(&self, id: &str) -> Result<&'m Node<'m>> {
        self.nodes.get(id).copied().with_context(|| format!("the metadata has no dependencies of {id}"))
    }

    /// Adds features to a unit, which has to be visited again when that changes anything.
    fn enable(&mut self, unit: Unit<'m>, mut features: BTreeSet<&'m str>) {
        match self.enabled.get_mut(&unit) {
            Some(enabled) if features.is_subset(enabled) => return,
            Some(enabled) => enabled.append(&mut features),
            None => drop(self.enabled.insert(unit, features)),
        }
        self.queue.push(unit);
    }

    fn visit(&mut self, unit: Unit<'m>) -> Result<()> {
        let (package, node) = (self.package(unit.0)?, self.node(unit.0)?);
        let opened = Opened::by(&package.features, &self.enabled[&unit]);
        for edge in &node.deps {
            let child = self.package(edge.pkg)?;
            let mut declared = package.dependencies.iter().filter(|it| it.is_of(edge, child)).peekable();
            if declared.peek().is_none() {
                // Never seen; that a package is named too often is better than that it is missing.
                let features: BTreeSet<_> = self.node(edge.pkg)?.features.iter().copied().collect();
                for kind in edge.dep_kinds.iter().map(|it| it.kind).filter(|kind| *kind != DEV) {
                    self.need(unit, kind, child, features.clone());
                }
            }
            for dependency in declared.filter(|it| it.kind != DEV && opened.has(it)) {
                self.need(unit, dependency.kind, child, opened.features_of(dependency));
            }
        }
        Ok(())
    }

    /// Notes that `unit` needs `child` with `features`.
    fn need(
        &mut self,
        unit: Unit<'m>,
        kind: Option<&str>,
        child: &'m MetadataPackage<'m>,
        features: BTreeSet<&'m str>,
    ) {
        let is_build = unit.1 == DependencyKind::Build || kind == BUILD || child.is_proc_macro();
        let kind = if is_build { DependencyKind::Build } else { DependencyKind::Runtime };
        self.dependencies.entry(unit.0).or_default().insert(child.id);
        self.enable((child.id, kind), features);
    }
}

/// What the enabled features of a package open.
#[derive(Debug, Default, PartialEq, Eq)]
struct Opened<'m> {
    /// Optional dependencies, by the name that the package has for them.
    optional: BTreeSet<&'m str>,
    /// Features of dependencies.
    below: BTreeMap<&'m str, BTreeSet<&'m str>>,
}

impl<'m> Opened<'m> {
    fn by(table: &BTreeMap<&'m str, Vec<&'m str>>, enabled: &BTreeSet<&'m str>) -> Opened<'m> {
        let mut opened = Opened::default();
        let mut queue: Vec<_> = enabled.iter().copied().collect();
        let mut seen = BTreeSet::new();
        while let Some(feature) = queue.pop() {
            if !seen.insert(feature) {
                continue;
            }
            for value in table.get(feature).into_iter().flatten() {
                if let Some(name) = value.strip_prefix("dep:") {
                    opened.optional.insert(name);
                } else if let Some((name, feature)) = value.split_once('/') {
                    // `name?/feature` waits until something else opens the dependency.
                    let weak = name.strip_suffix('?');
                    opened.below.entry(weak.unwrap_or(name)).or_default().insert(feature);
                    if weak.is_none() {
                        opened.optional.insert(name);
                        queue.push(name);
                    }
                } else {
                    queue.push(value);
                }
            }
        }
        opened
    }

    fn has(&self, dependency: &Dependency<'_>) -> bool {
        !dependency.optional || self.optional.contains(dependency.known_as())
    }

    fn features_of(&self, dependency: &'m Dependency<'m>) -> BTreeSet<&'m str> {
        let below = self.below.get(dependency.known_as()).into_iter().flatten();
        let default = dependency.uses_default_features.then_some("default");
        dependency.features.iter().chain(below).copied().chain(default).collect()
    }
}

impl<'m> Dependency<'m> {
    /// The name that the package has for it.
    fn known_as(&self) -> &'m str {
        self.rename.unwrap_or(self.name)
    }

    /// Whether `edge`, which leads to `child`, comes from it.
    fn is_of(&self, edge: &Edge<'_>, child: &MetadataPackage<'_>) -> bool {
        self.name == child.name
            && self.rename.is_none_or(|name| name.replace('-', "_") == edge.name)
            && edge.dep_kinds.iter().any(|it| it.kind == self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(table: &[(&'static str, &[&'static str])], enabled: &[&'static str]) -> Opened<'static> {
        let table = table.iter().map(|(name, values)| (*name, values.to_vec())).collect();
        Opened::by(&table, &enabled.iter().copied().collect())
    }

    #[test]
    fn features_open_features_and_dependencies() {
        let table: &[(_, &[_])] = &[
            ("default", &["tls"]),
            ("tls", &["dep:rustls", "hyper/http2"]),
            ("log", &["rustls?/logging"]),
            ("hyper", &["dep:hyper"]),
            ("loop", &["loop"]),
        ];
        let found = opened(table, &["default", "loop", "unknown"]);
        assert_eq!(found.optional, BTreeSet::from(["hyper", "rustls"]));
        assert_eq!(found.below, BTreeMap::from([("hyper", BTreeSet::from(["http2"]))]));
        let weak = opened(table, &["log"]);
        assert!(weak.optional.is_empty(), "a weak feature opens nothing");
        assert_eq!(weak.below, BTreeMap::from([("rustls", BTreeSet::from(["logging"]))]));
        assert_eq!(opened(table, &[]), Opened::default());
    }
}
