//! What clap knows of the command line: what is typed is read by it, help, completions and man pages are made of it.

use std::iter;

use clap::{Command, CommandFactory, FromArgMatches};

use super::{Cli, examples};

impl Cli {
    /// Reads this program's arguments; ends it with a message where they are wrong, or ask for help.
    pub(crate) fn from_args() -> Cli {
        let matches = command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let names = iter::successors(matches.subcommand(), |(_, matches)| matches.subcommand());
        cli.name = names.map(|(name, _)| name).collect::<Vec<_>>().join("-");
        cli
    }
}

/// All that can be typed, with examples.
pub(crate) fn command() -> Command {
    examples::add_to(Cli::command())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}
