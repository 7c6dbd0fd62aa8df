//! `cargo-generate.toml`: the questions, and which files belong to which answers.
//!
//! It is what cargo-generate reads: <https://cargo-generate.github.io/cargo-generate/>. Here it is read for projects that
//! are made or brought up to date without it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use crate::answers::{Answers, Value};
use crate::expression::Expression;

/// Its name, in the root of the template.
pub(crate) const FILE: &str = "cargo-generate.toml";

/// What is only for making projects; in none of them.
pub(crate) const FOLDER: &str = "template/";

/// What `cargo-generate.toml` says.
#[derive(Debug)]
pub(crate) struct Template {
    /// In the order in which they are asked.
    pub(crate) questions: Vec<Question>,
    /// Files and folders that no project has.
    pub(crate) never: Vec<String>,
    /// Files and folders that a project does not have if the condition holds.
    pub(crate) without: Vec<(Expression, Vec<String>)>,
}

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) prompt: String,
    pub(crate) kind: Kind,
    pub(crate) default: Value,
}

/// What can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    YesOrNo,
    Text,
    /// One of these.
    Choice(Vec<String>),
    /// At least one of these.
    Choices(Vec<String>),
}

#[derive(Deserialize)]
struct Document {
    template: Files,
    placeholders: BTreeMap<String, Spanned<Placeholder>>,
    #[serde(default)]
    conditional: BTreeMap<String, Files>,
}

#[derive(Deserialize)]
struct Files {
    #[serde(default)]
    ignore: Vec<String>,
}

#[derive(Deserialize)]
struct Placeholder {
    #[serde(rename = "type")]
    kind: String,
    prompt: String,
    choices: Option<Vec<String>>,
    default: Value,
}

impl Template {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not as cargo-generate or this module wants it; says where.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document: Document = toml::from_str(text).context(FILE)?;
        // In the order of the file, which tables do not keep.
        let mut placeholders: Vec<_> = document.placeholders.into_iter().collect();
        placeholders.sort_by_key(|(_, placeholder)| placeholder.span().start);
        let question = |(name, placeholder): (String, Spanned<Placeholder>)| {
            Question::new(&name, placeholder.into_inner())
                .with_context(|| format!("{FILE}: placeholders.{name}"))
        };
        let condition = |(text, files): (String, Files)| {
            let place = || format!("{FILE}: conditional");
            Ok((Expression::parse(&text).with_context(place)?, files.ignore))
        };
        Ok(Self {
            questions: placeholders.into_iter().map(question).collect::<Result<_>>()?,
            never: document.template.ignore,
            without: document.conditional.into_iter().map(condition).collect::<Result<_>>()?,
        })
    }

    /// Whether a project with these answers has the file.
    ///
    /// # Errors
    /// When a condition asks for an answer that there is not.
    pub(crate) fn keeps(&self, path: &str, answers: &Answers) -> Result<bool> {
        if path == FILE || self.never.iter().any(|entry| is_in(path, entry)) {
            return Ok(false);
        }
        self.condition(path).holds(answers)
    }

    /// When a project has the file, unless none has.
    pub(crate) fn condition(&self, path: &str) -> Expression {
        let lists = self.without.iter().filter(|(_, files)| files.iter().any(|entry| is_in(path, entry)));
        Expression::All(lists.map(|(condition, _)| Expression::Not(Box::new(condition.clone()))).collect())
    }
}

/// Whether a file is this entry of a list, or in this folder.
pub(crate) fn is_in(path: &str, entry: &str) -> bool {
    path.strip_prefix(entry.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Question {
    fn new(name: &str, placeholder: Placeholder) -> Result<Self> {
        let Placeholder { kind, prompt, choices, default } = placeholder;
        let kind = match (kind.as_str(), choices) {
            ("bool", None) => Kind::YesOrNo,
            ("string", None) => Kind::Text,
            ("string", Some(choices)) => Kind::Choice(choices),
            ("array", Some(choices)) => Kind::Choices(choices),
            (other, _) => bail!("type `{other}` is not understood; there is bool, string and array"),
        };
        let question = Self { name: name.to_owned(), prompt, kind, default };
        question.check(&question.default).context("default")?;
        Ok(question)
    }

    /// An answer as it is typed: `true`, a text, words with commas between them.
    ///
    /// # Errors
    /// When it is not one of those that there are; lists them.
    pub(crate) fn read(&self, text: &str) -> Result<Value> {
        let answer = match &self.kind {
            Kind::YesOrNo => match text {
                "true" | "yes" | "y" => Value::Bool(true),
                "false" | "no" | "n" => Value::Bool(false),
                _ => bail!("{}: `{text}` is neither yes nor no", self.name),
            },
            Kind::Text | Kind::Choice(_) => Value::Text(text.to_owned()),
            Kind::Choices(choices) => {
                let words: Vec<_> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
                let unknown = words.iter().find(|word| !choices.iter().any(|choice| choice == *word));
                if let Some(word) = unknown {
                    bail!("{}: there is no `{word}`; there is {}", self.name, choices.join(", "));
                }
                // In the order of the choices, so that the same answer makes the same project.
                let chosen = choices.iter().filter(|choice| words.contains(&choice.as_str()));
                Value::List(chosen.cloned().collect())
            }
        };
        self.check(&answer)?;
        Ok(answer)
    }

    /// Checks that this can be the answer.
    ///
    /// # Errors
    /// It cannot; says what could be.
    pub(crate) fn check(&self, answer: &Value) -> Result<()> {
        let name = &self.name;
        match (&self.kind, answer) {
            (Kind::YesOrNo, Value::Bool(_)) => {}
            (Kind::Text, Value::Text(text)) => {
                let bad = text.chars().find(|c| c.is_control() || matches!(c, '"' | '\\'));
                if let Some(bad) = bad {
                    bail!("{name}: it is written into files in quotes and cannot have {bad:?} in it");
                }
            }
            (Kind::Choice(choices), Value::Text(text)) => {
                ensure!(
                    choices.contains(text),
                    "{name}: there is no `{text}`; there is {}",
                    choices.join(", ")
                );
            }
            (Kind::Choices(choices), Value::List(words)) => {
                ensure!(!words.is_empty(), "{name}: at least one of {}", choices.join(", "));
                if let Some(word) = words.iter().find(|word| !choices.contains(word)) {
                    bail!("{name}: there is no `{word}`; there is {}", choices.join(", "));
                }
            }
            _ => bail!("{name}: an answer of another kind"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [template]
        ignore = ["template", "docs/template.md"]
        [placeholders]
        backends = { type = "array", prompt = "Which?", choices = ["red", "blue"], default = ["red"] }
        licence = { type = "string", prompt = "Under which?", choices = ["MIT", "none"], default = "MIT" }
        about = { type = "string", prompt = "What is it?", default = "A service" }
        media = { type = "bool", prompt = "Media?", default = false }
        [conditional.'!media']
        ignore = ["docs/media"]
        [conditional.'!("blue" in backends)']
        ignore = ["app/src/db/blue.rs"]
    "#;

    fn question(name: &str) -> Question {
        let questions = Template::parse(TEXT).unwrap().questions;
        questions.into_iter().find(|question| question.name == name).unwrap()
    }

    #[test]
    fn files_belong_to_answers() {
        let template = Template::parse(TEXT).unwrap();
        let answers = Answers::from([
            ("media", Value::Bool(false)),
            ("backends", Value::List(vec!["blue".to_owned()])),
        ]);
        for (path, kept) in [
            ("README.md", true),
            ("cargo-generate.toml", false),
            ("template/a/b", false),
            ("templates", true),
            ("docs/template.md", false),
            ("docs/media/x.md", false),
            ("docs/media.md", true),
            ("app/src/db/blue.rs", true),
        ] {
            assert_eq!(template.keeps(path, &answers).unwrap(), kept, "{path}");
        }
        let order: Vec<_> = template.questions.iter().map(|question| question.name.as_str()).collect();
        assert_eq!(order, ["backends", "licence", "about", "media"]);
    }

    #[test]
    fn answers_are_read_and_checked() {
        let list = |words: &[&str]| Value::List(words.iter().map(|&word| word.to_owned()).collect());
        assert_eq!(question("backends").read("blue, red,").unwrap(), list(&["red", "blue"]));
        assert_eq!(question("media").read("true").unwrap(), Value::Bool(true));
        assert_eq!(question("licence").read("none").unwrap(), Value::Text("none".to_owned()));
        for (name, text, error) in [
            ("backends", "red,green", "backends: there is no `green`; there is red, blue"),
            ("backends", "", "backends: at least one of red, blue"),
            ("media", "perhaps", "media: `perhaps` is neither yes nor no"),
            ("licence", "mit", "licence: there is no `mit`; there is MIT, none"),
            ("about", "a \"b\"", "about: it is written into files in quotes and cannot have '\"' in it"),
        ] {
            assert_eq!(question(name).read(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn mistakes_in_the_file_are_named() {
        for (from, to, error) in [
            (
                "\"bool\"",
                "\"number\"",
                "cargo-generate.toml: placeholders.media: type `number` is not understood",
            ),
            (
                "default = \"MIT\"",
                "default = \"GPL\"",
                "placeholders.licence: default: licence: there is no `GPL`",
            ),
            ("'!media'", "'!'", "cargo-generate.toml: conditional: `!`: an option is missing"),
            ("[placeholders]", "[questions]", "missing field `placeholders`"),
        ] {
            let error_text = format!("{:#}", Template::parse(&TEXT.replace(from, to)).unwrap_err());
            assert!(error_text.contains(error), "{error_text}");
        }
    }
}
