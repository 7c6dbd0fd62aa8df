//! What a project can be called.
//!
//! Its name becomes that of the image, of the builder and of what `docker compose` starts: lower case, as all of those
//! want it. `template/check.rhai` has cargo-generate refuse the same names.

use anyhow::{Result, bail, ensure};

/// Words that Rust has, or that a folder of the project, a crate or Windows has already.
pub(crate) const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "app",
    "as",
    "async",
    "aux",
    "await",
    "become",
    "box",
    "break",
    "build",
    "com1",
    "con",
    "config",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "docs",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "lpt1",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "nul",
    "override",
    "priv",
    "prn",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "target",
    "template",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "xtask",
    "yield",
];

/// Longest part of a host name: RFC 1035, section 2.3.4.
pub(crate) const LONGEST: usize = 63;

/// Checks a name.
///
/// # Errors
/// When it cannot be one; says why, and what could be.
pub(crate) fn check(name: &str) -> Result<()> {
    ensure!(!name.is_empty(), "the project needs a name, such as `web-shop`");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some(bad) = name.chars().find(|&c| !allowed(c)) {
        let instead = suggestion(name);
        let such_as = if instead.is_empty() { String::new() } else { format!(", such as `{instead}`") };
        bail!("the name `{name}` has {bad:?} in it: it takes a to z, 0 to 9 and dashes{such_as}");
    }
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()),
        "the name `{name}` has to begin with a letter"
    );
    ensure!(
        !name.ends_with('-') && !name.contains("--"),
        "the name `{name}` has a dash at its end, or two in a row: use `{}`",
        suggestion(name)
    );
    ensure!(name.len() <= LONGEST, "the name `{name}` is longer than {LONGEST} characters");
    if RESERVED.contains(&name) {
        bail!("`{name}` is a reserved word: use another name, such as `{name}-service`");
    }
    Ok(())
}

// template: if is_template
/// A name for a project that is called something else: `web_shop` is `web-shop`.
pub(crate) fn like(text: &str) -> String {
    let name = suggestion(text);
    if RESERVED.contains(&name.as_str()) { format!("{name}-service") } else { name }
}

// template: end
/// The nearest name that is allowed.
fn suggestion(name: &str) -> String {
    let dashed = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let dashed: String = dashed.collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The name as a heading: `web-shop` is `Web shop`.
pub(crate) fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_images_and_hosts() {
        for name in ["a", "shop", "web-shop", "s3-proxy", "galley", &"a".repeat(63)] {
            check(name).unwrap();
        }
        for (name, error) in [
            ("", "the project needs a name, such as `web-shop`"),
            (
                "WebShop",
                "the name `WebShop` has 'W' in it: it takes a to z, 0 to 9 and dashes, such as `webshop`",
            ),
            (
                "web.shop",
                "the name `web.shop` has '.' in it: it takes a to z, 0 to 9 and dashes, such as `web-shop`",
            ),
            (
                "web shop!",
                "the name `web shop!` has ' ' in it: it takes a to z, 0 to 9 and dashes, such as `web-shop`",
            ),
            ("магазин", "the name `магазин` has 'м' in it: it takes a to z, 0 to 9 and dashes"),
            ("9lives", "the name `9lives` has to begin with a letter"),
            ("-shop", "the name `-shop` has to begin with a letter"),
            ("shop-", "the name `shop-` has a dash at its end, or two in a row: use `shop`"),
            ("web--shop", "the name `web--shop` has a dash at its end, or two in a row: use `web-shop`"),
            ("crate", "`crate` is a reserved word: use another name, such as `crate-service`"),
            ("nul", "`nul` is a reserved word: use another name, such as `nul-service`"),
        ] {
            assert_eq!(check(name).unwrap_err().to_string(), error);
        }
        let long = check(&"a".repeat(64)).unwrap_err().to_string();
        assert!(long.ends_with("is longer than 63 characters"), "{long}");
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn titles_are_for_people() {
        assert_eq!(title("web-shop"), "Web shop");
        assert_eq!(title("galley"), "Galley");
    }
}
