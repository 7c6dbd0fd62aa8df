//! A program that believes to talk to a person: `script`, of util-linux, gives it a terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::Outcome;
use crate::support::clean;

/// How long a program may think.
const PATIENCE: Duration = Duration::from_secs(60);

/// The terminal, and the program in it.
pub(crate) struct Terminal {
    process: Child,
    output: Receiver<Vec<u8>>,
    said: String,
    /// How much of it was waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a command in it.
    pub(crate) fn run(command: &Command) -> Terminal {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
        let mut script = clean(Command::new("script"));
        script.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
        script.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = script.spawn().unwrap();
        let (mut stdout, (sender, output)) = (process.stdout.take().unwrap(), channel());
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut part) {
                let _ = sender.send(part[..length].to_vec());
            }
        });
        Terminal { process, output, said: String::new(), seen: 0 }
    }

    /// Waits until the program has written a text.
    pub(crate) fn wait_for(&mut self, text: &str) -> Outcome {
        loop {
            if let Some(at) = self.said[self.seen..].find(text) {
                self.seen += at + text.len();
                return Ok(());
            }
            let part = self.output.recv_timeout(PATIENCE);
            let part = part.map_err(|_| format!("`{text}` is not there:\n{}", self.said))?;
            self.said += &String::from_utf8_lossy(&part);
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) -> Outcome {
        let stdin = self.process.stdin.as_mut().unwrap();
        Ok(stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush())?)
    }

    /// Waits until the program has ended well.
    pub(crate) fn end(mut self) -> Outcome {
        self.said.extend(self.output.iter().map(|part| String::from_utf8_lossy(&part).into_owned()));
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("{status}:\n{}", self.said).into()) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
