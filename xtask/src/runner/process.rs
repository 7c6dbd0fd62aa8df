//! One running step: its process group and the lines it prints.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;

use anyhow::{Context, Result};
use duct::{Expression, ReaderHandle};
use jobserver::Client;

use super::{Message, jobs};
use crate::files::unfinished;
use crate::plan::Step;
use crate::platform::{self, Group};

/// Longer lines are split, so that output without line ends cannot fill the memory.
pub(super) const MAX_LINE: u64 = 64 * 1024;

/// What every step gets alike.
pub(super) struct Surroundings<'a> {
    /// The folder that steps run in.
    pub(super) cwd: &'a Path,
    /// The job budget.
    pub(super) client: Client,
    /// Whether cargo is told to colour its output.
    pub(super) colour: bool,
}

/// Starts `step`, number `index` of its plan. Its lines and its end come as messages.
///
/// # Errors
/// When its program cannot be started.
pub(super) fn start(
    step: &Step,
    index: usize,
    around: &Surroundings<'_>,
    messages: SyncSender<Message>,
) -> Result<Group> {
    let stdout = step.stdout.as_ref().map(|path| around.cwd.join(path));
    if let Some(folder) = stdout.as_deref().and_then(Path::parent) {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    let reader = expression(step, around).reader().with_context(|| {
        format!(
            "cannot start `{}` of step `{}`; `cargo xtask doctor` shows what is missing",
            step.argv[0], step.name
        )
    })?;
    let reader = Arc::new(reader);
    let group = Group::of(reader.pids().first().copied().unwrap_or_default());
    thread::spawn(move || {
        // An error of reading means that the child is gone; its status tells more.
        let _ = for_each_line(&*reader, |text| drop(messages.send(Message::Line { index, text })));
        let exit_code = match (exit_code(&reader), stdout) {
            (0, Some(path)) => finish(&path, index, &messages),
            (code, Some(path)) => {
                let _ = fs::remove_file(unfinished(&path));
                code
            }
            (code, None) => code,
        };
        drop(messages.send(Message::Ended { index, exit_code }));
    });
    Ok(group)
}

/// Runs `step` with this program's own terminal, for as long as it takes. Ctrl-C is for it alone.
///
/// # Errors
/// When its program cannot be started.
pub(super) fn hand_over(step: &Step, cwd: &Path) -> Result<ExitCode> {
    let status = command(step, cwd).status();
    let status =
        status.with_context(|| format!("cannot start `{}` of step `{}`", step.argv[0], step.name))?;
    Ok(ExitCode::from(platform::exit_code(status)))
}

/// `step` as a process of its own, with this program's own input and output.
pub(super) fn command(step: &Step, cwd: &Path) -> Command {
    let mut command = Command::new(program(step, cwd));
    command.args(&step.argv[1..]).envs(&step.env).current_dir(cwd);
    for name in withheld() {
        command.env_remove(name);
    }
    command
}

fn expression(step: &Step, around: &Surroundings<'_>) -> Expression {
    let client = around.client.clone();
    let command = duct::cmd(program(step, around.cwd), &step.argv[1..]);
    let command = match &step.stdout {
        Some(path) => command.stdout_path(unfinished(&around.cwd.join(path))),
        None => command,
    };
    let mut expression = command
        .dir(around.cwd)
        .env("CARGO_TERM_COLOR", if around.colour { "always" } else { "never" })
        .stderr_to_stdout()
        .unchecked()
        .before_spawn(move |command| {
            Group::lead(command);
            jobs::share(&client, command);
            Ok(())
        });
    for (name, value) in &step.env {
        expression = expression.env(name, value);
    }
    for name in withheld() {
        expression = expression.env_remove(name);
    }
    match &step.stdin {
        Some(text) => expression.stdin_bytes(text.as_str()),
        None => expression.stdin_null(),
    }
}

/// The program of `step`. A path that is relative means the folder `cwd`, not this process's; a bare name is looked up on
/// PATH.
fn program(step: &Step, cwd: &Path) -> OsString {
    let program = Path::new(&step.argv[0]);
    let is_path = program.components().count() > 1;
    if is_path { cwd.join(program).into_os_string() } else { platform::program(program.as_os_str()) }
}

/// Gives a step's standard output its name, unless it says the same as before. Returns the exit code.
fn finish(path: &Path, index: usize, messages: &SyncSender<Message>) -> u8 {
    let new = unfinished(path);
    let is_same = fs::read(path).is_ok_and(|old| fs::read(&new).is_ok_and(|new| old == new));
    match if is_same { fs::remove_file(&new) } else { fs::rename(&new, path) } {
        Ok(()) => 0,
        Err(error) => {
            let text = format!("cannot write {}: {error}", path.display());
            drop(messages.send(Message::Line { index, text }));
            1
        }
    }
}

/// Variables that `cargo run` has set for this program, which no step gets: the next cargo would build everything anew.
fn withheld() -> impl Iterator<Item = OsString> {
    let names = ["CARGO", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    let is_withheld = move |name: &OsString| {
        name.to_str().is_some_and(|name| {
            names.contains(&name) || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        })
    };
    env::vars_os().map(|(name, _)| name).filter(is_withheld)
}

/// Hands each line of `reader` on, without its end, until there are no more.
pub(super) fn for_each_line(reader: impl Read, mut line: impl FnMut(String)) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)? > 0 {
        line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned());
        bytes.clear();
    }
    Ok(())
}

fn exit_code(reader: &ReaderHandle) -> u8 {
    match reader.try_wait() {
        Ok(Some(output)) => platform::exit_code(output.status),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for_each_line(bytes, |line| lines.push(line)).unwrap();
        lines
    }

    #[test]
    fn lines_are_split_at_line_ends_of_any_kind() {
        assert_eq!(lines(b"a\r\nb\n\nlast"), ["a", "b", "", "last"]);
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(lines(b"caf\xe9\n"), ["caf\u{fffd}"]);
    }

    #[test]
    #[cfg_attr(windows, ignore = "not every machine has sh there")]
    fn what_gets_the_terminal_is_started_as_every_step() {
        // Cargo has set the first of them for this test.
        let script = "test -z \"$CARGO_PKG_NAME$CARGO_MANIFEST_DIR\" && test -f process.rs && exit $CODE";
        let step = Step {
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: [("CODE".to_owned(), "7".to_owned())].into(),
            ..Step::default()
        };
        let cwd = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runner");
        assert_eq!(hand_over(&step, &cwd).unwrap(), ExitCode::from(7));
    }

    #[test]
    fn output_without_line_ends_comes_in_pieces() {
        let lengths = lines(&vec![b'x'; 150_000]).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(lengths, [65_536, 65_536, 18_928]);
    }
}
