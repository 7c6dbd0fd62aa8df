//! Which steps have succeeded before, and with what: a file for each, with the step's digest in it.

use std::fs;
use std::path::PathBuf;

use crate::config::Tree;
use crate::files;
use crate::plan::{Passed, Plan, Step};

/// Whether `step` has succeeded with just this digest, and what it made is still there.
pub(super) fn has_passed(plan: &Plan, step: &Step) -> bool {
    let (Some(passed), Some(digest)) = (&plan.passed, &step.digest) else { return false };
    passed.counts
        && fs::read_to_string(file(plan, passed, step)).is_ok_and(|noted| noted == *digest)
        && step.outputs.iter().chain(&step.stdout).all(|path| plan.cwd.join(path).exists())
}

/// Notes that `steps` have succeeded, unless a file was changed under them: nobody knows what they have read then.
///
/// Where that cannot be noted, they run again: no reason to fail.
pub(super) fn note(plan: &Plan, steps: &[&Step]) {
    let Some(passed) = &plan.passed else { return };
    let known = steps.iter().filter_map(|step| Some((step, step.digest.as_ref()?))).collect::<Vec<_>>();
    if known.is_empty() || Tree::read(&plan.cwd).as_ref() != Some(&passed.tree) {
        return;
    }
    for (step, digest) in known {
        let _ = files::write(&file(plan, passed, step), digest);
    }
}

fn file(plan: &Plan, passed: &Passed, step: &Step) -> PathBuf {
    plan.cwd.join(&passed.folder).join(&step.name)
}
