//! One header of a tar stream: 512 bytes of fixed fields.
//!
//! Layouts: [POSIX ustar](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), [GNU
//! tar](https://www.gnu.org/software/tar/manual/html_node/Standard.html) and the plain header before both. Where readers
//! differ, this one reads as Go's `archive/tar` does, since Docker, containerd and podman unpack layers with it.

use std::ffi::CStr;

/// The length of a header in bytes, and what every content is padded to.
pub(super) const BLOCK: usize = 512;

/// A header as it is in the stream.
pub(super) struct Header<'a>(pub(super) &'a [u8; BLOCK]);

impl Header<'_> {
    /// Whether the header is what was written. Some old writers summed signed bytes.
    pub(super) fn has_right_sum(&self) -> bool {
        let Some(promised) = number(&self.0[148..156]) else {
            return false;
        };
        // The sum counts its own field as spaces.
        let rest = [&self.0[..148], b"        ", &self.0[156..]].concat();
        // Eight bytes at a time, in lanes of 16 bits that 512 bytes cannot fill: this is where most of the time goes.
        const LANES: u64 = 0x00ff_00ff_00ff_00ff;
        let add = |sum: u64, word: &[u8; 8]| {
            let word = u64::from_le_bytes(*word);
            sum + (word & LANES) + (word >> 8 & LANES)
        };
        let lanes = rest.as_chunks().0.iter().fold(0, add);
        let sum = (0..4).map(|lane| lanes >> (16 * lane) & 0xffff).sum::<u64>();
        promised == sum || promised + 256 * rest.iter().filter(|byte| **byte > 0x7f).count() as u64 == sum
    }

    /// The letter that says what the entry is.
    pub(super) fn kind(&self) -> u8 {
        self.0[156]
    }

    /// The path, put together from its two fields.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        match self.prefix() {
            [] => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        }
    }

    fn prefix(&self) -> &[u8] {
        match &self.0[257..265] {
            [b'u', b's', b't', b'a', b'r', 0, ..] if self.0.ends_with(b"tar\0") => text(&self.0[345..476]),
            [b'u', b's', b't', b'a', b'r', 0, ..] => text(&self.0[345..500]),
            b"ustar  \0" => {
                // GNU keeps two times here. Go before 1.8 kept a prefix, and layers of that time are still around.
                let prefix = text(&self.0[345..500]);
                let is_time = |field: &[u8]| field[0] == 0 || number(field).is_some();
                let has_times = is_time(&self.0[345..357]) && is_time(&self.0[357..369]);
                if has_times || !prefix.is_ascii() { b"" } else { prefix }
            }
            _ => b"",
        }
    }

    /// What a link points to.
    pub(super) fn target(&self) -> &[u8] {
        text(&self.0[157..257])
    }

    /// Permission bits, perhaps with more above them.
    pub(super) fn mode(&self) -> Option<u64> {
        number(&self.0[100..108])
    }

    /// The numeric owner.
    pub(super) fn uid(&self) -> Option<u64> {
        number(&self.0[108..116])
    }

    /// The numeric group.
    pub(super) fn gid(&self) -> Option<u64> {
        number(&self.0[116..124])
    }

    /// How many bytes of content follow.
    pub(super) fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    /// The size of a GNU sparse file once its holes are filled.
    pub(super) fn sparse_size(&self) -> Option<u64> {
        number(&self.0[483..495])
    }

    /// Whether a block with more of a GNU sparse file's map follows.
    pub(super) fn sparse_continues(&self) -> bool {
        self.0[482] != 0
    }
}

/// A field up to the NUL that ends it, if one does.
pub(super) fn text(field: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(field).map_or(field, CStr::to_bytes)
}

/// A field of octal digits, or of GNU's base 256; `None` if it is neither, is negative, or does not fit 63 bits. An empty
/// field is zero.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    let value = match field {
        [first, ..] if first & 0x80 != 0 => {
            let is_negative = first & 0x40 != 0;
            let digits = std::iter::once(first & 0x7f).chain(field[1..].iter().copied());
            let add = |sum: u64, digit| sum.checked_mul(256).map(|sum| sum + u64::from(digit));
            if is_negative { None } else { digits.into_iter().try_fold(0, add) }
        }
        _ => {
            let start = field.iter().position(|byte| !matches!(byte, b' ' | 0)).unwrap_or(field.len());
            let digits = text(&field[start..]).trim_ascii_end();
            let add = |sum: u64, digit: &u8| match digit {
                b'0'..=b'7' => sum.checked_mul(8).map(|sum| sum + u64::from(digit - b'0')),
                _ => None,
            };
            digits.iter().try_fold(0, add)
        }
    };
    value.filter(|value| *value <= i64::MAX.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"7777777777777", Some(0o7_777_777_777_777)),
            (b"\x80\0\0\0\0\0\0\x05", Some(5)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX as u64)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"0000648\0", None),
            (b"-000001\0", None),
            (b"12 34\0\0\0", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }

    fn block(fields: &[(usize, &[u8])]) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        for (at, bytes) in fields {
            block[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        block
    }

    #[test]
    fn the_prefix_counts_where_the_format_has_one() {
        for (fields, name) in [
            (&[(0, &b"name"[..]), (345, b"prefix")][..], &b"name"[..]),
            (&[(0, b"name"), (257, b"ustar\x0000"), (345, b"prefix")], b"prefix/name"),
            (&[(0, b"name"), (257, b"ustar\x0000")], b"name"),
            (&[(0, b"name"), (257, b"ustar  \0"), (345, b"14712345670\0")], b"name"),
            (&[(0, b"name"), (257, b"ustar  \0"), (345, b"written/by/old/go")], b"written/by/old/go/name"),
            (&[(0, &[b'n'; 100]), (100, b"0000644\0")], &[b'n'; 100]),
        ] {
            assert_eq!(Header(&block(fields)).name(), name);
        }
        let star =
            block(&[(0, b"n"), (257, b"ustar\x0000"), (345, &[b'p'; 131]), (476, b"1"), (508, b"tar\0")]);
        assert_eq!(Header(&star).name(), [&[b'p'; 131][..], b"/n"].concat());
    }

    #[test]
    fn both_kinds_of_sums_are_right_and_no_others() {
        let mut bytes = block(&[(0, b"n\xff"), (148, b"        ")]);
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        for (sum, right) in [(sum, true), (sum - 256, true), (sum + 1, false)] {
            bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(Header(&bytes).has_right_sum(), right);
        }
    }
}
