//! The images that a Dockerfile starts from, and what stands in for those that cannot be reached.

use std::collections::BTreeMap;

/// Pairs of a name in `text` and what stands in for it: by `images`, or by a mirror of its registry.
pub(super) fn stand_ins(
    text: &str,
    rust: &str,
    images: &[(String, String)],
    mirrors: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let find = |name: &String| {
        let named = images.iter().find(|(image, _)| image == name).map(|(_, reference)| reference.clone());
        named.or_else(|| mirrored(name, mirrors))
    };
    bases(text, rust).into_iter().filter_map(|name| Some((name.clone(), find(&name)?))).collect()
}

/// The images after FROM which are neither `scratch` nor stages.
fn bases(text: &str, rust: &str) -> Vec<String> {
    let froms = text.lines().filter_map(|line| line.strip_prefix("FROM "));
    let words =
        froms.map(|line| line.split_whitespace().filter(|word| !word.starts_with("--")).collect::<Vec<_>>());
    let (mut stages, mut bases) = (vec!["scratch"], Vec::new());
    for words in words {
        if let Some(base) = words.first().filter(|base| !stages.contains(base)) {
            bases.push(base.replace("${RUST_VERSION}", rust));
        }
        stages.extend(words.get(2));
    }
    bases
}

/// Names without a registry are Docker Hub's, and those without a folder are in `library`.
fn mirrored(name: &str, mirrors: &BTreeMap<String, String>) -> Option<String> {
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
        Some(_) => ("docker.io", name.to_owned()),
        None => ("docker.io", format!("library/{name}")),
    };
    Some(format!("{}/{path}", mirrors.get(registry)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_and_mirrored() {
        let text = "FROM --platform=$BUILDPLATFORM rust:${RUST_VERSION}-bookworm AS build\nRUN x\nFROM build AS next\n\
                    FROM gcr.io/distroless/cc-debian12:nonroot\nFROM scratch\n";
        let names = ["rust:1.95.0-bookworm", "gcr.io/distroless/cc-debian12:nonroot"];
        assert_eq!(bases(text, "1.95.0"), names);
        let pair = |name: &str, reference: &str| (name.to_owned(), reference.to_owned());
        let mirrors = BTreeMap::from([pair("docker.io", "m.example/hub"), pair("gcr.io", "m.example")]);
        let images = [pair(names[1], "other:1")];
        assert_eq!(
            stand_ins(text, "1.95.0", &images, &mirrors),
            [pair(names[0], "m.example/hub/library/rust:1.95.0-bookworm"), pair(names[1], "other:1")]
        );
        assert_eq!(stand_ins(text, "1.95.0", &[], &BTreeMap::new()), []);
        assert_eq!(mirrored("team/app:1", &mirrors).unwrap(), "m.example/hub/team/app:1");
        assert_eq!(mirrored(names[1], &mirrors).unwrap(), "m.example/distroless/cc-debian12:nonroot");
    }
}
