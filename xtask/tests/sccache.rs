//! Compilation that hosts share, from the outside: two hosts, which are network namespaces, and a Redis between them.
//!
//! Needs root on Linux, `ip`, `redis-server` and sccache. Where they are not there, that is said, and the tests count as
//! ignored. The first host compiles the whole service, which takes minutes; the crates come from cargo's home.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[path = "sccache/hosts.rs"]
mod hosts;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use hosts::{CACHE, Host, Lan, PASSWORD, PORT};
use libtest_mimic::{Arguments, Failed, Trial};
use support::{clean, events, has, root, run};

/// Where every host has its checkout: sccache tells the same sources in other folders apart.
const CHECKOUT: &str = "checkout";

fn main() -> ExitCode {
    let trials = vec![
        trial("a_cache_that_does_not_answer_is_done_without", a_cache_that_does_not_answer_is_done_without),
        trial("what_one_host_compiled_the_next_one_need_not", what_one_host_compiled_the_next_one_need_not),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    let skip = missing();
    if let Some(why) = &skip {
        eprintln!("skipped: {name}: {why}");
    }
    Trial::test(name, test).with_ignored_flag(skip.is_some())
}

fn missing() -> Option<String> {
    let lacks = ["sccache", "redis-server", "ip", "git"].into_iter().find(|program| !has(program));
    let no_hosts = || (!hosts::work()).then(|| "this user cannot make network namespaces".to_owned());
    lacks.map(|program| format!("{program} is not installed")).or_else(no_hosts)
}

/// What sccache counted on a host.
fn statistics(host: &Host, socket: &Path) -> serde_json::Value {
    let output = run(host.command("sccache").env("SCCACHE_SERVER_UDS", socket).args([
        "--show-stats",
        "--stats-format",
        "json",
    ]));
    serde_json::from_str(&output).unwrap()
}

fn count(statistics: &serde_json::Value, what: &str) -> u64 {
    let counts = statistics["stats"][what]["counts"].as_object().unwrap();
    counts.values().map(|count| count.as_u64().unwrap()).sum()
}

fn a_cache_that_does_not_answer_is_done_without() -> Result<(), Failed> {
    let lan = Lan::start();
    let host = lan.host(0);
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("socket");
    let bring_up = |url: &str, password: Option<&str>| {
        let mut command = host.command(env!("CARGO_BIN_EXE_xtask"));
        command.args(["sccache", url]).env("SCCACHE_SERVER_UDS", &socket).env("HOME", folder.path());
        command.envs(password.map(|password| ("SCCACHE_REDIS_PASSWORD", password)));
        let output = command.output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains(PASSWORD) && !said.contains("wrong-one"), "{said}");
        (said, statistics(&host, &socket)["cache_location"].to_string())
    };

    let cache = format!("redis://{CACHE}:{PORT}");
    let (said, location) = bring_up(&cache, Some(PASSWORD));
    assert!(said.is_empty() && location.contains(&cache), "{said}{location}");
    let nobody = format!("redis://{CACHE}:1");
    let without = [
        (&cache, None, "it wants a password; set SCCACHE_REDIS_PASSWORD"),
        (&cache, Some("wrong-one"), "it refuses the password in SCCACHE_REDIS_PASSWORD"),
        (&nobody, Some(PASSWORD), "Connection refused (os error 111)"),
    ];
    for (url, password, reason) in without {
        let (said, location) = bring_up(url, password);
        assert_eq!(said, format!("warning: compiling without the cache {url}: {reason}\n"));
        assert!(location.contains("Local disk"), "{location}");
        fs::write(folder.path().join("lib.rs"), "pub fn one() -> u8 { 1 }")?;
        let mut compile = host.command_in(folder.path(), "sccache");
        compile.args(["rustc", "--crate-type", "lib", "lib.rs"]);
        run(compile.env("SCCACHE_SERVER_UDS", &socket).env("SCCACHE_REDIS_ENDPOINT", url));
    }
    // The one before keeps no settings.
    assert_eq!(bring_up(&cache, Some(PASSWORD)).0, "");
    Ok(())
}

/// What is committed and what is not yet, in a clone of its own that shares compilations through the Redis.
fn clone_into(folder: &Path) {
    run(Command::new("git").args(["clone", "--quiet"]).arg(root()).arg(folder));
    let mut files = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pack = Command::new("tar")
        .args(["--null", "--ignore-failed-read", "--files-from", "-", "--create"])
        .current_dir(root())
        .stdin(files.stdout.take().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    run(Command::new("tar").arg("-x").current_dir(folder).stdin(pack.stdout.take().unwrap()));
    assert!(files.wait().unwrap().success() && pack.wait().unwrap().success());
    let pipeline = folder.join("config/pipeline.toml");
    let text = fs::read_to_string(&pipeline).unwrap();
    let (before, after) = text.split_once("\n[cache]").unwrap();
    fs::write(pipeline, format!("{before}\n[cache]\nsccache = 'redis://{CACHE}:{PORT}'{after}")).unwrap();
}

/// Builds on `host`, and returns the SHA-256 of the binary and what sccache counted. The password is nowhere to be seen.
fn build(host: &Host, checkout: &Path) -> (serde_json::Value, serde_json::Value) {
    let xtask = |args: &[&str]| {
        let mut command = clean(host.command_in(checkout, "cargo"));
        command.args(["xtask", "build", "--message-format", "json"]).args(args);
        command.env_remove("CARGO_TARGET_DIR").env("CARGO_NET_OFFLINE", "true");
        let output = command.env("SCCACHE_REDIS_PASSWORD", PASSWORD).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        assert!(!said.contains(PASSWORD) && !errors.contains(PASSWORD), "{said}\n{errors}");
        said
    };
    let plan = xtask(&["--dry-run"]);
    assert!(plan.contains(&format!("\"SCCACHE_REDIS_ENDPOINT\":\"redis://{CACHE}:{PORT}\"")), "{plan}");
    let said = xtask(&[]);
    assert!(!said.contains("warning: compiling without"), "{said}");
    let artifact = events(&said).into_iter().find(|event| event["event"] == "artifact").unwrap();
    (artifact["sha256"].clone(), statistics(host, &checkout.join("target/sccache.sock")))
}

fn what_one_host_compiled_the_next_one_need_not() -> Result<(), Failed> {
    let lan = Lan::start();
    let folder = tempfile::tempdir()?;
    let checkout = folder.path().join(CHECKOUT);
    fs::create_dir(&checkout)?;
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    [&first, &second].into_iter().for_each(|clone| clone_into(clone));

    let host = lan.host(0);
    host.mount(&first, &checkout);
    let (compiled, statistics) = build(&host, &checkout);
    assert!(count(&statistics, "cache_misses") > 100, "{statistics}");
    drop(host);

    let host = lan.host(1);
    host.mount(&second, &checkout);
    // xtask and its engine, which do not go through the cache: all else of the target folder is new.
    let tools = "target/debug";
    fs::create_dir_all(second.join(tools))?;
    host.mount(&first.join(tools), &checkout.join(tools));
    let (found, statistics) = build(&host, &checkout);
    let [hits, misses] = ["cache_hits", "cache_misses"].map(|what| count(&statistics, what));
    eprintln!("hits of the second host: {hits} of {}", hits + misses);
    assert!(hits > 100 && hits * 10 >= (hits + misses) * 9, "{statistics}");
    assert_eq!(found, compiled);
    Ok(())
}
