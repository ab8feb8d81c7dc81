//! Recorded paths, of whatever system they came from. Input: a path or a `file://` URL. Output: the same with `/`, or
//! pieces of it.

use std::borrow::Cow;

/// `\` becomes `/`.
#[must_use]
pub fn slashed(path: Cow<'_, str>) -> Cow<'_, str> {
    if path.contains('\\') { Cow::Owned(path.replace('\\', "/")) } else { path }
}

/// The last element; both separators count.
#[must_use]
pub fn base_name(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What stands before the last element, without the separator.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    let path = path.trim_end_matches(['/', '\\']);
    let end = path.rfind(['/', '\\'])?;
    path.get(..end)
}

/// A `file://` URL as a path; a path stays as it is.
#[must_use]
pub fn from_url(path: Cow<'_, str>) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("file://") else {
        return path;
    };
    let decoded = percent_decoded(rest);
    let bytes = decoded.as_bytes();
    let has_drive = bytes.first() == Some(&b'/')
        && bytes.get(1).is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(2) == Some(&b':');
    Cow::Owned(if has_drive { decoded.get(1..).unwrap_or_default().to_owned() } else { decoded })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (*byte, digit(0), digit(1)) {
            bytes.push(u8::try_from(high << 4 | low).unwrap_or(b'?'));
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_paths() {
        assert_eq!(base_name("/a/b/c.rs"), "c.rs");
        assert_eq!(base_name("C:\\a\\b\\"), "b");
        assert_eq!(base_name("x"), "x");
        assert_eq!(base_name(""), "");
        assert_eq!(parent("/a/b/c.rs"), Some("/a/b"));
        assert_eq!(parent("c.rs"), None);
        assert_eq!(slashed("src\\a.rs".into()), "src/a.rs");
    }

    #[test]
    fn file_urls_become_paths() {
        assert_eq!(from_url("file:///home/a%20b/s".into()), "/home/a b/s");
        assert_eq!(from_url("file:///C:/s".into()), "C:/s");
        assert_eq!(from_url("/plain%20path".into()), "/plain%20path");
        assert_eq!(from_url("file:///a%2".into()), "/a%2");
        assert_eq!(from_url("file:///a%ff".into()), "/a%ff");
    }
}
