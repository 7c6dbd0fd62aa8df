//! What a Dockerfile says of its stages, as far as a plan depends on it.
//!
//! By the [reference](https://docs.docker.com/reference/dockerfile): lines that go on, comments, here-documents, and
//! variables in `FROM`. What is written wrongly is left for BuildKit to refuse.

use std::collections::BTreeMap;

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stage {
    /// Its name; empty without one.
    pub(super) name: String,
    /// The stage or image that it starts from.
    pub(super) base: String,
    /// Stages and images that it takes files from.
    pub(super) sources: Vec<String>,
    /// Whether it is for the platform of the builder, and not for the image's.
    is_for_builder: bool,
    /// Whether it runs commands.
    runs: bool,
}

/// Reads the stages of a Dockerfile; `args` are given to its build.
pub(super) fn stages(text: &str, args: &BTreeMap<String, String>) -> Vec<Stage> {
    let (mut variables, mut stages) = (BTreeMap::new(), Vec::<Stage>::new());
    for instruction in instructions(text) {
        let (keyword, rest) = instruction.split_once(char::is_whitespace).unwrap_or((&instruction, ""));
        match (keyword.to_ascii_uppercase().as_str(), stages.last_mut()) {
            ("FROM", _) => {
                let stage = from(rest, &variables, &stages);
                stages.push(stage);
            }
            ("ARG", None) => {
                let (name, default) = rest.trim().split_once('=').unwrap_or((rest.trim(), ""));
                let value = args.get(name).cloned().unwrap_or_else(|| default.trim_matches('"').to_owned());
                variables.insert(name.to_owned(), value);
            }
            ("RUN", Some(stage)) => {
                stage.runs = true;
                stage.sources.extend(sources(rest));
            }
            ("COPY" | "ADD", Some(stage)) => stage.sources.extend(sources(rest)),
            _ => {}
        }
    }
    stages
}

/// What is reached from a stage by its name, itself first: stages, and the names of images.
pub(super) fn reached<'a>(stages: &'a [Stage], target: &str) -> (Vec<&'a Stage>, Vec<&'a str>) {
    let find = |name: &str| stages.iter().find(|stage| stage.name.eq_ignore_ascii_case(name));
    let mut found = Vec::from_iter(find(target));
    let (mut images, mut next) = (Vec::new(), 0);
    while let Some(stage) = found.get(next).copied() {
        for name in stage.sources.iter().chain([&stage.base]) {
            match find(name) {
                Some(other) if found.contains(&other) => {}
                Some(other) => found.push(other),
                None if images.contains(&&**name) || name == "scratch" => {}
                None => images.push(name),
            }
        }
        next += 1;
    }
    (found, images)
}

/// The first stage that has to run commands on the platform of the image.
pub(super) fn emulated<'a>(stages: &[&'a Stage]) -> Option<&'a str> {
    stages.iter().find(|stage| stage.runs && !stage.is_for_builder).map(|stage| &*stage.name)
}

/// The same Dockerfile without what mounts secrets and SSH agents.
pub(super) fn without_secrets(text: &str) -> String {
    let is_secret = |word: &&str| {
        ["secret", "ssh"].iter().any(|kind| word.trim_end().starts_with(&format!("--mount=type={kind}")))
    };
    let line = |line: &str| line.split_inclusive(' ').filter(|word| !is_secret(word)).collect::<String>();
    text.lines().map(|text| line(text) + "\n").collect()
}

/// Instructions, each on one line.
fn instructions(text: &str) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match line.trim_end().strip_suffix('\\') {
            Some(part) => current += part,
            None => {
                current += line.trim();
                for end in here_documents(&current) {
                    lines.by_ref().take_while(|line| line.trim_start_matches('\t') != end).for_each(drop);
                }
                found.push(std::mem::take(&mut current).trim().to_owned());
            }
        }
    }
    found
}

/// The words that end the here-documents of an instruction.
fn here_documents(instruction: &str) -> Vec<String> {
    let starts = instruction.split_whitespace().filter_map(|word| word.strip_prefix("<<"));
    starts.map(|word| word.trim_start_matches('-').trim_matches(['"', '\'']).to_owned()).collect()
}

fn from(rest: &str, variables: &BTreeMap<String, String>, stages: &[Stage]) -> Stage {
    let words = rest.split_whitespace().collect::<Vec<_>>();
    let (flags, words): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.starts_with("--"));
    let base = expand(words.first().copied().unwrap_or_default(), variables);
    let name = match words.get(1) {
        Some(word) if word.eq_ignore_ascii_case("as") => words.get(2).copied().unwrap_or_default(),
        _ => "",
    };
    let platform = flags.iter().find_map(|flag| flag.strip_prefix("--platform="));
    // Without a word of its own, a stage is for what the stage below it is for.
    let below = stages.iter().find(|stage| stage.name.eq_ignore_ascii_case(&base));
    let is_for_builder = match platform {
        Some(platform) => platform.contains("BUILDPLATFORM"),
        None => below.is_some_and(|below| below.is_for_builder),
    };
    Stage { name: name.to_owned(), base, is_for_builder, ..Stage::default() }
}

/// What `COPY --from=` and mounts name.
fn sources(rest: &str) -> impl Iterator<Item = String> {
    let flags = rest.split_whitespace().take_while(|word| word.starts_with("--"));
    let options = flags.flat_map(|flag| flag.trim_start_matches("--mount=").split(','));
    options.filter_map(|option| option.trim_start_matches("--").strip_prefix("from=").map(str::to_owned))
}

/// Puts in the values of `$NAME` and `${NAME}`.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded += before;
        let is_braced = after.starts_with('{');
        let after = after.trim_start_matches('{');
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        expanded += variables.get(name).map_or("", String::as_str);
        rest = if is_braced { tail.strip_prefix('}').unwrap_or(tail) } else { tail };
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# FROM nothing
ARG VERSION=1.0
ARG WAY=quick
FROM --platform=$BUILDPLATFORM rust:${VERSION}-slim AS compiler
COPY <<'EOF' /usr/local/bin/script
FROM not-a-stage
EOF
RUN --mount=type=cache,id=x,target=/x \
    # a comment
    --mount=type=bind,from=tools:$VERSION,target=/t \
    cargo build
FROM compiler AS build-quick
RUN cargo build
FROM build-$WAY AS build
FROM alpine:3 AS other
RUN apk add curl
FROM scratch AS image
COPY --link --from=build /out /app
"#;

    fn parsed(args: &[(&str, &str)]) -> Vec<Stage> {
        stages(TEXT, &args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn stages_have_their_bases_and_sources() {
        let found = parsed(&[("VERSION", "2.0")]);
        let said = found.iter().map(|stage| format!("{} {}", stage.name, stage.base)).collect::<Vec<_>>();
        let bases = [
            "compiler rust:2.0-slim",
            "build-quick compiler",
            "build build-quick",
            "other alpine:3",
            "image scratch",
        ];
        assert_eq!(said, bases);
        assert_eq!(found[4].sources, ["build"]);
    }

    #[test]
    fn what_a_stage_needs_is_reached() {
        let all = parsed(&[]);
        let (stages, images) = reached(&all, "image");
        let names = stages.iter().map(|stage| &*stage.name).collect::<Vec<_>>();
        assert_eq!(names, ["image", "build", "build-quick", "compiler"]);
        assert_eq!(images, ["tools:$VERSION", "rust:1.0-slim"]);
    }

    #[test]
    fn mounts_of_secrets_can_be_left_out() {
        let text = "RUN --mount=type=cache,target=/c \\\n    --mount=type=ssh --mount=type=secret,id=a \\\n    cargo build\n";
        assert_eq!(without_secrets(text), "RUN --mount=type=cache,target=/c \\\n    \\\n    cargo build\n");
    }

    #[test]
    fn only_commands_for_another_platform_are_emulated() {
        let all = parsed(&[]);
        assert_eq!(emulated(&reached(&all, "image").0), None);
        assert_eq!(emulated(&reached(&all, "other").0), Some("other"));
    }
}
