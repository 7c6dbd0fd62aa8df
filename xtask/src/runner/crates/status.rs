//! What cargo says to people on standard error, as far as it tells when a crate begins and which one fails.

use std::borrow::Cow;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status<'a> {
    /// The first unit of a package that has to be compiled begins. Cargo says so once for each package.
    Begins {
        /// The package.
        package: &'a str,
        /// Its version.
        version: &'a str,
    },
    /// A unit could not be compiled, or a build script failed.
    Failed {
        /// The package.
        package: &'a str,
        /// The target's name; none where it is the library's.
        target: Option<&'a str>,
        /// As messages call it, or `run-custom-build`.
        kind: &'a str,
        /// Whether it is compiled as a test.
        test: bool,
    },
}

impl<'a> Status<'a> {
    /// Reads a line without colours.
    pub(super) fn parse(line: &'a str) -> Option<Status<'a>> {
        match line.strip_prefix("error: ") {
            Some(error) => not_compiled(error).or_else(|| not_run(error)),
            None => begins(line),
        }
    }
}

/// Cargo puts its verbs at the right of 12 columns.
fn begins(line: &str) -> Option<Status<'_>> {
    let rest = ["   Compiling ", "    Checking "].iter().find_map(|verb| line.strip_prefix(verb))?;
    let mut words = rest.split(' ');
    let (package, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some(Status::Begins { package, version })
}

/// ``could not compile `app` (bin "app" test) due to 1 previous error``
fn not_compiled(error: &str) -> Option<Status<'_>> {
    let (package, rest) = error.strip_prefix("could not compile `")?.split_once('`')?;
    let (what, _) = rest.strip_prefix(" (")?.split_once(')')?;
    let target = what.split('"').nth(1);
    let kind = if what == "build script" { "custom-build" } else { what.split(' ').next()? };
    Some(Status::Failed { package, target, kind, test: kind == "test" || what.ends_with(" test") })
}

/// ``failed to run custom build command for `base v0.3.1 (/src/base)` ``
fn not_run(error: &str) -> Option<Status<'_>> {
    let (package, _) = error.strip_prefix("failed to run custom build command for `")?.split_once(' ')?;
    Some(Status::Failed { package, target: None, kind: "run-custom-build", test: false })
}

/// `line` without
/// [SGR](https://www.ecma-international.org/publications-and-standards/standards/ecma-48/) sequences: colours.
pub(super) fn without_colours(line: &str) -> Cow<'_, str> {
    if !line.contains("\x1b[") {
        return Cow::Borrowed(line);
    }
    let mut parts = line.split("\x1b[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        text += part[end..].strip_prefix('m').unwrap_or(&part[end..]);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_begin_a_crate_are_known() {
        let begins = |package, version| Some(Status::Begins { package, version });
        for (line, expected) in [
            ("   Compiling serde v1.0.2", begins("serde", "1.0.2")),
            ("    Checking demo-app v0.1.0 (/src/app)", begins("demo-app", "0.1.0")),
            ("   Compiling two words", None),
            ("Compiling serde v1.0.2", None),
            ("    Finished `dev` profile [unoptimized] target(s) in 0.77s", None),
        ] {
            assert_eq!(Status::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_that_tell_of_a_failure_are_known() {
        for (what, target, kind, test) in [
            ("lib", None, "lib", false),
            ("lib test", None, "lib", true),
            ("bin \"x\"", Some("x"), "bin", false),
            ("bin \"x\" test", Some("x"), "bin", true),
            ("test \"it\"", Some("it"), "test", true),
            ("build script", None, "custom-build", false),
        ] {
            let line = format!("error: could not compile `app` ({what}) due to 1 previous error");
            let package = "app";
            assert_eq!(Status::parse(&line), Some(Status::Failed { package, target, kind, test }), "{line}");
        }
        assert_eq!(Status::parse("error: could not find `Cargo.toml`"), None);
    }

    #[test]
    fn colours_are_left_out() {
        let line = "\x1b[1m\x1b[92m   Compiling\x1b[0m base v0.3.1 (/src/base)";
        assert_eq!(without_colours(line), "   Compiling base v0.3.1 (/src/base)");
        assert_eq!(without_colours("\x1b[\x1b[3é\x1b["), "é");
        assert!(matches!(without_colours("plain"), Cow::Borrowed("plain")));
    }
}
