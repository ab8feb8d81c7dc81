//! JSON strings, decoded only as far as needed.
//!
//! Input: what stands between the quotes of a validated string. Output: its characters, or facts about them that need
//! no decoding: how many there are, how many lines, whether an ASCII phrase occurs.

use std::borrow::Cow;

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A string that may hold escapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a str,
    surplus: usize,
}

/// One escape: the character it stands for, and its length in bytes.
struct Escape {
    character: char,
    length: usize,
}

fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// The escape that starts with the backslash at `at`. A surrogate without its other half becomes U+FFFD.
fn escape(bytes: &[u8], at: usize) -> Escape {
    let simple = |character| Escape { character, length: 2 };
    match bytes.get(at + 1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'u') => {
            let first = unit(bytes, at).unwrap_or(0xFFFD);
            if (0xD800..0xDC00).contains(&first)
                && let Some(second @ 0xDC00..0xE000) = unit(bytes, at + 6)
            {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Escape { character: char::from_u32(code).unwrap_or(REPLACEMENT), length: 12 };
            }
            Escape { character: char::from_u32(first).unwrap_or(REPLACEMENT), length: 6 }
        }
        Some(other) => simple(char::from(*other)),
        None => simple(REPLACEMENT),
    }
}

impl<'a> Text<'a> {
    /// `raw` is what stands between the quotes; `surplus` counts the bytes of its escapes, less one for each character
    /// that they stand for.
    pub(super) fn new(raw: &'a str, surplus: usize) -> Self {
        Self { raw, surplus }
    }

    /// The characters, where they stand as they are.
    pub(super) fn plain(self) -> Option<&'a str> {
        (self.surplus == 0).then_some(self.raw)
    }

    /// Whether there is nothing between the quotes.
    pub(super) fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// All characters.
    pub(super) fn decode(self) -> Cow<'a, str> {
        self.first(usize::MAX)
    }

    /// The first `limit` characters.
    pub(super) fn first(self, limit: usize) -> Cow<'a, str> {
        if let Some(plain) = self.plain() {
            return Cow::Borrowed(crate::model::text::cut(plain, limit));
        }
        // An escape is at most six bytes for one character.
        let mut decoded = String::with_capacity(self.raw.len().min(limit.saturating_mul(4)));
        let mut left = limit;
        let (mut at, mut next) = (0, memchr::memchr(b'\\', self.raw.as_bytes()));
        loop {
            let end = next.unwrap_or(self.raw.len());
            let run = self.raw.get(at..end).unwrap_or_default();
            let run = if run.len() > left { crate::model::text::cut(run, left) } else { run };
            decoded.push_str(run);
            left -= run.chars().count().min(left);
            if next.is_none() || left == 0 {
                return Cow::Owned(decoded);
            }
            let escape = escape(self.raw.as_bytes(), end);
            decoded.push(escape.character);
            left -= 1;
            at = end + escape.length;
            let rest = self.raw.as_bytes().get(at..).unwrap_or_default();
            next = memchr::memchr(b'\\', rest).map(|offset| at + offset);
        }
    }

    /// The escapes, each with its offset.
    fn escapes(self) -> impl Iterator<Item = (usize, Escape)> {
        let bytes = self.raw.as_bytes();
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = from + memchr::memchr(b'\\', bytes.get(from..)?)?;
            let escape = escape(bytes, at);
            from = at + escape.length;
            Some((at, escape))
        })
    }

    /// How many characters there are.
    pub(super) fn chars(self) -> Option<i64> {
        i64::try_from(self.raw.chars().count().saturating_sub(self.surplus)).ok()
    }

    /// How many lines there are; the last one counts when it is not empty.
    pub(super) fn lines(self) -> i64 {
        let mut ends = 0;
        let mut after_last = 0;
        for (at, escape) in self.escapes() {
            if escape.character == '\n' {
                ends += 1;
                after_last = at + escape.length;
            }
        }
        ends + i64::from(after_last < self.raw.len())
    }

    /// Whether a phrase occurs that holds neither quotes, nor backslashes, nor line ends.
    pub(super) fn contains(self, phrase: &str) -> bool {
        memchr::memmem::find(self.raw.as_bytes(), phrase.as_bytes()).is_some()
    }

    /// The same for the last `bytes` bytes only.
    pub(super) fn tail_contains(self, bytes: usize, phrase: &str) -> bool {
        let tail = self.raw.as_bytes().get(self.raw.len().saturating_sub(bytes)..).unwrap_or_default();
        memchr::memmem::find(tail, phrase.as_bytes()).is_some()
    }
}
