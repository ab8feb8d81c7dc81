//! Hashes as text.

/// Bytes as lower-case hexadecimal, as `sha256sum` prints them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

/// A quick hash, against damage and not against malice, in hexadecimal.
#[must_use]
pub fn quick(bytes: &[u8]) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(bytes))
}

/// What is written under a name, with a hash in front by which [`unseal`] knows that it is what was written, and under that name.
#[must_use]
pub fn seal(name: &str, body: &[u8]) -> Vec<u8> {
    let mut sealed = seal_of(name, body).into_bytes();
    sealed.push(b'\n');
    sealed.extend_from_slice(body);
    sealed
}

/// What [`seal`] was given; None when a byte of it is another.
#[must_use]
pub fn unseal<'b>(name: &str, sealed: &'b [u8]) -> Option<&'b [u8]> {
    let at = sealed.iter().position(|byte| *byte == b'\n')?;
    let (hash, body) = (&sealed[..at], &sealed[at + 1..]);
    (hash == seal_of(name, body).as_bytes()).then_some(body)
}

fn seal_of(name: &str, body: &[u8]) -> String {
    quick(format!("{name} {}", quick(body)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{seal, unseal};

    #[test]
    fn whatever_byte_is_another_breaks_the_seal() {
        let sealed = seal("a", b"189");
        assert_eq!(unseal("a", &sealed), Some(&b"189"[..]));
        assert_eq!(unseal("b", &sealed), None);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut other = sealed.clone();
                other[at] ^= 1 << bit;
                assert_eq!(unseal("a", &other), None, "byte {at}, bit {bit}");
            }
            assert_eq!(unseal("a", &sealed[..at]), None);
        }
    }
}
