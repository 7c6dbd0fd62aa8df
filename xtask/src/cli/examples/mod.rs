//! Examples of every task: `cargo xtask help TASK` and its man page end with them, and tests run each.

mod table;

use clap::Command;

use table::EXAMPLES;

/// One command: what comes after `cargo xtask`, and what it does.
pub(crate) type Example = (&'static str, &'static str);

/// Ends the help of every task with its examples. Not `-h`, which is for a look at the flags.
pub(super) fn add_to(command: Command) -> Command {
    command.mut_subcommands(|task| with_help(task, ""))
}

fn with_help(task: Command, parents: &str) -> Command {
    let path = format!("{parents}{}", task.get_name());
    let lines = lines(&of(&path));
    let task = if lines.is_empty() { task } else { task.after_long_help(format!("Examples:\n{lines}")) };
    task.mut_subcommands(|sub| with_help(sub, &format!("{path} ")))
}

/// The examples of a task, such as `bd` or `builder create`.
pub(crate) fn of(path: &str) -> Vec<Example> {
    let task = path.split(' ').next().unwrap_or_default();
    let all = EXAMPLES.iter().find(|(name, _)| *name == task).map_or(&[][..], |(_, examples)| examples);
    let is_of_path =
        |typed: &str| typed.strip_prefix(path).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b' ', ..]));
    all.iter().filter(|(typed, _)| is_of_path(typed)).copied().collect()
}

fn lines(examples: &[Example]) -> String {
    let width = examples.iter().map(|(typed, _)| typed.len()).max().unwrap_or_default();
    let line = |(typed, why): &Example| format!("  cargo xtask {typed:width$}   # {why}\n");
    examples.iter().map(line).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    /// How wide a terminal may be expected to be; lines of the sources end there as well.
    const COLUMNS: usize = 110;

    fn check(parents: &str, task: &Command) {
        let path = format!("{parents}{}", task.get_name());
        let examples = of(&path);
        let file = "xtask/src/cli/examples/table.rs";
        assert!(
            !examples.is_empty(),
            "`cargo xtask {path}` has no examples: add (\"{path} …\", \"what it does\") to EXAMPLES in {file}"
        );
        let most = 4.max(1 + task.get_subcommands().count());
        assert!(
            !parents.is_empty() || (2..=most).contains(&examples.len()),
            "`{path}` has {} examples in {file}; two to four, or one a subcommand, are what a reader takes in",
            examples.len()
        );
        for line in lines(&examples).lines() {
            let is_short = line.chars().count() <= COLUMNS;
            assert!(is_short, "more than {COLUMNS} columns; shorten it in {file}:\n{line}");
        }
        task.get_subcommands()
            .filter(|sub| !sub.is_hide_set())
            .for_each(|sub| check(&format!("{path} "), sub));
    }

    #[test]
    fn every_task_has_a_few_short_examples() {
        command().get_subcommands().filter(|task| !task.is_hide_set()).for_each(|task| check("", task));
    }

    #[test]
    fn every_example_is_of_a_task() {
        let command = command();
        for (name, examples) in EXAMPLES {
            assert!(command.find_subcommand(name).is_some(), "EXAMPLES has `{name}`, which is no task");
            assert_eq!(of(name).len(), examples.len(), "an example of `{name}` begins with another word");
        }
    }
}
