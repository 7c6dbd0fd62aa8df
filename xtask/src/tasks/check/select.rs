//! Which parts of the gate are wanted.

use anyhow::Result;

use crate::cli::CheckFlags;
use crate::config::Config;
use crate::error::{Usage, did_you_mean};

/// What one step finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Format,
    Lock,
    Deny,
    Advisories,
    Dockerfile,
    Workflows,
    Clippy,
    Sqlx,
    Test,
}

impl Kind {
    const ALL: [Kind; 9] = [
        Kind::Format,
        Kind::Lock,
        Kind::Deny,
        Kind::Advisories,
        Kind::Dockerfile,
        Kind::Workflows,
        Kind::Clippy,
        Kind::Sqlx,
        Kind::Test,
    ];

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Format => "format",
            Kind::Lock => "lock",
            Kind::Deny => "deny",
            Kind::Advisories => "advisories",
            Kind::Dockerfile => "dockerfile",
            Kind::Workflows => "workflows",
            Kind::Clippy => "clippy",
            Kind::Sqlx => "sqlx",
            Kind::Test => "test",
        }
    }
}

/// The part that is the pipeline's own packages.
pub(super) const PIPELINE: &str = "pipeline";
// template: if pipeline_tests
/// The part that is the pipeline's tests which build the service.
pub(crate) const IMAGES: &str = "images";
// template: end
/// The parts besides the service.
// template: if pipeline_tests
const PARTS: &[&str] = &[PIPELINE, IMAGES];
// template: else
// template: add const PARTS: &[&str] = &[PIPELINE];
// template: end

/// The parts of what workflows are looked at for.
pub(super) const WORKFLOWS_PARTS: [&str; 2] = ["lint", "security"];

/// The part that compiles nothing.
pub(crate) const QUICK: &str = "quick";

/// The gate in parts that can run on different machines: the name of each, and what `--only` takes for it.
pub(crate) fn parts(config: &Config) -> Vec<(String, String)> {
    let pipeline: &[&str] = if config.has_own_tools { &[] } else { PARTS };
    let backends = &config.pipeline.build.backends;
    let is_quick = |kind: &Kind| !matches!(kind, Kind::Clippy | Kind::Sqlx | Kind::Test);
    let quick = Kind::ALL.into_iter().filter(is_quick).map(Kind::name).collect::<Vec<_>>().join(",");
    let by_name = pipeline.iter().copied().chain(backends.iter().map(String::as_str));
    let rest = by_name.map(|name| (name.to_owned(), name.to_owned()));
    std::iter::once((QUICK.to_owned(), quick)).chain(rest).collect()
}

/// What `--only` and `--skip` leave.
pub(super) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// Reads the flags, where the service is checked for `backends`.
    ///
    /// # Errors
    /// For a name that means nothing.
    pub(super) fn new(flags: &CheckFlags, backends: &[&str]) -> Result<Selection> {
        let mut known = Kind::ALL.map(|kind| kind.name().to_owned()).to_vec();
        known.extend(WORKFLOWS_PARTS.map(|part| format!("{}-{part}", Kind::Workflows.name())));
        for part in PARTS.iter().chain(backends) {
            known.push((*part).to_owned());
            let kinds = [Kind::Clippy, Kind::Sqlx, Kind::Test];
            known.extend(kinds.map(|kind| format!("{}-{part}", kind.name())));
        }
        let read = |names: &[String]| {
            let name = |given: &String| {
                let name = whole(given);
                let unknown = || Usage(format!("unknown step `{given}`, {}", did_you_mean(given, &known)));
                if known.contains(&name) { Ok(name) } else { Err(unknown()) }
            };
            names.iter().map(name).collect::<Result<Vec<_>, Usage>>()
        };
        Ok(Selection { only: read(&flags.only)?, skip: read(&flags.skip)? })
    }

    /// Whether `kind` is wanted, which is not done for parts.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.allows(|name| name == kind.name())
    }

    /// Whether `kind` is wanted for `part`.
    pub(super) fn wants_for(&self, kind: Kind, part: &str) -> bool {
        self.allows(|name| {
            name == kind.name()
                || name == part
                || name.strip_suffix(part) == Some(&format!("{}-", kind.name()))
        })
    }

    fn allows(&self, means: impl Fn(&str) -> bool) -> bool {
        let named = |names: &[String]| names.iter().any(|name| means(name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// What a step is for that is not asked for by itself. The summary names it all the same, for someone to repeat.
fn whole(name: &str) -> String {
    match name.split_once('-') {
        Some(("describe", part)) => format!("{}-{part}", Kind::Sqlx.name()),
        Some(("fix", part)) => format!("{}-{part}", Kind::Clippy.name()),
        None if name == "databases" => Kind::Sqlx.name().to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(only: &[&str], skip: &[&str]) -> CheckFlags {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        CheckFlags { only: owned(only), skip: owned(skip), ..CheckFlags::default() }
    }

    #[test]
    fn kinds_parts_and_steps_can_be_named() {
        let check = |only: &[&str], skip: &[&str], expected: [bool; 4]| {
            let flags = flags(only, skip);
            let selection = Selection::new(&flags, &["one", "two"]).unwrap();
            let wanted = [
                selection.wants(Kind::Format),
                selection.wants_for(Kind::Clippy, "one"),
                selection.wants_for(Kind::Test, "one"),
                selection.wants_for(Kind::Test, "two"),
            ];
            assert_eq!(wanted, expected, "{only:?} {skip:?}");
        };
        check(&[], &[], [true; 4]);
        check(&["format"], &[], [true, false, false, false]);
        check(&["test"], &[], [false, false, true, true]);
        check(&["one"], &[], [false, true, true, false]);
        check(&["test-two", "clippy"], &[], [false, true, false, true]);
        check(&[], &["test-two"], [true, true, true, false]);
        check(&["one"], &["clippy"], [false, false, true, false]);
        check(&["fix-one"], &[], [false, true, false, false]);
    }

    #[test]
    fn a_mistyped_step_gets_the_nearest_name() {
        let flags = flags(&["tset"], &[]);
        let error = Selection::new(&flags, &["one"]).err().unwrap();
        assert_eq!(error.to_string(), "unknown step `tset`, did you mean `test`?");
    }
}
