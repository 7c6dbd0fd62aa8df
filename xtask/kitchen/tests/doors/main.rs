//! The program itself: where it listens, for whom, and how a browser comes in.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../tests/markdown/mod.rs"]
mod markdown;
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use markdown::document;
use program::Program;
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// On Linux, all of 127.0.0.0/8 is this machine.
const OTHERS: &str = "127.0.0.2:0";

#[test]
fn others_come_by_tls_and_with_a_token_of_their_own() {
    let project = Program::project();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["kitchen.test".to_owned()]).unwrap();
    fs::write(project.path().join("chain.pem"), cert.pem()).unwrap();
    fs::write(project.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
    let flags = ["--host", OTHERS, "--name=kitchen.test", "--tls-cert=chain.pem", "--tls-key=key.pem"];
    let program = Program::open(&project, &flags);
    let [here, others] = &program.entrances[..] else { panic!("{:?}", program.entrances) };
    assert!(here.starts_with("http://127.0.0.1:") && others.starts_with("https://kitchen.test:"), "{others}");

    let (origin, token) = others.split_once("/enter#").unwrap();
    let authority = origin.trim_start_matches("https://");
    let port = authority.rsplit_once(':').unwrap().1;
    let ask = |host: &str, more: &str, body: &str| {
        let head = format!("POST /enter HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}");
        let length =
            format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        program::over_tls(&format!("127.0.0.2:{port}"), cert.der(), &format!("{head}{length}"))
    };
    let body = format!("{{\"token\":\"{token}\"}}");
    let page = format!("origin: {origin}\r\n");
    assert!(ask("evil.example", &page, &body).starts_with("HTTP/1.1 421 "));
    assert!(ask(authority, &format!("origin: http://{authority}\r\n"), &body).starts_with("HTTP/1.1 403 "));
    let entered = ask(authority, &page, &body);
    assert!(entered.starts_with("HTTP/1.1 204 "), "{entered}");
    assert!(entered.contains("; HttpOnly; SameSite=Strict; Path=/; Secure\r\n"), "{entered}");
    assert!(ask(authority, &page, &body).starts_with("HTTP/1.1 401 "), "a token is for once");
    // Without TLS there is nobody.
    let plain = program::ask(&format!("127.0.0.2:{port}"), "GET / HTTP/1.1\r\nhost: kitchen.test\r\n\r\n");
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
}

#[test]
fn others_do_not_come_by_accident() {
    let project = Program::project();
    let refused = |flags: &[&str]| {
        let output = Program::command(&project, flags).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--host", OTHERS]).contains("--tls-cert <FILE>|--insecure"));
    assert!(refused(&["--insecure"]).contains("--host"));
    assert!(refused(&["--host=0.0.0.0", "--insecure"]).contains("say by --name which one others ask for"));
    assert!(refused(&["--host", OTHERS, "--insecure", "--name=a/b"]).contains("letters, digits"));
    let missing = refused(&["--host", OTHERS, "--tls-cert=none.pem", "--tls-key=none.pem"]);
    assert!(missing.contains("none.pem"), "{missing}");
    fs::write(project.path().join("not.pem"), "x").unwrap();
    let wrong = refused(&["--host", OTHERS, "--tls-cert=not.pem", "--tls-key=not.pem"]);
    assert!(wrong.contains("not.pem"), "{wrong}");

    let program = Program::open(&project, &["--host", OTHERS, "--insecure"]);
    let [_, others] = &program.entrances[..] else { panic!("{:?}", program.entrances) };
    let authority = others.trim_start_matches("http://").split('/').next().unwrap();
    assert!(authority.starts_with("127.0.0.2:"), "{authority}");
    let answer =
        program::ask(authority, &format!("GET / HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 401 "), "the token is needed all the same: {answer}");
}

#[test]
fn without_a_flag_nobody_else_is_listened_to() {
    let project = Program::project();
    let program = Program::open(&project, &[]);
    let listening = Command::new("ss").args(["-Hltnp"]).output();
    let Ok(listening) = listening else { return eprintln!("skipped: ss is not installed") };
    let text = String::from_utf8(listening.stdout).unwrap();
    let own = format!("pid={},", program.id());
    let own: Vec<_> = text.lines().filter(|line| line.contains(&own)).collect();
    assert_eq!(own.len(), 1, "{text}");
    assert!(own[0].contains(" 127.0.0.1:"), "{own:?}");
}

#[test]
fn a_second_one_says_where_the_first_is_or_lets_a_browser_in() {
    let project = Program::project();
    let program = Program::open(&project, &[]);
    let url = program.entrances[0].split("/enter").next().unwrap().to_owned();
    let second = Program::command(&project, &[]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    let expected = format!(
        "error: the Kitchen of this project runs already: {url} (process {}); --open lets a browser in\n",
        program.id()
    );
    assert_eq!((second.status.code(), said), (Some(1), expected));

    let opened = Program::command(&project, &["--open"]).output().unwrap();
    let said = String::from_utf8(opened.stdout).unwrap();
    let entrance = said.split_whitespace().find(|word| word.contains("/enter#")).unwrap();
    assert!(opened.status.success() && entrance.starts_with(&url), "{said}");
    assert_ne!(entrance, program.entrances[0]);
    assert_eq!(program::content(&project.path().join("opened")), entrance, "the browser was given it");
}

#[test]
fn secrets_are_in_nothing_that_is_kept() {
    const SECRETS: [(&str, &str); 2] =
        [("CARGO_REGISTRY_TOKEN", "t0k3n-of-mine"), ("DATABASE_URL", "mysql://me:pa55word@db/app")];
    let project = Program::project();
    program::script(
        &project.path().join("cargo"),
        r#"[ "$2" != ci ] || { echo '{"backends":[],"platforms":[]}'; exit; }
        echo "{\"v\":1,\"event\":\"step-started\",\"step\":\"a\",\"why\":\"$CARGO_REGISTRY_TOKEN\"}"
        echo "{\"v\":1,\"event\":\"output\",\"step\":\"a\",\"line\":\"$DATABASE_URL\"}"
        echo "$CARGO_REGISTRY_TOKEN" >&2
        echo "{\"v\":1,\"event\":\"error\",\"message\":\"$CARGO_REGISTRY_TOKEN\"}"
        exit 1"#,
    );
    let program = Program::open_with(Program::command(&project, &[]).envs(SECRETS));
    let ask = |request: &str| program.ask(&project, request, "{}");
    assert!(ask("POST /api/builds").starts_with("HTTP/1.1 201 "));
    while !ask("GET /api/builds/1").contains("\"status\":\"failed\"") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = ask("GET /api/builds/1/log");
    for line in ["a > ***", "a | mysql://me:***@db/app", "***", "error: ***"] {
        assert!(log.lines().any(|shown| shown == line), "{line}: {log}");
    }
    let token = program.entrances[0].rsplit_once('#').unwrap().1.to_owned();
    drop(program);
    let mut files = 0;
    for file in program::files(&project.path().join(".kitchen")) {
        let content = fs::read(&file).unwrap();
        for secret in ["t0k3n-of-mine", "pa55word", &token] {
            let is_there = content.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
            assert!(!is_there, "{secret} in {}", file.display());
        }
        files += 1;
    }
    assert!(files >= 4, "log, events, history and key: {files}");
}

#[test]
fn a_shell_follows_a_build_to_its_end_and_exports_it() {
    let project = Program::project();
    program::script(
        &project.path().join("cargo"),
        r#"[ "$2" != ci ] || { echo '{"backends":[],"platforms":[]}'; exit; }
        for line in one two three; do echo "$line"; sleep 0.3; done
        [ "$2" = bd ]"#,
    );
    let program = Program::open(&project, &[]);
    let shell = |arguments: &[&str]| {
        let output = Program::shell(&project, arguments).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    for task in ["bd", "build"] {
        let answer = program.ask(&project, "POST /api/builds", &format!("{{\"task\":\"{task}\"}}"));
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    assert_eq!(shell(&["logs", "1", "--follow"]), (Some(0), "one\ntwo\nthree\n".to_owned()));
    assert_eq!(
        shell(&["logs", "2", "-f"]),
        (Some(1), "one\ntwo\nthree\nerror: build 2: failed\n".to_owned())
    );
    assert_eq!(shell(&["logs", "1"]), (Some(0), "one\ntwo\nthree\n".to_owned()));
    assert_eq!(shell(&["logs", "9"]), (Some(1), "error: There is nothing here.\n".to_owned()));
    let history = shell(&["export"]).1;
    assert!(history.lines().count() == 2 && history.starts_with(r#"{"build":{"id":2,"#), "{history}");
    assert!(shell(&["export", "1"]).1.starts_with(r#"{"build":{"id":1,"#));
    assert_eq!(shell(&["export", "9"]), (Some(1), "error: There is nothing here.\n".to_owned()));
    assert!(shell(&["builds"]).1.contains("2  failed       cargo xtask build\n"));
    drop(program);
    assert!(shell(&["logs", "1"]).1.starts_with("error: no Kitchen runs for this project"));
}

/// The command of docs/kitchen.md, at the port that this one has.
#[test]
fn a_shell_asks_as_the_documentation_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let [shown] = &document(root, "docs/kitchen.md").commands_of("curl ")[..] else { panic!("one command") };
    let project = Program::project();
    let program = Program::open(&project, &[]);
    let authority = program.entrances[0].trim_start_matches("http://").split('/').next().unwrap();
    assert!(shown.command.contains("127.0.0.1:4848"), "{}", shown.command);
    let line = shown.command.replace("127.0.0.1:4848", authority);
    let output = Command::new("sh").args(["-c", &line]).current_dir(&project).env("no_proxy", "*").output();
    let output = output.unwrap();
    if output.status.code() == Some(127) {
        return eprintln!("skipped: curl is not installed");
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), "[]", "{}", String::from_utf8_lossy(&output.stderr));
}
