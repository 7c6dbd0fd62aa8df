//! What was answered to the template's questions.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Bool(bool),
    Text(String),
    List(Vec<String>),
}

/// The answers, by the name of the question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Answers(BTreeMap<String, Value>);

impl Answers {
    /// The answer to a question.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn get(&self, name: &str) -> Result<&Value> {
        self.0.get(name).with_context(|| format!("there is no answer to `{name}`"))
    }

    pub(crate) fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }
    // template: if is_template

    /// Takes over answers, in place of those to the same questions.
    pub(crate) fn extend(&mut self, others: Answers) {
        self.0.extend(others.0);
    }
    // template: end
}

impl<const N: usize> From<[(&str, Value); N]> for Answers {
    fn from(answers: [(&str, Value); N]) -> Self {
        Self(answers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
