//! A project names no database that was not chosen for it.

use std::collections::BTreeMap;

use crate::project::{File, rendered};
use crate::questions::{Answers, Questions};
use crate::{Outcome, Test};

/// The question, and by which words its choices are named.
const QUESTION: &str = "backends";
const WORDS: [(&str, &[&str]); 3] =
    [("sqlite", &["sqlite"]), ("postgres", &["postgres"]), ("mysql", &["mysql", "mariadb"])];

/// What may name any of them, a file or a folder with all that is in it, and why.
const EXCEPTIONS: [(&str, &str); 5] = [
    (
        "Cargo.lock",
        "cargo writes down what `sqlx-mysql?/json` of sqlx could mean, and compiles nothing of it",
    ),
    ("docs/kitchen.md", KITCHEN),
    ("xtask/kitchen/Cargo.toml", KITCHEN),
    ("xtask/kitchen/src/store/", KITCHEN),
    ("xtask/template/src/adopted.rs", "what a project that adopts the pipeline may have is its own affair"),
];
const KITCHEN: &str = "the history of builds is in a database, whatever the service has";

pub(crate) fn tests(questions: &Questions) -> Vec<Test> {
    let questions = questions.clone();
    vec![Test::new("no_project_names_a_database_that_it_does_not_have", move || no_trace(&questions))]
}

fn no_trace(questions: &Questions) -> Outcome {
    let question = questions.0.iter().find(|question| question.name == QUESTION).unwrap();
    // By file and word, the most that a project has.
    let mut found: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for chosen in question.answers() {
        let project = rendered(&Answers::from([(QUESTION.to_owned(), chosen.clone())]));
        let others = question.values.iter().filter(|value| !chosen.contains(value));
        for word in others.flat_map(|other| words(other)) {
            for (path, count) in traces(&project, word) {
                let most = found.entry(path).or_default().entry(word).or_default();
                *most = count.max(*most);
            }
        }
    }
    for (path, why) in EXCEPTIONS {
        let before = found.len();
        found.retain(|file, _| file != path && !(path.ends_with('/') && file.starts_with(path)));
        assert!(found.len() < before, "{path} needs no exception any more: {why}");
    }
    let found: Vec<_> = found.iter().map(|(path, counts)| format!("{path}: {counts:?}")).collect();
    assert!(found.is_empty(), "files name databases that were not chosen:\n{}", found.join("\n"));
    Ok(())
}

fn words(choice: &str) -> &'static [&'static str] {
    let found = WORDS.iter().find(|(name, _)| *name == choice);
    found.unwrap_or_else(|| panic!("by which words is {choice} named?")).1
}

/// How often the files of a project name something, in their text and in their path.
fn traces(project: &BTreeMap<String, File>, word: &str) -> Vec<(String, usize)> {
    let count = |(path, file): (&String, &File)| {
        let text = format!("{path}\n{}", String::from_utf8_lossy(&file.bytes)).to_lowercase();
        (path.clone(), text.matches(word).count())
    };
    project.iter().map(count).filter(|(_, count)| *count > 0).collect()
}
