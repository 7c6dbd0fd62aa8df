//! The questions of cargo-generate.toml, and what they can be answered with.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use toml::Spanned;

use crate::project::root;

/// An answer to each question that it names; the others have their defaults.
pub(crate) type Answers = BTreeMap<String, Vec<String>>;

/// All questions.
#[derive(Clone, Debug)]
pub(crate) struct Questions(pub(crate) Vec<Question>);

/// How many of the values an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is a text.
    Text,
    One,
    /// At least one.
    Some,
}

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) prompt: String,
    pub(crate) kind: Kind,
    /// What can be answered; of a text, an example.
    pub(crate) values: Vec<String>,
    pub(crate) default: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    placeholders: BTreeMap<String, Spanned<Placeholder>>,
}

#[derive(Deserialize)]
struct Placeholder {
    #[serde(rename = "type")]
    kind: String,
    prompt: String,
    #[serde(default)]
    choices: Vec<String>,
    default: toml::Value,
}

/// For questions that a text answers; it is an image's name and an address at once.
const TEXT: &str = "example.com/acme/shop";

impl Questions {
    /// Those of the template.
    pub(crate) fn read() -> Questions {
        let text = fs::read_to_string(root().join("cargo-generate.toml")).unwrap();
        let document: Document = toml::from_str(&text).unwrap();
        // In the order of the file, which tables do not keep.
        let mut placeholders: Vec<_> = document.placeholders.into_iter().collect();
        placeholders.sort_by_key(|(_, placeholder)| placeholder.span().start);
        let question =
            |(name, placeholder): (String, Spanned<Placeholder>)| placeholder.into_inner().named(name);
        Questions(placeholders.into_iter().map(question).collect())
    }

    /// The same, but for a question that has this answer alone.
    pub(crate) fn with(&self, name: &str, value: String) -> Questions {
        let mut questions = self.clone();
        let asked = questions.0.iter_mut().find(|question| question.name == name).unwrap();
        asked.values = vec![value];
        questions
    }

    /// The defaults, and what differs from them in one answer: each value, and each set of values.
    pub(crate) fn one_by_one(&self) -> Vec<Answers> {
        let others = self.0.iter().flat_map(|question| {
            let answers = question.answers().into_iter().filter(|answer| *answer != question.default);
            answers.map(|answer| Answers::from([(question.name.clone(), answer)]))
        });
        std::iter::once(Answers::new()).chain(others).collect()
    }
}

impl Placeholder {
    fn named(self, name: String) -> Question {
        let word = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let default: Vec<_> = match &self.default {
            toml::Value::Array(words) => words.iter().map(word).collect(),
            value => vec![word(value)],
        };
        let (kind, values) = match self.kind.as_str() {
            "bool" => (Kind::One, ["false", "true"].map(str::to_owned).to_vec()),
            "array" => (Kind::Some, self.choices),
            _ if self.choices.is_empty() => (Kind::Text, vec![default.concat(), TEXT.to_owned()]),
            _ => (Kind::One, self.choices),
        };
        Question { name, prompt: self.prompt, kind, values, default }
    }
}

impl Question {
    /// Every answer that there can be.
    pub(crate) fn answers(&self) -> Vec<Vec<String>> {
        if self.kind != Kind::Some {
            return self.values.iter().map(|value| vec![value.clone()]).collect();
        }
        let chosen = |bits: usize| {
            let values = self.values.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            values.map(|(_, value)| value.clone()).collect()
        };
        (1..1 << self.values.len()).map(chosen).collect()
    }
}

/// Answers as the command line takes them.
pub(crate) fn shown(answers: &Answers) -> Vec<String> {
    answers.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect()
}
