//! One pass over the JSON of a row: checked and decoded together.
//!
//! Input: the bytes of a row. Output: calls of a visitor for each entry or item, which takes the value in the form that
//! it wants. Every byte is crossed once, wanted or not, so whatever is broken or cut off is found; a value of another
//! type than the one wanted is crossed and is `None`.

use super::scan::{MAX_DEPTH, Scanner};
use super::text::Text;
use super::{Reason, number};
use std::borrow::Cow;

/// What a visitor gives back.
pub(super) type Visit = Result<(), Reason>;

/// Stands before a value. A visitor must take or skip exactly one.
pub(super) struct Reader<'a> {
    scanner: Scanner<'a>,
    /// Containers around the value.
    depth: usize,
}

/// Visits the entries of the object that is the whole of `data`.
///
/// # Errors
/// Not UTF-8, not JSON, not an object.
pub(super) fn document<'a>(data: &'a [u8], visit: impl FnMut(&mut Reader<'a>, &str) -> Visit) -> Visit {
    let Ok(text) = simdutf8::basic::from_utf8(data) else {
        let at = simdutf8::compat::from_utf8(data).map_or_else(|error| error.valid_up_to(), |_| 0);
        return Err(Reason::NotUtf8 { at });
    };
    let mut reader = Reader { scanner: Scanner::new(text), depth: 0 };
    let is_object = reader.object(visit)?;
    if reader.scanner.token().is_some() {
        return reader.scanner.bad();
    }
    if is_object { Ok(()) } else { Err(Reason::NotObject) }
}

impl<'a> Reader<'a> {
    fn enter(&mut self) -> Visit {
        if self.depth >= MAX_DEPTH {
            return Err(Reason::TooDeep { at: self.scanner.position() });
        }
        self.depth += 1;
        Ok(())
    }

    /// Visits the entries of an object; gives whether it was one.
    pub(super) fn object(&mut self, mut visit: impl FnMut(&mut Self, &str) -> Visit) -> Result<bool, Reason> {
        if self.scanner.token() != Some(b'{') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        self.scanner.expect(b'{')?;
        if self.scanner.token() != Some(b'}') {
            loop {
                let key = self.scanner.key()?;
                match key.plain() {
                    Some(key) => visit(self, key)?,
                    None => visit(self, &key.decode())?,
                }
                if self.scanner.token() != Some(b',') {
                    break;
                }
                self.scanner.expect(b',')?;
            }
        }
        self.scanner.expect(b'}')?;
        self.depth -= 1;
        Ok(true)
    }

    /// Visits the items of an array; gives whether it was one.
    pub(super) fn array(&mut self, mut visit: impl FnMut(&mut Self) -> Visit) -> Result<bool, Reason> {
        if self.scanner.token() != Some(b'[') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        self.scanner.expect(b'[')?;
        if self.scanner.token() != Some(b']') {
            loop {
                visit(self)?;
                if self.scanner.token() != Some(b',') {
                    break;
                }
                self.scanner.expect(b',')?;
            }
        }
        self.scanner.expect(b']')?;
        self.depth -= 1;
        Ok(true)
    }

    /// Crosses a value.
    pub(super) fn skip(&mut self) -> Visit {
        self.scanner.value(self.depth)
    }

    /// The value's JSON.
    pub(super) fn raw(&mut self) -> Result<&'a str, Reason> {
        self.scanner.token();
        let start = self.scanner.position();
        self.skip()?;
        Ok(self.scanner.since(start))
    }

    /// Takes a value in another way, and gives its JSON too.
    pub(super) fn with_raw<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, Reason>,
    ) -> Result<(T, &'a str), Reason> {
        self.scanner.token();
        let start = self.scanner.position();
        let value = take(self)?;
        Ok((value, self.scanner.since(start)))
    }

    /// Whether the value is an object.
    pub(super) fn is_object(&mut self) -> bool {
        self.scanner.token() == Some(b'{')
    }

    /// A string, not yet decoded.
    pub(super) fn text(&mut self) -> Result<Option<Text<'a>>, Reason> {
        if self.scanner.token() == Some(b'"') {
            return self.scanner.string().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// A string, decoded; an empty one is as good as none.
    pub(super) fn string(&mut self) -> Result<Option<Cow<'a, str>>, Reason> {
        Ok(self.text()?.filter(|text| !text.is_empty()).map(Text::decode))
    }

    /// An integer.
    pub(super) fn int(&mut self) -> Result<Option<i64>, Reason> {
        self.raw().map(number::int)
    }

    /// A finite float.
    pub(super) fn float(&mut self) -> Result<Option<f64>, Reason> {
        self.raw().map(number::float)
    }

    /// `true` or `false`.
    pub(super) fn bool(&mut self) -> Result<Option<bool>, Reason> {
        Ok(match self.raw()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }
}
