//! Commands in the documents of which there is no dry run, or of whose output something is shown, and what runs them.

use std::fs;
use std::path::Path;

/// What runs a command.
pub(crate) enum By {
    /// The test in this file with this name.
    Test(&'static str, &'static str),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

use By::{Nothing, Test};

/// Where commands are run as they stand in the documents.
const DOCUMENTS: &str = "xtask/tests/documents.rs";
// template: if is_template
/// Where cargo-generate makes projects.
const GENERATED: &str = "xtask/template/tests/choices/generated.rs";
// template: end

/// What runs the commands of each document. A beginning that ends with a blank goes on in the command; any other one is
/// all of it.
const RUN: &[(&str, &[(&str, By)])] = &[
    (
        "README.md",
        &[
            ("cargo generate --git ", Test(GENERATED, "asked_everything")), // template: if is_template
            ("cargo xtask bd", Test(DOCUMENTS, "an_image_is_told_as_shown")),
            ("cargo run", Test(DOCUMENTS, "requests_are_answered_as_shown")),
            ("curl ", Test(DOCUMENTS, "requests_are_answered_as_shown")),
        ],
    ),
    // template: if is_template
    (
        "docs/adopting.md",
        &[
            ("cargo run --manifest-path ", Test(DOCUMENTS, "a_project_adopts_the_template_beside_it")),
            (
                "git status",
                Test("xtask/template/tests/adopt/adopted.rs", "an_adopted_project_makes_its_image"),
            ),
        ],
    ),
    // template: end
    (
        "docs/buildkit.md",
        &[
            ("docker buildx bake ", Test("xtask/tests/buildkit.rs", "a_change_costs_what_it_changes")),
            (
                "docker buildx build --target artifact ",
                Test("xtask/tests/buildkit.rs", "the_dockerfile_hands_out_binaries"),
            ),
            ("docker buildx build .", Test("xtask/tests/buildkit/runtimes.rs", "every_runtime_runs")),
        ],
    ),
    ("docs/ci.md", &[("gh attestation verify ", Nothing("GitHub alone makes attestations"))]),
    // template: if is_template
    (
        "docs/getting-started.md",
        &[
            ("cargo generate --git ", Test(GENERATED, "asked_everything")),
            ("cd shop", Test(GENERATED, "asked_everything")),
        ],
    ),
    // template: end
    (
        "docs/images.md",
        &[
            ("cargo xtask registry check ", Test(DOCUMENTS, "a_registry_is_told_as_shown")),
            ("cargo xtask verify ", Test("xtask/tests/push.rs", "what_is_pushed_is_whole")),
            (
                "docker run --rm -it --entrypoint /busybox/sh ",
                Test("xtask/tests/buildkit/runtimes.rs", "every_runtime_runs"),
            ),
            ("skopeo copy ", Test("xtask/oci/tests/interop/copied.rs", "copy_all")),
            ("target/debug/xtask-oci sbom ", Test("xtask/oci/tests/artifact.rs", "sbom_is_printed")),
        ],
    ),
    // template: if kitchen
    (
        "docs/kitchen.md",
        &[("curl ", Test("xtask/kitchen/tests/doors/main.rs", "a_shell_asks_as_the_documentation_says"))],
    ),
    // template: end
    (
        "docs/scaling.md",
        &[
            ("new=\"openssl ", Test(DOCUMENTS, "certificates_are_good_for_both_ends")),
            ("$new ", Test(DOCUMENTS, "certificates_are_good_for_both_ends")),
            ("buildkitd ", Nothing("it runs as root on a machine of its own")),
            ("cargo install ", Nothing("it takes minutes; .ci/run gets the same program faster")),
        ],
    ),
    (
        "docs/service.md",
        &[
            ("curl ", Test(DOCUMENTS, "requests_are_answered_as_shown")),
            ("app ", Test(DOCUMENTS, "requests_are_answered_as_shown")),
            ("cargo run -p app ", Test(DOCUMENTS, "a_database_is_named_as_shown")), // template: if "postgres" in backends
            ("git ls-files app ", Test(DOCUMENTS, "a_fresh_clone_follows_the_documents")),
            ("for folder in ", Test(DOCUMENTS, "a_fresh_clone_follows_the_documents")),
            ("cargo fmt", Test(DOCUMENTS, "a_fresh_clone_follows_the_documents")),
        ],
    ),
    // template: if is_template
    (
        "docs/template.md",
        &[("cargo test --package xtask-template ", Test("xtask/template/tests/choices/main.rs", "main"))],
    ),
    // template: end
    (
        "docs/architecture.md",
        &[("xtask-db exec ", Test("xtask/db/tests/exec.rs", "the_exit_code_is_the_commands"))],
    ),
];

/// What commands in a sentence begin with, other than tasks and scripts. What else is between backticks is a name: of a
/// file, a flag, or a program of others that does what it always does.
const IN_SENTENCES: [&str; 10] = [
    "app ",
    "cargo generate ",
    "cargo install ",
    "cargo run",
    "docker buildx bake ",
    "docker buildx build ",
    "gh ",
    "skopeo copy ",
    "target/debug/",
    "xtask-db ",
];

/// A document, and how a command in it begins.
pub(crate) type Entry = (&'static str, &'static str);

/// Whether what is between backticks in a sentence is a command that something has to run.
pub(crate) fn is_command(span: &str) -> bool {
    IN_SENTENCES.iter().any(|beginning| span.starts_with(beginning))
}

fn entries() -> impl Iterator<Item = (Entry, &'static By)> {
    RUN.iter().flat_map(|(path, commands)| commands.iter().map(|(beginning, by)| ((*path, *beginning), by)))
}

/// What the table has of a command, by its document and line.
pub(crate) fn entry(place: &str, command: &str) -> Option<Entry> {
    let (document, _) = place.split_once(':')?;
    let begins = |beginning: &str| match beginning.ends_with(' ') {
        true => format!("{command} ").starts_with(beginning),
        false => command == beginning,
    };
    let mut entries = entries().map(|(entry, _)| entry);
    entries.find(|(path, beginning)| *path == document && begins(beginning))
}

/// What nothing runs, and why.
pub(crate) fn left_out() -> impl Iterator<Item = (Entry, &'static str)> {
    entries().filter_map(|(entry, by)| if let Nothing(why) = by { Some((entry, *why)) } else { None })
}

/// What is wrong with the table, where the documents have these of its commands.
pub(crate) fn wrong(root: &Path, found: &[Entry]) -> Vec<String> {
    let wrong = |(entry, by): (Entry, &By)| match by {
        _ if !found.contains(&entry) => Some(format!("{} has no `{}…` any more", entry.0, entry.1)),
        Test(file, name) => {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            let is_there = text.contains(&format!("fn {name}("));
            (!is_there).then(|| format!("{file} has no {name}, which runs `{}…` of {}", entry.1, entry.0))
        }
        Nothing(_) => None,
    };
    entries().filter_map(wrong).collect()
}
