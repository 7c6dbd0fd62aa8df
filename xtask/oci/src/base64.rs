//! Base64, padded, as [RFC 4648](https://www.rfc-editor.org/rfc/rfc4648#section-4) has it.

/// The base64 of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let mut digits = [b'='; 4];
        for (at, digit) in digits.iter_mut().enumerate().take(group.len() + 1) {
            *digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
        }
        text.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_that_of_the_rfc() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(super::encode(bytes.as_bytes()), expected);
        }
    }
}
