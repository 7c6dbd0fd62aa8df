//! `hooks`: the gate as a [hook of git](https://git-scm.com/docs/githooks#_pre_push), which a push has to pass.

use super::words;
use crate::cli::HooksTask;
use crate::config::Config;
use crate::plan::{Plan, Step};

/// The hook.
const PRE_PUSH: &str = include_str!("pre-push.sh");

/// Plans `hooks install` or `hooks remove`. Git is asked for the place by the step itself: it may be the folder of
/// another worktree, or the one that `core.hooksPath` names.
pub(crate) fn plan(config: &Config, task: HooksTask) -> Plan {
    let (name, why, script, stdin) = match task {
        HooksTask::Install => {
            ("install", "have git run the gate before a push", include_str!("install.sh"), Some(PRE_PUSH))
        }
        HooksTask::Remove => ("remove", "take the gate away from git", include_str!("remove.sh"), None),
    };
    let step = Step {
        name: name.to_owned(),
        why: why.to_owned(),
        argv: words(&["sh", "-c", script.trim_end()]),
        stdin: stdin.map(str::to_owned),
        ..Step::default()
    };
    Plan { cwd: config.root.clone(), steps: vec![step], ..Plan::default() }
}
