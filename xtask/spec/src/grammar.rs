//! What is legal in the name of an image, by the grammar of the
//! [distribution project](https://github.com/distribution/reference/blob/main/reference.go). Errors say why not.

/// The longest repository that registries accept, in bytes.
const MAX_REPOSITORY: usize = 255;

/// Whether the first part of a repository is a registry: it looks like a host name.
pub(crate) fn has_registry(text: &str) -> bool {
    let host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    text.split_once('/').is_some_and(|(first, _)| host(first))
}

pub(crate) fn check_repository(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("the repository is empty".to_owned());
    }
    if text.len() > MAX_REPOSITORY {
        return Err(format!("a repository has at most {MAX_REPOSITORY} characters"));
    }
    let mut components = text.split('/').peekable();
    let first = components.peek().copied().unwrap_or_default();
    if has_registry(text) {
        components.next();
        check_registry(first)?;
    }
    components.try_for_each(check_component)
}

fn check_registry(text: &str) -> Result<(), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_ipv6 = |host: &str| {
        host.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
    };
    if !is_ipv6(host) && !host.split('.').all(is_label) {
        return Err(format!("`{host}` is not a host name"));
    }
    // Rust reads a number with a plus before it, too.
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    match port {
        Some(port) if !is_port(port) => Err(format!("`{port}` is not a port")),
        _ => Ok(()),
    }
}

/// Letters and digits, joined by one dot, one or two underscores, or any number of dashes.
fn check_component(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a part between slashes is empty".to_owned());
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!("`{text}` has capital letters; write `{}`", text.to_ascii_lowercase()));
    }
    if let Some(c) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Err(match c {
            ':' => "a repository has no tag; give it with --tag".to_owned(),
            other => format!("{other:?} is not allowed; use a-z, 0-9 and . _ - between them"),
        });
    }
    let separators = text.split(|c: char| c.is_ascii_alphanumeric()).collect::<Vec<_>>();
    let at_an_end =
        separators.first().is_some_and(|s| !s.is_empty()) || separators.last().is_some_and(|s| !s.is_empty());
    let is_joint = |s: &&str| matches!(*s, "" | "." | "_" | "__") || s.chars().all(|c| c == '-');
    if at_an_end || !separators.iter().all(is_joint) {
        return Err(format!(
            "`{text}` must begin and end with a letter or digit, with . _ __ or - between them"
        ));
    }
    Ok(())
}

pub(crate) fn check_tag(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if text.is_empty() || text.len() > 128 || !text.chars().all(legal) || text.starts_with(['.', '-']) {
        return Err("a tag is 1 to 128 of A-Z a-z 0-9 _ . - and begins with a letter, digit or _".to_owned());
    }
    Ok(())
}

pub(crate) fn check_digest(text: &str) -> Result<(), String> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return Err("a digest is sha256: and 64 hex digits".to_owned());
    }
    Ok(())
}
