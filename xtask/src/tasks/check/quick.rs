//! The steps that compile nothing.

use super::cargo::FIX;
use super::inputs::Inputs;
use super::select::{Kind, WORKFLOWS_PARTS};
use super::{Gate, Part, words};
use crate::plan::Step;
use crate::tools::Advisories;

/// Where `lock` puts what cargo says of the workspace.
const METADATA: &str = "check/metadata.json";

impl Gate<'_> {
    /// Those that are wanted, but for the format.
    pub(super) fn quick(&self) -> Vec<Part> {
        let all = [self.lock(), self.deny(), self.advisories(), self.dockerfile()];
        let wanted = |(kind, part): (Kind, Part)| self.selection.wants(kind).then_some(part);
        let mut parts = all.into_iter().filter_map(wanted).collect::<Vec<_>>();
        if self.config.has_workflows {
            parts.extend(self.workflows());
        }
        parts
    }

    /// Puts the format first, since it is known at once; to repair it, last, since repaired code may need it.
    pub(super) fn format(&self, parts: &mut Vec<Part>) {
        if !self.selection.wants(Kind::Format) {
            return;
        }
        let check =
            part(Kind::Format.name(), Inputs::Rust, "the sources are formatted", &["cargo", "fmt", "--all"]);
        if self.flags.fix {
            let names = parts.iter().map(|part| part.step.name.clone());
            let needs = names.filter(|name| name.starts_with(FIX)).collect();
            parts.push(Part { step: Step { needs, ..check.step }, ..check });
        } else {
            let argv = [check.step.argv, words(&["--check"])].concat();
            parts.insert(0, Part { step: Step { argv, ..check.step }, ..check });
        }
    }

    fn lock(&self) -> (Kind, Part) {
        let argv = &["cargo", "metadata", "--locked", "--format-version", "1"];
        let mut part = part(Kind::Lock.name(), Inputs::Dependencies, "Cargo.lock is up to date", argv);
        part.step.stdout = Some(self.config.target(METADATA));
        (Kind::Lock, part)
    }

    fn deny(&self) -> (Kind, Part) {
        let why = "licences and sources of dependencies are allowed, and none is banned";
        let argv = &["cargo", "deny", "--locked", "--all-features", "check", "bans", "licenses", "sources"];
        let part = part(Kind::Deny.name(), Inputs::Dependencies, why, argv);
        (Kind::Deny, self.with_tool("cargo-deny", part))
    }

    /// What is known of a dependency changes without anything here.
    fn advisories(&self) -> (Kind, Part) {
        let why = "no dependency has a known vulnerability";
        let argv = &["cargo", "deny", "--locked", "--all-features", "check", "advisories"];
        let mut part = self.with_tool("cargo-deny", part(Kind::Advisories.name(), Inputs::World, why, argv));
        match self.config.host.tools.advisories {
            Advisories::Fetch => {}
            Advisories::Copy { days } => {
                part.step.argv.push("--disable-fetch".to_owned());
                part.step.why += &format!(", by a copy of RustSec's database that is {days} days old");
            }
            Advisories::Missing => {
                let reason = "there is no copy of RustSec's database, and its server does not answer";
                part.step.skip = part.step.skip.or_else(|| Some(reason.to_owned()));
            }
        }
        (Kind::Advisories, part)
    }

    fn dockerfile(&self) -> (Kind, Part) {
        let argv = &["hadolint", "Dockerfile"];
        let part = part(Kind::Dockerfile.name(), Inputs::Dockerfile, "the Dockerfile has no lints", argv);
        (Kind::Dockerfile, self.with_tool("hadolint", part))
    }

    fn workflows(&self) -> impl Iterator<Item = Part> {
        let lint = part("workflows-lint", Inputs::Workflows, "the workflows have no lints", &["actionlint"]);
        // The whole repository: what is there besides workflows, such as dependabot.yml, is found as well.
        let argv = &["zizmor", "--offline", "--pedantic", "--quiet", "."];
        let audit = part("workflows-security", Inputs::Workflows, "the workflows are safe", argv);
        let parts = WORKFLOWS_PARTS.into_iter().zip([("actionlint", lint), ("zizmor", audit)]);
        let wanted = parts.filter(|(name, _)| self.selection.wants_for(Kind::Workflows, name));
        wanted.map(|(_, (tool, part))| self.with_tool(tool, part))
    }

    /// The part, skipped where `program` is missing.
    fn with_tool(&self, program: &str, part: Part) -> Part {
        let missing = || format!("{program} is not on PATH; `cargo xtask setup --for check` installs it");
        let skip = (!self.config.host.tools.has(program)).then(missing);
        Part { step: Step { skip, ..part.step }, ..part }
    }
}

fn part(name: &str, inputs: Inputs, why: &str, argv: &[&str]) -> Part {
    let (name, why, argv) = (name.to_owned(), why.to_owned(), words(argv));
    Part { step: Step { name, why, argv, ..Step::default() }, inputs }
}
