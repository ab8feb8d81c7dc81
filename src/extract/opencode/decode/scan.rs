//! Where JSON values end, strictly by RFC 8259 and no deeper than SQLite's `json_valid` allows.
//!
//! Input: UTF-8 text and a position. Output: the position behind a value, or where the text stops being JSON. Strings
//! are crossed eight bytes at a time; nested values without recursion, so that no row can exhaust the stack.

use super::Reason;
use super::text::Text;

/// The depth at which SQLite's JSON functions give up.
pub(super) const MAX_DEPTH: usize = 1000;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// Marks (in the high bit of each byte) the bytes that end a run of plain string content: `"`, `\`, and controls.
/// Only the lowest mark is exact, which is all that is asked for.
#[inline]
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    (quote | slash | control) & HIGHS
}

/// Kinds of the open containers, one bit each: set for an object.
struct Nesting {
    bits: [u64; MAX_DEPTH.div_ceil(64)],
    depth: usize,
}

impl Nesting {
    fn open(&mut self, is_object: bool) {
        let (slot, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if let Some(bits) = self.bits.get_mut(slot) {
            *bits = if is_object { *bits | bit } else { *bits & !bit };
        }
        self.depth += 1;
    }

    /// Whether the innermost container is an object; `None` outside of all.
    #[inline]
    fn is_object(&self) -> Option<bool> {
        let index = self.depth.checked_sub(1)?;
        self.bits.get(index / 64).map(|bits| bits >> (index % 64) & 1 == 1)
    }
}

/// A position in a text.
pub(super) struct Scanner<'a> {
    /// The whole text.
    text: &'a str,
    /// The next byte.
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the start of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The position.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text from a position on, up to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The text stops being JSON here.
    #[cold]
    pub(super) fn bad<T>(&self) -> Result<T, Reason> {
        Err(Reason::NotJson { at: self.at.min(self.text.len()) })
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn word(&self) -> Option<u64> {
        self.text.as_bytes().get(self.at..)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
    }

    /// The next byte that is no white space, not consumed.
    #[inline]
    pub(super) fn token(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Consumes a token.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        if self.token() != Some(byte) {
            return self.bad();
        }
        self.at += 1;
        Ok(())
    }

    /// Crosses plain string content.
    #[inline]
    fn plain(&mut self) {
        while let Some(word) = self.word() {
            let marks = special(word);
            if marks != 0 {
                self.at += (marks.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    /// A string.
    pub(super) fn string(&mut self) -> Result<Text<'a>, Reason> {
        self.expect(b'"')?;
        let start = self.at;
        let mut surplus = 0;
        loop {
            self.plain();
            match self.peek() {
                Some(b'\\') => surplus += self.escape()? - 1,
                Some(b'"') => {
                    let raw = self.since(start);
                    self.at += 1;
                    return Ok(Text::new(raw, surplus));
                }
                _ => return self.bad(),
            }
        }
    }

    /// An escape, or two that make one character. Gives its length.
    #[inline]
    fn escape(&mut self) -> Result<usize, Reason> {
        self.at += 1;
        let Some(byte) = self.peek() else {
            return self.bad();
        };
        // One test for all: a jump by letter would be mispredicted at every other escape.
        if matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') {
            self.at += 1;
            return Ok(2);
        }
        if byte == b'u' { self.unicode() } else { self.bad() }
    }

    /// `uXXXX`, with its second half where there is one.
    fn unicode(&mut self) -> Result<usize, Reason> {
        let first = self.unit()?;
        if (0xD800..0xDC00).contains(&first) && self.text.as_bytes().get(self.at..self.at + 2) == Some(b"\\u") {
            let between = self.at;
            self.at += 1;
            if (0xDC00..0xE000).contains(&self.unit()?) {
                return Ok(12);
            }
            // No second half: the next escape stands for itself.
            self.at = between;
        }
        Ok(6)
    }

    /// `uXXXX`
    fn unit(&mut self) -> Result<u32, Reason> {
        let mut unit = 0;
        for _ in 0..4 {
            self.at += 1;
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.bad();
            };
            unit = unit << 4 | digit;
        }
        self.at += 1;
        Ok(unit)
    }

    fn digits(&mut self) -> Result<(), Reason> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { self.bad() } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Reason> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn literal(&mut self, literal: &str) -> Result<(), Reason> {
        for byte in literal.bytes() {
            if self.peek() != Some(byte) {
                return self.bad();
            }
            self.at += 1;
        }
        Ok(())
    }

    /// A key with its colon.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Text<'a>, Reason> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A value that is neither object nor array.
    #[inline]
    fn scalar(&mut self) -> Result<(), Reason> {
        match self.token() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.bad(),
        }
    }

    /// Any value, inside of `outside` containers.
    pub(super) fn value(&mut self, outside: usize) -> Result<(), Reason> {
        if !matches!(self.token(), Some(b'{' | b'[')) {
            return self.scalar();
        }
        let mut nesting = Nesting { bits: [0; MAX_DEPTH.div_ceil(64)], depth: 0 };
        loop {
            match self.token() {
                Some(open @ (b'{' | b'[')) => {
                    if nesting.depth + outside >= MAX_DEPTH {
                        return Err(Reason::TooDeep { at: self.at });
                    }
                    nesting.open(open == b'{');
                    self.at += 1;
                    // Closing brackets follow their opening ones by two in ASCII.
                    if self.token() != Some(open + 2) {
                        if open == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // A value has ended, or a container is empty: close what it closes, then go on to the next value.
            loop {
                match (nesting.is_object(), self.token()) {
                    (Some(true), Some(b'}')) | (Some(false), Some(b']')) => {
                        self.at += 1;
                        nesting.depth -= 1;
                        if nesting.depth == 0 {
                            return Ok(());
                        }
                    }
                    (Some(true), Some(b',')) => {
                        self.at += 1;
                        self.key()?;
                        break;
                    }
                    (Some(false), Some(b',')) => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.bad(),
                }
            }
        }
    }
}
