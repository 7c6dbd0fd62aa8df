//! On which port a service listens, as far as its sources say so.

use std::fs;

use anyhow::Result;

use super::project::Project;
use super::service::Service;
use super::sources::{code, place, read};

/// A port, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) port: u16,
    /// File and line, from the root of the project.
    pub(super) place: String,
    /// Whether only programs in the same container could reach it there.
    pub(super) is_loopback: bool,
}

/// How sure a line makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// A number where a port is spoken of.
    Named,
    /// The address of this machine and a port.
    Loopback,
    /// Any address and a port.
    Any,
}

/// Words that stand before a port in an address, and how sure they make it.
const HOSTS: [(&str, Likely); 7] = [
    ("0.0.0.0:", Likely::Any),
    ("[::]:", Likely::Any),
    ("[0,0,0,0],", Likely::Any),
    ("127.0.0.1:", Likely::Loopback),
    ("localhost:", Likely::Loopback),
    ("[::1]:", Likely::Loopback),
    ("[127,0,0,1],", Likely::Loopback),
];

/// Looks into the sources of the service, then into those of the other packages, and into a Dockerfile.
///
/// # Errors
/// A source cannot be read.
pub(super) fn find(project: &Project, service: &Service) -> Result<Option<Found>> {
    let own = project.root.join(&service.path).join("src");
    let others = project.packages.iter().map(|package| package.folder().join("src"));
    for folder in [own].into_iter().chain(others) {
        let mut best: Option<(Likely, Found)> = None;
        for (path, text) in read(&folder)? {
            let Some((likely, line, port)) = in_source(&text) else { continue };
            if best.as_ref().is_none_or(|(known, _)| likely > *known) {
                let is_loopback = likely == Likely::Loopback;
                best = Some((likely, Found { port, place: place(project, &path, line), is_loopback }));
            }
        }
        if let Some((_, found)) = best {
            return Ok(Some(found));
        }
    }
    let path = project.root.join("Dockerfile");
    let text = fs::read_to_string(&path).unwrap_or_default();
    Ok(exposed(&text).map(|(line, port)| Found {
        port,
        place: place(project, &path, line),
        is_loopback: false,
    }))
}

/// The likeliest port of a source, with its line; the first of several.
fn in_source(text: &str) -> Option<(Likely, usize, u16)> {
    let mut best: Option<(Likely, usize, u16)> = None;
    let lines: Vec<_> = code(text).collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((likely, port)) = in_line(line, &around(&lines, index)) else { continue };
        if best.is_none_or(|(known, ..)| likely > known) {
            best = Some((likely, index + 1, port));
        }
    }
    best
}

/// What a line is about: an attribute the line after it, and one of a chain those before it.
fn around(lines: &[&str], index: usize) -> String {
    let begins =
        |index: usize, what: &str| lines.get(index).is_some_and(|line| line.trim_start().starts_with(what));
    let mut first = index;
    while first > 0 && begins(first, ".") {
        first -= 1;
    }
    let last = if begins(index, "#[") { index + 1 } else { index };
    lines.iter().skip(first).take(last + 1 - first).copied().collect()
}

fn in_line(line: &str, around: &str) -> Option<(Likely, u16)> {
    let dense: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    for (host, likely) in HOSTS {
        for (at, _) in dense.match_indices(host) {
            // What it connects to is not what it listens on.
            if let Some(port) = number(&dense[at + host.len()..]).filter(|_| !is_url(&dense[..at])) {
                return Some((likely, port));
            }
        }
    }
    let constants = [("UNSPECIFIED", Likely::Any), ("LOCALHOST", Likely::Loopback)];
    for (constant, likely) in constants {
        if let Some((_, rest)) = dense.split_once(constant) {
            let rest = rest
                .trim_start_matches([')', '(', '.'])
                .trim_start_matches("into")
                .trim_start_matches(['(', ')']);
            if let Some(port) = rest.strip_prefix(',').and_then(number) {
                return Some((likely, port));
            }
        }
    }
    let marks = ["unwrap_or", "default_value", "u16=", "default="];
    let is_default = marks.iter().any(|mark| dense.contains(mark));
    if !is_default || !speaks_of_port(around) {
        return None;
    }
    let numbers = dense.split(|c: char| !c.is_ascii_digit() && c != '_').filter_map(number);
    // Smaller ones are versions, sizes and the like.
    numbers.filter(|port| *port >= 80).map(|port| (Likely::Named, port)).next()
}

/// Whether there is the word, in one of the ways in which names are made of words: `PORT`, `http_port`, `listenPort`.
fn speaks_of_port(text: &str) -> bool {
    text.to_ascii_lowercase().match_indices("port").any(|(at, _)| {
        let first_is_capital = text[at..].starts_with(char::is_uppercase);
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphabetic() || (first_is_capital && c.is_lowercase()))
    })
}

/// Whether what comes next is a host in a URL.
fn is_url(before: &str) -> bool {
    before.ends_with("//") || before.ends_with('@')
}

/// The port at the beginning of a text.
fn number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let rest = &text[end..];
    let port = text[..end].replace('_', "").parse().ok().filter(|port| *port > 0)?;
    (!rest.starts_with('.') || rest.starts_with("..")).then_some(port)
}

fn exposed(dockerfile: &str) -> Option<(usize, u16)> {
    dockerfile.lines().enumerate().find_map(|(index, line)| {
        let mut words = line.split_whitespace();
        let is_expose = words.next().is_some_and(|word| word.eq_ignore_ascii_case("EXPOSE"));
        let port = words.next().filter(|_| is_expose)?.split('/').next()?.parse().ok()?;
        Some((index + 1, port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(Likely, usize, u16)>) {
        assert_eq!(in_source(text), expected, "{text}");
    }

    #[test]
    fn addresses_are_found_in_the_ways_that_people_write_them() {
        for line in [
            "let listener = TcpListener::bind(\"0.0.0.0:3000\").await?;",
            "let address = SocketAddr::from(([0, 0, 0, 0], 3000));",
            "let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 3000);",
            "let address = (Ipv4Addr::UNSPECIFIED, 3000);",
            "let address = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 3_000);",
            "#[arg(long, env, default_value = \"[::]:3000\")]",
        ] {
            check(line, Some((Likely::Any, 1, 3000)));
        }
        for line in ["bind(\"127.0.0.1:3000\")", "([127, 0, 0, 1], 3000)", "(Ipv4Addr::LOCALHOST, 3000)"] {
            check(line, Some((Likely::Loopback, 1, 3000)));
        }
    }

    #[test]
    fn a_default_is_one_if_it_is_that_of_a_port() {
        for line in [
            "let port = env::var(\"PORT\").unwrap_or_else(|_| \"3000\".to_owned());",
            "const PORT: u16 = 3000;",
            "#[arg(long, default_value_t = 3000)]\nport: u16,",
        ] {
            check(line, Some((Likely::Named, 1, 3000)));
        }
        check(
            "let port = env::var(\"PORT\")\n    .ok()\n    .unwrap_or(3000);",
            Some((Likely::Named, 3, 3000)),
        );
        check("#[arg(long, default_value_t = 3000)]\nlimit: u16,", None);
        check("let report = limit.unwrap_or(2000);", None);
    }

    #[test]
    fn what_a_service_connects_to_is_not_its_port() {
        check("let url = \"postgres://app:app@localhost:5432/app\";", None);
        check("let api = \"http://127.0.0.1:9200\";", None);
        check("// curl 0.0.0.0:3000", None);
        check("let ntp = \"0.0.0.0:0\";", None);
        check("fn a() {}\n#[cfg(test)]\nmod tests { bind(\"0.0.0.0:3000\") }", None);
    }

    #[test]
    fn any_address_comes_before_one_of_this_machine() {
        check(
            "const PORT: u16 = 1000;\nbind(\"127.0.0.1:2000\");\nbind(\"0.0.0.0:3000\");\nbind(\"0.0.0.0:4000\");",
            Some((Likely::Any, 3, 3000)),
        );
    }

    #[test]
    fn a_dockerfile_exposes_it() {
        assert_eq!(exposed("FROM scratch\nEXPOSE 8088/tcp 9090\n"), Some((2, 8088)));
        assert_eq!(exposed("FROM scratch\nEXPOSE $PORT\n"), None);
    }
}
