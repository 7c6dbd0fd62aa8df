//! What a dry run tells: the steps that a build would have.

// The front prints plans by it, and is no library.
#[path = "../../../src/plan/quote.rs"]
mod quote;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

pub(crate) use quote::quote;

/// A step that would run. It shows itself as `cargo xtask … --dry-run` does: shell, with what it is for in a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PlannedStep {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub why: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its variables.
    pub env: BTreeMap<String, String>,
    /// The file that its output goes to.
    pub stdout: Option<String>,
    /// Why it would not run.
    pub skip: Option<String>,
}

impl fmt::Display for PlannedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}: {}", self.name, self.why)?;
        if let Some(reason) = &self.skip {
            return writeln!(f, "# skipped: {reason}");
        }
        let variables = self.env.iter().map(|(name, value)| format!("{name}={}", quote(value)));
        let words = variables.chain(self.argv.iter().map(|word| quote(word)));
        f.write_str(&words.collect::<Vec<_>>().join(" "))?;
        match &self.stdout {
            Some(path) => writeln!(f, " >{}", quote(path)),
            None => writeln!(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_shell() {
        let step = r#"{"name":"list","why":"list them","argv":["cargo","it's",""],"env":{"A":"b c"},"stdout":"out.json","needs":[]}"#;
        let step: PlannedStep = serde_json::from_str(step).unwrap();
        assert_eq!(step.to_string(), "# list: list them\nA='b c' cargo 'it'\\''s' '' >out.json\n");
        let skipped = PlannedStep { skip: Some("docker is missing".to_owned()), ..step };
        assert_eq!(skipped.to_string(), "# list: list them\n# skipped: docker is missing\n");
    }
}
