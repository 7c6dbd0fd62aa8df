//! What a registry answers in `WWW-Authenticate`, by
//! [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110.html#section-11.6.1).

use std::collections::BTreeMap;

/// One challenge: `Bearer realm="…",service="…"`.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    /// How to log in, such as `Bearer` or `Basic`, in any case.
    pub scheme: String,
    /// What it says of that, by names in small letters.
    pub parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// Reads one value of the header; `None` if it is not a challenge.
    pub fn parse(text: &str) -> Option<Challenge> {
        let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let mut parameters = BTreeMap::new();
        while let Some((name, value)) = rest.split_once('=') {
            let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
            let end = match value.strip_prefix('"') {
                Some(quoted) => quoted.find('"').map(|end| (&quoted[..end], &quoted[end + 1..])),
                None => Some(value.split_once(',').unwrap_or((value, ""))),
            };
            let (value, after) = end?;
            parameters.insert(name, value.trim().to_owned());
            rest = after;
        }
        (!scheme.is_empty()).then(|| Challenge { scheme: scheme.to_owned(), parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, Vec<(String, String)>)> {
        Challenge::parse(text).map(|challenge| (challenge.scheme, challenge.parameters.into_iter().collect()))
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parsed(
                r#"Bearer realm="https://a.example/token",service="x y", scope="repository:a/b:pull,push""#
            ),
            Some((
                "Bearer".to_owned(),
                vec![
                    pair("realm", "https://a.example/token"),
                    pair("scope", "repository:a/b:pull,push"),
                    pair("service", "x y")
                ]
            ))
        );
        assert_eq!(parsed("Basic realm=x"), Some(("Basic".to_owned(), vec![pair("realm", "x")])));
        assert_eq!(parsed("Negotiate"), Some(("Negotiate".to_owned(), vec![])));
        for broken in ["", " ", "Bearer realm=\"unfinished"] {
            assert_eq!(parsed(broken), None, "{broken}");
        }
    }
}
