//! Permission bits as people write them, `"0755"`: for serde's `with`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes at least four digits.
///
/// # Errors
/// Those of the serializer.
#[allow(clippy::ref_option, reason = "serde's `with` asks for this signature")]
pub fn serialize<S: Serializer>(mode: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match mode {
        Some(mode) => serializer.serialize_str(&format!("{mode:04o}")),
        None => serializer.serialize_none(),
    }
}

/// Reads digits.
///
/// # Errors
/// They are not octal, or mean more than permission bits.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match u32::from_str_radix(&text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(D::Error::custom(format!("mode `{text}` is not octal permission bits such as 0755"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::FileEntry;

    #[test]
    fn a_mode_is_written_in_octal() {
        let entry =
            FileEntry { from: None, src: "a".into(), dest: "/a".to_owned(), mode: Some(0o755), owner: None };
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(json, r#"{"src":"a","dest":"/a","mode":"0755"}"#);
        assert_eq!(serde_json::from_str::<FileEntry>(&json).unwrap(), entry);
    }

    #[test]
    fn a_mode_may_be_left_out_but_not_be_wrong() {
        assert_eq!(serde_json::from_str::<FileEntry>(r#"{"src":"a","dest":"/a"}"#).unwrap().mode, None);
        assert!(serde_json::from_str::<FileEntry>(r#"{"src":"a","dest":"/a","mode":"0999"}"#).is_err());
        assert!(serde_json::from_str::<FileEntry>(r#"{"src":"a","dest":"/a","mode":"10000"}"#).is_err());
    }
}
