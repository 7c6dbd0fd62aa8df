//! `completions`: scripts for shells. clap_complete writes one for a program `cargo-xtask`; what is here has the shell use it
//! after `cargo xtask`, and leave all else of cargo to what completes that.

use std::collections::BTreeSet;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::{Generator, generate, shells};

use crate::cli::{self, OUTPUT_TYPES, Shell};
use crate::config::Config;
use crate::plan::Product;

/// The program that clap_complete completes. There is none: cargo has an alias.
const PROGRAM: &str = "cargo-xtask";
/// The same without a hyphen.
const FUNCTION: &str = "cargo_xtask";
/// Where clap_complete's script goes in ours.
const GENERATED: &str = "@GENERATED@\n";
/// What zsh calls.
const ZSH_FUNCTION: &str = "_cargo-xtask() {\n";

/// The script for `shell`.
pub(crate) fn product(config: &Config, shell: Shell) -> Product {
    let command = command(config);
    let text = match shell {
        Shell::Bash => bash(command),
        Shell::Zsh => zsh(command),
        Shell::Fish => fish(command),
    };
    Product::Definition { text }
}

fn bash(command: Command) -> String {
    let lists = lists(&command).into_iter().collect::<Vec<_>>().join("|");
    // clap_complete loses what comes after a task of a program with a hyphen: https://github.com/clap-rs/clap/issues/6421.
    let script = generated(shells::Bash, command, FUNCTION);
    let generated = script.replace(" default cargo_xtask\n", " default cargo-xtask\n");
    include_str!("bash.sh").replace("@LISTS@", &lists).replace(GENERATED, &generated)
}

/// The generated function gets another name, so that ours can stand before it.
fn zsh(command: Command) -> String {
    let generated = generated(shells::Zsh, command, PROGRAM);
    let (_, functions) = generated.split_once('\n').unwrap_or_default();
    let functions = functions.split("\nif [ \"$funcstack[1]\"").next().unwrap_or_default();
    let functions = functions.replacen(ZSH_FUNCTION, "_cargo_xtask_words() {\n", 1);
    include_str!("zsh.zsh").replace(GENERATED, &functions)
}

fn fish(command: Command) -> String {
    let mut values = String::new();
    positional_values(&command, "", &mut values);
    include_str!("fish.fish").replace(GENERATED, &(generated(shells::Fish, command, PROGRAM) + &values))
}

/// clap_complete leaves out in fish what is no flag.
fn positional_values(command: &Command, path: &str, script: &mut String) {
    for positional in command.get_positionals() {
        let mut add = |what: &str| {
            let when = format!("-n '__fish_cargo_xtask_using_subcommand {path}'");
            *script += &format!("complete -c {PROGRAM} {when} {what}\n");
        };
        if positional.get_value_hint() == ValueHint::DirPath {
            add("-a '(__fish_complete_directories)'");
        }
        for value in positional.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default().replace('\'', r"\'");
            add(&format!("-a {} -d '{help}'", value.get_name()));
        }
    }
    command.get_subcommands().for_each(|sub| positional_values(sub, sub.get_name(), script));
}

fn generated(shell: impl Generator, mut command: Command, program: &'static str) -> String {
    command = command.name(program);
    let mut script = Vec::new();
    generate(shell, &mut command, program, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// What can be typed, with values that only the configuration knows.
fn command(config: &Config) -> Command {
    with_values(visible(&cli::command()).version(env!("CARGO_PKG_VERSION")), config)
}

/// `command` without what is hidden, which clap_complete would show.
fn visible(command: &Command) -> Command {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(visible);
    Command::new(kept(command.get_name()))
        .about(command.get_about().cloned().unwrap_or_default())
        .args(command.get_arguments())
        .groups(command.get_groups())
        .subcommands(shown)
}

fn with_values(command: Command, config: &Config) -> Command {
    command.mut_args(|arg| with_value(arg, config)).mut_subcommands(|sub| with_values(sub, config))
}

fn with_value(arg: Arg, config: &Config) -> Arg {
    if !arg.get_possible_values().is_empty() {
        return arg;
    }
    let all = arg.get_value_delimiter().map(|_| "all");
    let build = &config.pipeline.build;
    let values = match arg.get_long() {
        Some("backend") => build.backends.iter().map(|name| kept(name)).chain(all).collect(),
        Some("platform") => build.platforms.iter().map(|platform| kept(&platform.to_string())).collect(),
        Some("output") => OUTPUT_TYPES.to_vec(),
        _ => return arg,
    };
    arg.value_parser(PossibleValuesParser::new(values))
}

/// clap wants names that stay, and this program is about to end.
fn kept(name: &str) -> &'static str {
    name.to_owned().leak()
}

/// The long flags of all tasks that take a list, each once.
fn lists(command: &Command) -> BTreeSet<String> {
    let takes_list = |arg: &&Arg| arg.get_value_delimiter().is_some();
    let own =
        command.get_arguments().filter(takes_list).filter_map(Arg::get_long).map(|long| format!("--{long}"));
    own.chain(command.get_subcommands().flat_map(lists)).collect()
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fixture::config;

    /// Where there is a shell, it is asked itself: `tests/completions.rs`.
    #[test]
    fn what_clap_complete_writes_is_where_ours_expects_it() {
        let [bash, zsh, fish] = [Shell::Bash, Shell::Zsh, Shell::Fish].map(|shell| {
            let Product::Definition { text } = product(&config(), shell) else { panic!("no text") };
            assert!(!text.contains("@GENERATED@") && !text.contains("watchdog"), "{text}");
            text
        });
        assert!(
            bash.contains("\n        --backend|--name|--only|--peer|--platform|--profile|--skip)\n"),
            "{bash}"
        );
        assert!(
            bash.contains("\n    complete -F _cargo_xtask -o nosort -o bashdefault -o default cargo-xtask\n")
        );
        assert!(zsh.contains("\n_cargo_xtask_words() {\n    typeset"), "{zsh}");
        assert_eq!(zsh.matches("funcstack").count(), 1);
        assert!(fish.contains("\nfunction __fish_cargo_xtask_using_subcommand\n"), "{fish}");
    }
}
// template: end
