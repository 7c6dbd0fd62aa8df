//! Amounts of disk space, as people write them and as Docker prints them.

use std::str::FromStr;

/// An amount of disk space in bytes, written as `500MB`, `1.5GB` (units of 1000) or `2GiB` (units of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let advice = || format!("`{text}` is no size; write one such as 5GB, 500MB or 2GiB");
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(advice)?;
        let (number, unit) = text.split_at(end);
        let factor: u64 = match &*unit.trim().to_ascii_lowercase() {
            "b" => 1,
            "kb" => 1000,
            "mb" => 1000_u64.pow(2),
            "gb" => 1000_u64.pow(3),
            "tb" => 1000_u64.pow(4),
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(advice()),
        };
        let number = number.parse::<f64>().map_err(|_| advice())?;
        Ok(Size((number * factor as f64) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in [
            ("0B", 0),
            ("5GB", 5_000_000_000),
            ("500mb", 500_000_000),
            ("1.5 kB", 1500),
            ("2GiB", 2 << 30),
            ("10.36GB", 10_360_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "5", "GB", "5XB", "-5GB", "1.2.3GB", "5GBs"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
