//! Scripts of this repository that the documents name. They measure, or fuzz, for minutes: what is checked is that they can
//! be read, and that their first lines say of each argument what it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Whether `command` runs one.
pub(crate) fn is_one(root: &Path, command: &str) -> bool {
    let is_program = |data: fs::Metadata| data.is_file() && data.permissions().mode() & 0o111 != 0;
    program(command)
        .is_some_and(|path| path.starts_with("xtask/") && fs::metadata(root.join(path)).is_ok_and(is_program))
}

/// What comes after the variables, NAME=VALUE.
fn program(command: &str) -> Option<&str> {
    command.split_whitespace().find(|word| !word.contains('='))
}

/// What is wrong with a command that runs one.
pub(crate) fn wrong(root: &Path, command: &str) -> Option<String> {
    let path = program(command)?;
    let text = fs::read_to_string(root.join(path)).unwrap();
    let usage = text.lines().take_while(|line| line.starts_with('#')).flat_map(str::split_whitespace);
    let known = usage.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect::<Vec<_>>();
    let words = command.split_whitespace().filter(|word| *word != path);
    let mut names = words.filter_map(|word| word.split('=').next());
    if let Some(unknown) = names.find(|name| !known.contains(name)) {
        return Some(format!("the first lines of {path} do not say what `{unknown}` is"));
    }
    let output = Command::new("bash").arg("-n").arg(root.join(path)).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
