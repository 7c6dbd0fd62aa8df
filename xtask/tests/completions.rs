//! `cargo xtask completions` in the shells themselves, on a terminal, with what rustup gives them for cargo.
//!
//! What a machine lacks is said, and counts as ignored.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[allow(dead_code, reason = "shared with the tests of images")]
mod support;
mod whole;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use support::{has, root, run};
use tempfile::TempDir;

/// What is typed, and what can come of its last word.
const OURS: [(&str, &[&str]); 9] = [
    ("cargo xtask doc", &["doctor"]),
    ("cargo xtask bd --eng", &["--engine"]),
    ("cargo xtask bd --engine ", &["auto", "buildkit", "native"]),
    ("cargo xtask bd --engine=b", &["--engine=buildkit"]),
    ("cargo xtask up --backend p", &["postgres"]),
    ("cargo +stable xtask sqlx prepare --backend ", &["mysql", "postgres", "sqlite"]),
    ("cargo xtask completions z", &["zsh"]),
    ("cargo xtask soak over", &["overload"]),
    // It is hidden.
    ("cargo xtask watchd", &[]),
];
/// What is cargo's own.
const OF_CARGO: [&str; 3] = ["cargo bui", "cargo build --rele", "cargo help bui"];
/// What a shell's prompt says: it reads keys.
const READY: &str = "READY";
/// Where Linux has bash-completion.
const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

/// A test's name, what it does, and what it needs.
type Test = (&'static str, fn(), &'static [&'static str]);

fn main() -> ExitCode {
    let tests: [Test; 7] = [
        ("bash_completes_cargo_xtask", bash_completes_cargo_xtask, &["script", "bash"]),
        ("bash_knows_lists", bash_knows_lists, &["script", "bash"]),
        (
            "bash_knows_cargo_as_before",
            bash_knows_cargo_as_before,
            &["script", "bash", "rustup", BASH_COMPLETION],
        ),
        ("zsh_completes_cargo_xtask", zsh_completes_cargo_xtask, &["script", "zsh"]),
        ("zsh_knows_cargo_as_before", zsh_knows_cargo_as_before, &["script", "zsh", "rustup"]),
        ("fish_completes_cargo_xtask", fish_completes_cargo_xtask, &["fish"]),
        ("fish_knows_cargo_as_before", fish_knows_cargo_as_before, &["fish"]),
    ];
    let trials = tests.map(|(name, test, needs)| {
        let is_there = |need: &str| Path::new(need).is_absolute() && Path::new(need).exists() || works(need);
        let lacks = needs.iter().find(|need| !is_there(need));
        if let Some(need) = lacks {
            eprintln!("skipped: {name}: {need} is not installed");
        }
        let run = move || {
            test();
            Ok::<(), Failed>(())
        };
        Trial::test(name, run).with_ignored_flag(lacks.is_some())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

/// Whether a program is there; that of util-linux, for what goes by another name elsewhere.
fn works(program: &str) -> bool {
    let version = || Command::new(program).arg("--version").output();
    has(program) && (program != "script" || version().is_ok_and(|output| output.status.success()))
}

/// A home with the scripts, where a shell finds what a test has it load.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir(home.path().join("config")).unwrap();
        fs::copy(root().join("Cargo.toml"), home.path().join("Cargo.toml")).unwrap();
        whole::write_pipeline(&root(), home.path());
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the script for `shell` to `name`.
    fn script(&self, shell: &str, name: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["completions", shell]).env("CARGO_MANIFEST_DIR", self.path().join("xtask"));
        self.write(name, &run(&mut command));
    }

    /// Writes what rustup has for `shell` to `name`.
    fn rustup(&self, shell: &str, name: &str) {
        self.write(name, &run(Command::new("rustup").args(["completions", shell, "cargo"])));
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn bash(&self, loads: &str, lines: &[&str]) -> Vec<Vec<String>> {
        let said = r#"said() { printf '%s\n' "$READLINE_LINE" >>said; READLINE_LINE=; }"#;
        let keys = "bind -x '\"\\C-g\": said'\nbind 'set bell-style none'";
        self.write("rc.bash", &format!("{loads}\n{said}\n{keys}\nPS1={READY}\n"));
        self.type_all("bash --noprofile --rcfile rc.bash -i", lines)
    }

    fn zsh(&self, loads: &str, lines: &[&str]) -> Vec<Vec<String>> {
        // Debian brings a completion of cargo with cargo.
        let paths = "fpath=($PWD/functions ${fpath:#*vendor*})\nautoload -U compinit\ncompinit -u -D";
        let all = "zle -C all-matches complete-word _generic\nbindkey '^[*' all-matches\n\
                   zstyle ':completion:all-matches::::' completer _all_matches _complete\n\
                   zstyle ':completion:all-matches:*' insert true";
        let said = "said() { print -r -- \"$BUFFER\" >>said; BUFFER= }\nzle -N said\nbindkey '^G' said";
        self.write(".zshrc", &format!("{paths}\n{loads}\n{all}\n{said}\nPS1={READY}\nunsetopt beep\n"));
        self.type_all("zsh -d -i", lines)
    }

    /// Types each line into a shell, has it insert all completions of the last word, and returns what these are.
    fn type_all(&self, shell: &str, lines: &[&str]) -> Vec<Vec<String>> {
        let said = self.path().join("said");
        fs::write(&said, "").unwrap();
        let mut script = Command::new("script");
        script.args(["--quiet", "--command", shell, "/dev/null"]).current_dir(self.path());
        script.env("ZDOTDIR", self.path()).env("TERM", "xterm").env_remove("PROMPT_COMMAND");
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(READY) {
            let mut bytes = [0; 1024];
            let count = screen.read(&mut bytes).unwrap();
            assert!(count > 0, "{shell} ended: {}", String::from_utf8_lossy(&shown));
            shown.extend(&bytes[..count]);
        }
        let drain = std::thread::spawn(move || std::io::copy(&mut screen, &mut std::io::sink()));
        for (index, line) in lines.iter().enumerate() {
            write!(keys, "{line}\x1b*\x07").unwrap();
            let began = Instant::now();
            while fs::read_to_string(&said).unwrap().lines().count() <= index {
                assert!(began.elapsed() < Duration::from_secs(20), "{shell} says nothing to `{line}`");
                sleep(Duration::from_millis(10));
            }
        }
        write!(keys, "exit\r").unwrap();
        drop(keys);
        script.wait().unwrap();
        drain.join().unwrap().unwrap();
        let said = fs::read_to_string(&said).unwrap();
        lines.iter().zip(said.lines()).map(|(line, whole)| completions(line, whole)).collect()
    }

    fn fish(&self, lines: &[&str]) -> Vec<Vec<String>> {
        let complete = |line: &&str| {
            let mut fish = Command::new("fish");
            fish.args(["-c", &format!("complete -C '{line}'")]).current_dir(self.path());
            let said = run(fish.env("XDG_CONFIG_HOME", self.path().join(".config")));
            sorted(said.lines().map(|line| line.split('\t').next().unwrap_or_default()))
        };
        lines.iter().map(complete).collect()
    }
}

/// What `line` was completed to, which `whole` has all of in the place of its last word.
fn completions(line: &str, whole: &str) -> Vec<String> {
    let before = line.rfind(' ').unwrap() + 1;
    // zsh writes the = of a flag that takes a value.
    let words = whole[before..].split_whitespace().map(|word| word.trim_end_matches('='));
    sorted(words.filter(|word| *word != &line[before..]))
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words = words.map(str::to_owned).collect::<Vec<_>>();
    words.sort();
    words
}

/// Checks what a shell made of [`OURS`], which `complete` has it do.
fn check_ours(complete: impl Fn(&[&str]) -> Vec<Vec<String>>) {
    let completed = complete(&OURS.map(|(line, _)| line));
    for ((line, expected), completed) in OURS.iter().zip(&completed) {
        assert_eq!(completed, expected, "of `{line}`");
    }
    assert_eq!(completed.len(), OURS.len());
}

/// Checks that cargo's own words are `before` with our script as well, and that there are some.
fn check_cargo(before: &[Vec<String>], with_ours: &[Vec<String>]) {
    assert!(before[0].contains(&"build".to_owned()), "{before:?}");
    assert_eq!(with_ours, before);
}

fn bash_completes_cargo_xtask() {
    let home = Home::new();
    home.script("bash", "ours.bash");
    check_ours(|lines| home.bash(". ./ours.bash", lines));
}

fn bash_knows_lists() {
    let home = Home::new();
    home.script("bash", "ours.bash");
    let lines = ["cargo xtask build --platform linux/amd64,linux/ar", "cargo xtask build --backend=sqlite,p"];
    let completed = home.bash(". ./ours.bash", &lines);
    assert_eq!(completed, [["linux/amd64,linux/arm64"], ["--backend=sqlite,postgres"]]);
}

fn bash_knows_cargo_as_before() {
    let home = Home::new();
    home.script("bash", "ours.bash");
    home.rustup("bash", "rustup.bash");
    let first = format!(". {BASH_COMPLETION}");
    let before = home.bash(&format!("{first}; . ./rustup.bash"), &OF_CARGO);
    // The last one leaves it to bash-completion, which has rustup's, or one of its own.
    for loads in [". ./rustup.bash; . ./ours.bash", ". ./ours.bash; . ./rustup.bash", ". ./ours.bash"] {
        let loads = format!("{first}; {loads}");
        check_ours(|lines| home.bash(&loads, lines));
        if loads.contains("rustup") {
            check_cargo(&before, &home.bash(&loads, &OF_CARGO));
        } else {
            assert_eq!(home.bash(&loads, &OF_CARGO), home.bash(&first, &OF_CARGO));
        }
    }
}

fn zsh_completes_cargo_xtask() {
    let home = Home::new();
    home.script("zsh", "functions/_cargo-xtask");
    check_ours(|lines| home.zsh("", lines));
    fs::rename(home.path().join("functions/_cargo-xtask"), home.path().join("ours.zsh")).unwrap();
    check_ours(|lines| home.zsh(". ./ours.zsh", lines));
}

fn zsh_knows_cargo_as_before() {
    let home = Home::new();
    home.rustup("zsh", "functions/_cargo");
    let before = home.zsh("", &OF_CARGO);
    home.script("zsh", "ours.zsh");
    check_cargo(&before, &home.zsh(". ./ours.zsh", &OF_CARGO));
    home.script("zsh", "functions/_cargo-xtask");
    check_cargo(&before, &home.zsh("", &OF_CARGO));
    check_ours(|lines| home.zsh("", lines));
}

fn fish_completes_cargo_xtask() {
    let home = Home::new();
    home.script("fish", ".config/fish/conf.d/cargo-xtask.fish");
    check_ours(|lines| home.fish(lines));
}

fn fish_knows_cargo_as_before() {
    let home = Home::new();
    let before = home.fish(&OF_CARGO);
    home.script("fish", ".config/fish/conf.d/cargo-xtask.fish");
    check_cargo(&before, &home.fish(&OF_CARGO));
}
