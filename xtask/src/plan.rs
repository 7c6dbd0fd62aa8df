//! Plans: what will be run, as data.
//!
//! `--dry-run` prints a plan as shell that can be pasted, tests compare it, the runner executes it.

mod quote;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image_spec::Reference;
use serde::Serialize;

use crate::config::Tree;
pub(crate) use quote::quote;
pub(crate) use watch::{Service, Watch};

/// Steps in an order in which each comes after those that it needs, and what they make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// The folder that every step runs in and that relative paths start from.
    pub(crate) cwd: PathBuf,
    /// What is run.
    pub(crate) steps: Vec<Step>,
    /// What gets the terminal in the place of this program when all steps have succeeded: it asks something.
    #[serde(skip)]
    pub(crate) then: Option<Step>,
    /// What there is to show for it at the end.
    pub(crate) products: Vec<Product>,
    /// Held while the steps run, so that two runs do not mix their outputs.
    #[serde(skip)]
    pub(crate) lock: Option<PathBuf>,
    /// Whether a step that fails leaves those alone that do not need it.
    #[serde(skip)]
    pub(crate) keep_going: bool,
    /// Where it is noted which steps have succeeded, if it is.
    #[serde(skip)]
    pub(crate) passed: Option<Passed>,
    /// The command that repeats a step when its name is put behind it; without, the step's own command does.
    #[serde(skip)]
    pub(crate) repeat: Option<&'static str>,
}

/// Where it is noted which steps have succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// A folder, with a file for each.
    pub(crate) folder: PathBuf,
    /// The work tree that their [digests](Step::digest) come from.
    pub(crate) tree: Tree,
    /// Whether what is noted counts, and such a step is not run again.
    pub(crate) counts: bool,
}

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// A short name, unique in its plan.
    pub(crate) name: String,
    /// What the step is for, in a few words.
    pub(crate) why: String,
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// Variables set for it beyond the inherited ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) env: BTreeMap<String, String>,
    /// What it reads from standard input; nothing without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stdin: Option<String>,
    /// The file that its standard output goes to, instead of being shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stdout: Option<PathBuf>,
    /// The steps that have to succeed before it starts.
    pub(crate) needs: Vec<String>,
    /// Why this machine cannot run it, and how that is mended. It is shown and holds up none of those that need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skip: Option<String>,
    /// Whether it runs beside the others without a job of theirs: it has the lowest priority, or next to nothing to do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) background: bool,
    /// Whether it prints BuildKit's raw JSON progress, `--progress rawjson`, whose vertices are shown as steps within it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) vertices: bool,
    /// Whether it is a cargo that prints JSON messages, `--message-format=json-render-diagnostics`, whose crates are shown
    /// within it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) crates: bool,
    /// The folder that its cargo locks until all is built: one such step builds at a time, in the order of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    /// A digest of all that decides how it ends. A step that has succeeded with the same one is not run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// How long its tests may go on without a result; then they hang.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<Duration>,
    /// The files that it makes. A step that leaves them all untouched had nothing to do.
    pub(crate) outputs: Vec<PathBuf>,
}

/// Something a plan makes that is shown when all went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Product {
    /// A binary, with its SHA-256 beside it.
    Artifact {
        /// The binary.
        path: PathBuf,
    },
    /// A text that was asked for.
    Definition {
        /// What `docker buildx bake`, a shell or a workflow reads.
        text: String,
    },
    /// What a step found out, which is told also where it has failed after that.
    Finding {
        /// About what it is.
        topic: Topic,
        /// Where the step leaves it, as JSON.
        file: PathBuf,
    },
    /// An image.
    Image {
        /// The database that it is for.
        backend: String,
        /// Its names.
        tags: Vec<Reference>,
        /// Where the engine describes what it wrote.
        metadata: PathBuf,
        /// The archive or layout folder; none for an image that is only pushed.
        path: Option<PathBuf>,
        /// Which runtime it was loaded into, such as `Docker 26.1.5`.
        loaded_into: Option<String>,
        /// The commands that load, where that was not done, and run it.
        run: Vec<String>,
    },
    /// The service, which runs.
    Service {
        /// What there is to open in a browser.
        urls: Vec<String>,
        /// The command that ends it.
        end: String,
    },
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Topic {
    /// The next release.
    Release,
    /// A registry.
    Registry,
}

/// Shell that does the same, one step after the other.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cd {}", quote(&self.cwd.to_string_lossy()))?;
        for step in self.steps.iter().chain(&self.then) {
            writeln!(f, "\n# {}: {}", step.name, step.why)?;
            match &step.skip {
                None => writeln!(f, "{step}")?,
                Some(reason) => {
                    writeln!(f, "# skipped: {reason}")?;
                    step.to_string().lines().try_for_each(|line| writeln!(f, "# {line}"))?;
                }
            }
        }
        Ok(())
    }
}

impl Step {
    /// The command with its variables, without what it reads, which may be long, and where its output goes.
    pub(crate) fn command_line(&self) -> String {
        let variables = self.env.iter().map(|(name, value)| format!("{name}={}", quote(value)));
        variables.chain([shell(&self.argv)]).collect::<Vec<_>>().join(" ")
    }
}

/// Shell that does the same.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = self.stdout.as_deref().and_then(Path::parent) {
            writeln!(f, "mkdir -p {}", quote(&folder.to_string_lossy()))?;
        }
        f.write_str(&self.command_line())?;
        let stdout = self.stdout.as_ref().map(|path| quote(&path.to_string_lossy()));
        if let Some(path) = &stdout {
            // Another run may be reading what was there before, or writing as well.
            write!(f, " >{path}.$$")?;
        }
        if let Some(text) = &self.stdin {
            write!(f, " <<'END'\n{}\nEND", text.trim_end())?;
        }
        match &stdout {
            Some(path) => write!(f, "\nmv {path}.$$ {path}"),
            None => Ok(()),
        }
    }
}

/// Has each of `steps` begin when the one before it has succeeded.
pub(crate) fn in_turn(steps: &mut [Step]) {
    for index in 1..steps.len() {
        let before = steps[index - 1].name.clone();
        steps[index].needs.push(before);
    }
}

/// A command as a POSIX shell takes it.
pub(crate) fn shell(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(windows, ignore = "not every machine has sh there")]
    fn what_is_printed_does_the_same_in_a_shell() {
        let step = Step {
            argv: ["sh", "-c", "printf '%s|' \"$@\" \"$NAME\"; cat", "_", "a b", "it's", "$HOME", ""]
                .map(str::to_owned)
                .to_vec(),
            env: BTreeMap::from([("NAME".to_owned(), "x\ny; z".to_owned())]),
            stdin: Some("line $HOME\n".to_owned()),
            ..Step::default()
        };
        let shell = duct::cmd!("sh", "-c", step.to_string()).read().unwrap();
        assert_eq!(shell, "a b|it's|$HOME||x\ny; z|line $HOME");
    }

    #[test]
    #[cfg_attr(windows, ignore = "not every machine has sh there")]
    fn what_is_printed_writes_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        let step = Step {
            argv: vec!["cat".to_owned()],
            stdin: Some("line $HOME\n".to_owned()),
            stdout: Some(path.clone()),
            ..Step::default()
        };
        duct::cmd!("sh", "-c", step.to_string()).run().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "line $HOME\n");
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }
}
