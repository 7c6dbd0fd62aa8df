//! Offers a later version of the template as a pull request on GitHub, which its own program,
//! [gh](https://cli.github.com/manual/), opens.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::flags::UpdateFlags;
use crate::git::{self, Git};
use crate::update::{self, Said};

/// Pushes the update as a branch and opens a pull request, unless there is or was one for this version. The checkout is
/// in the end as it was.
///
/// # Errors
/// As for an update; and git may not push, or gh not open a pull request.
pub(crate) fn run(root: &Path, flags: &UpdateFlags) -> Result<Said> {
    let git = Git::open(root)?;
    let Some(to) = update::later(&git, root, flags.to.as_deref())? else {
        return update::run(root, flags);
    };
    let branch = format!("template-v{to}");
    let listed = gh(
        &git,
        &["pr", "list", "--state", "all", "--head", &branch, "--json", "url", "--jq", ".[].url"],
        "",
    )?;
    if let Some(url) = listed.lines().next() {
        return Ok(Said::good(format!("there is a pull request for v{to} of the template: {url}")));
    }
    let flags = UpdateFlags { to: Some(to.to_string()), silent: true, ..UpdateFlags::default() };
    let title = format!("Update the template to v{to}");
    let merged = update::run(root, &flags)?;
    let commit = committed(&git, &format!("{title}\n\n{}", merged.text))?;
    push(&git, &commit, &branch)?;
    // Somebody has to solve conflicts first.
    let draft = (!merged.is_good).then_some("--draft");
    let create = ["pr", "create", "--head", &branch, "--title", &title, "--body-file", "-"];
    let url = gh(&git, &create.into_iter().chain(draft).collect::<Vec<_>>(), &merged.text).context(
        "the branch is pushed, and waits for a pull request; in the repository's settings, Actions > General, GitHub \
         Actions can be allowed to create them",
    )?;
    Ok(Said::good(format!("{}{url}", merged.text)))
}

/// Takes what is in index and work tree out of them, as a commit upon HEAD that nothing names.
fn committed(git: &Git, message: &str) -> Result<String> {
    git.read(&["add", "--all"])?;
    let tree = git.read(&["write-tree"])?;
    let commit = git.read(&["commit-tree", "-p", "HEAD", "-m", message, &tree]);
    git.read(&["reset", "--quiet", "--hard"])?;
    commit
}

/// Pushes with what gh knows of the user, so that no token is written down or shows in a list of processes. A branch that
/// came to no pull request is replaced.
fn push(git: &Git, commit: &str, branch: &str) -> Result<()> {
    let to = format!("+{commit}:refs/heads/{branch}");
    let helpers = ["-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential"];
    let push = [&helpers[..], &["push", "--quiet", "origin", &to]].concat();
    git.read(&push).map(drop).context(
        "the update cannot be pushed; where it changes workflows, GitHub wants a token that may do so: docs/updating.md",
    )
}

fn gh(git: &Git, arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new("gh");
    command.args(arguments).current_dir(&git.top).env("GH_PROMPT_DISABLED", "1");
    let output = git::answer(&mut command, input.as_bytes())?;
    if !output.status.success() {
        let words = arguments.iter().take(2).copied().collect::<Vec<_>>();
        bail!("gh {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    let said = String::from_utf8(output.stdout).context("what gh prints is not UTF-8")?;
    Ok(said.trim_end().to_owned())
}
