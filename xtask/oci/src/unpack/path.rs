//! Paths in layers: bytes, because Linux asks no more of a name.

use anyhow::{Result, ensure};

use super::PATH_MAX;

/// Makes `./a`, `a/`, `//a` and `/a` the same absolute path, `/a`. The root is `/`.
///
/// # Errors
/// The path has `..` in it, is longer than [`PATH_MAX`], or is empty.
pub(super) fn normalise(name: &[u8]) -> Result<Vec<u8>> {
    ensure!(!name.is_empty(), "an entry has no name; use another image");
    ensure!(!name.contains(&0), "the path `{}` holds a NUL; use another image", brief(name));
    let mut path = Vec::with_capacity(name.len() + 1);
    for part in name.split(|byte| *byte == b'/').filter(|part| !matches!(part, [] | [b'.'])) {
        ensure!(part != b"..", "the path `{}` leads elsewhere by `..`; use another image", brief(name));
        path.push(b'/');
        path.extend(part);
    }
    ensure!(
        path.len() <= PATH_MAX,
        "the path `{}` is longer than {PATH_MAX} bytes; use another image",
        brief(&path)
    );
    if path.is_empty() {
        path.push(b'/');
    }
    Ok(path)
}

/// The folder that a normal path is in, and its own name. The root is in itself and has no name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    let name = path.get(slash + 1..).unwrap_or_default();
    (if slash == 0 { b"/" } else { &path[..slash] }, name)
}

/// The path of `name` in `folder`, both normal.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    [folder, b"/", name].concat()
}

/// How messages show bytes: as text where they are text, and nothing that a terminal would obey.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                text.extend(letter.escape_debug());
            } else {
                text.push(letter);
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// As [`shown()`], but no more than a line of what may be a mebibyte.
pub(super) fn brief(bytes: &[u8]) -> String {
    const LENGTH: usize = 80;
    match bytes.split_at_checked(LENGTH) {
        Some((start, rest)) if !rest.is_empty() => format!("{}…", shown(start)),
        _ => shown(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_path() {
        for name in ["a/b", "./a/b", "/a/b", "a/b/", "//a/./b//", "././a//b/."] {
            assert_eq!(normalise(name.as_bytes()).unwrap(), b"/a/b", "{name}");
        }
        for name in [".", "./", "/", "//", "/./"] {
            assert_eq!(normalise(name.as_bytes()).unwrap(), b"/", "{name}");
        }
        assert_eq!(normalise(b"..a/b../...").unwrap(), b"/..a/b../...");
    }

    #[test]
    fn what_leads_elsewhere_is_named() {
        let long = [b'x'; PATH_MAX];
        for (name, message) in [
            (&b"../a"[..], "the path `../a` leads elsewhere by `..`; use another image"),
            (b"a/../b", "the path `a/../b` leads elsewhere by `..`; use another image"),
            (b"/..", "the path `/..` leads elsewhere by `..`; use another image"),
            (b"a\0b", "the path `a\\0b` holds a NUL; use another image"),
            (b"", "an entry has no name; use another image"),
            (&long, &format!("the path `/{}…` is longer than 4096 bytes; use another image", "x".repeat(79))),
        ] {
            assert_eq!(normalise(name).unwrap_err().to_string(), message);
        }
        assert_eq!(normalise(&long[1..]).unwrap().len(), PATH_MAX);
    }

    #[test]
    fn paths_come_apart_and_together() {
        for (path, folder, name) in [("/a/b/c", "/a/b", "c"), ("/a", "/", "a")] {
            let (path, folder, name) = (path.as_bytes(), folder.as_bytes(), name.as_bytes());
            assert_eq!(split(path), (folder, name));
            assert_eq!(join(folder, name), path);
        }
        assert_eq!(split(b"/"), (&b"/"[..], &b""[..]));
    }

    #[test]
    fn messages_hold_no_control_characters() {
        assert_eq!(shown("häuser".as_bytes()), "häuser");
        assert_eq!(shown(b"a\x1b[31m\xff\n"), "a\\u{1b}[31m\\xff\\n");
    }
}
