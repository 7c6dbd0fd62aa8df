//! The records of a pax header, which say what the header after it has no room for.
//!
//! Format: [POSIX pax](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03), and the keys of
//! [GNU sparse files](https://www.gnu.org/software/tar/manual/html_node/PAX-1.html).

use anyhow::{Context as _, Result, ensure};

use super::path::brief;

/// What the records say of the next entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    /// Its path.
    pub(super) path: Option<Vec<u8>>,
    /// What it points to.
    pub(super) target: Option<Vec<u8>>,
    /// How many bytes of content follow.
    pub(super) size: Option<u64>,
    /// Its numeric owner.
    pub(super) uid: Option<u64>,
    /// Its numeric group.
    pub(super) gid: Option<u64>,
    /// Whether the content that follows is a sparse file's map and data.
    pub(super) is_sparse: bool,
    /// The path of a sparse file.
    pub(super) sparse_path: Option<Vec<u8>>,
    /// The size of a sparse file once its holes are filled.
    pub(super) sparse_size: Option<u64>,
}

/// Reads all records. Of two with the same key the later one counts, and an empty one counts as none.
///
/// # Errors
/// A record is malformed: then nobody can say where the next one begins.
pub(super) fn parse(mut records: &[u8]) -> Result<Pax> {
    let mut pax = Pax::default();
    while !records.is_empty() {
        let (key, value, rest) = split(records).with_context(|| {
            format!("a pax header holds `{}`, which is no record; use another image", brief(records))
        })?;
        pax.set(key, value)?;
        records = rest;
    }
    Ok(pax)
}

/// The key and the value of the first record, which says its own length, and what comes after it. Values may hold
/// anything, newlines as well: extended attributes are binary.
fn split(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&records[..space])?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    (equals > 0).then(|| (&record[..equals], &record[equals + 1..], rest))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok();
    number.filter(|number| *number <= i64::MAX.cast_unsigned())
}

impl Pax {
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.is_sparse |= key.starts_with(b"GNU.sparse.");
        match key {
            b"path" => self.path = path(key, value)?,
            b"linkpath" => self.target = path(key, value)?,
            b"size" => self.size = number(key, value)?,
            b"uid" => self.uid = number(key, value)?,
            b"gid" => self.gid = number(key, value)?,
            b"GNU.sparse.name" => self.sparse_path = path(key, value)?,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse_size = number(key, value)?,
            _ => {}
        }
        Ok(())
    }
}

fn path(key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
    ensure!(
        !value.contains(&0),
        "the {} `{}` of a pax header holds a NUL; use another image",
        brief(key),
        brief(value)
    );
    Ok(Some(value.to_vec()).filter(|value| !value.is_empty()))
}

fn number(key: &[u8], value: &[u8]) -> Result<Option<u64>> {
    if value.is_empty() {
        return Ok(None);
    }
    decimal(value).map(Some).with_context(|| {
        format!("the {} `{}` of a pax header is no number; use another image", brief(key), brief(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_length() {
        let pax = parse(
            b"30 SCHILY.xattr.user.x=1\n2=\n3\n12 path=a/b\n12 path=a=c\n10 size=7\n11 mtime=1\n9 uid=65\n",
        )
        .unwrap();
        assert_eq!((pax.path.as_deref(), pax.size, pax.uid), (Some(&b"a=c"[..]), Some(7), Some(65)));
        assert!(!pax.is_sparse);
        assert_eq!(parse(b"12 path=a/b\n8 path=\n").unwrap().path, None);
        assert_eq!(parse(b"").unwrap(), Pax::default());
    }

    #[test]
    fn sparse_files_are_known_by_their_keys() {
        let pax = parse(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=n\n27 GNU.sparse.realsize=100\n");
        let pax = pax.unwrap();
        assert!(pax.is_sparse);
        assert_eq!((pax.sparse_path.as_deref(), pax.sparse_size), (Some(&b"n"[..]), Some(100)));
    }

    #[test]
    fn malformed_records_are_named() {
        for (records, message) in [
            (&b"99 path=a\n"[..], "a pax header holds `99 path=a\\n`, which is no record"),
            (b"8 path=a\n", "a pax header holds `8 path=a\\n`, which is no record"),
            (b"18446744073709551615 path=a\n", "a pax header holds `18446744073709551615 path=a\\n`"),
            (b"18446744073709551616 path=a\n", "a pax header holds `18446744073709551616 path=a\\n`"),
            (b"0 path=a\n", "a pax header holds"),
            (b"2 \n", "a pax header holds"),
            (b"3 =\n", "a pax header holds"),
            (b"path=a\n", "a pax header holds"),
            (b"12 path=a\0b\n", "the path `a\\0b` of a pax header holds a NUL"),
            (b"11 size=-1\n", "the size `-1` of a pax header is no number"),
            (b"27 uid=9223372036854775808\n", "the uid `9223372036854775808` of a pax header is no number"),
        ] {
            let error = parse(records).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
