//! Lines of a file that may be of any length and hold anything.
//!
//! Input: a reader. Output: one [`Line`] after the other; a line beyond the bound is told of, not held in memory.

use std::io::{self, BufRead};

/// A longer line is no event.
pub(super) const MOST_BYTES: usize = 4 << 20;
/// What is kept of a line that is too long.
const KEPT_BYTES: usize = 1_000;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes.
    Whole(Vec<u8>),
    /// Longer than [`MOST_BYTES`]: its length and its beginning.
    TooLong {
        /// Bytes of the line.
        bytes: usize,
        /// The beginning.
        start: Vec<u8>,
    },
}

/// Reads the next line; None at the end.
///
/// # Errors
/// As the system says.
pub(super) fn next(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut held = Vec::new();
    let mut length = 0_usize;
    let mut has_begun = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            break;
        }
        has_begun = true;
        let end = memchr::memchr(b'\n', available);
        let piece = &available[..end.unwrap_or(available.len())];
        length += piece.len();
        if length <= MOST_BYTES {
            held.extend_from_slice(piece);
        } else {
            held.truncate(KEPT_BYTES);
            held.shrink_to_fit();
        }
        let used = piece.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    if !has_begun {
        return Ok(None);
    }
    if length > MOST_BYTES {
        return Ok(Some(Line::TooLong { bytes: length, start: held }));
    }
    if held.last() == Some(&b'\r') {
        held.pop();
    }
    Ok(Some(Line::Whole(held)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn all(bytes: &[u8]) -> Vec<Line> {
        let mut reader = io::BufReader::with_capacity(7, Cursor::new(bytes));
        std::iter::from_fn(|| next(&mut reader).expect("no error")).collect()
    }

    #[test]
    fn lines_end_as_they_may() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(all(b""), []);
        assert_eq!(
            all(b"a\n\r\nb\r\nlonger than the buffer"),
            [whole("a"), whole(""), whole("b"), whole("longer than the buffer")]
        );
        assert_eq!(all(b"\n"), [whole("")]);
    }

    #[test]
    fn a_line_beyond_the_bound_is_told_of_and_the_next_one_is_read() {
        let mut bytes = vec![b'x'; MOST_BYTES + 5];
        bytes.extend_from_slice(b"\nnext");
        let lines = all(&bytes);
        assert!(
            matches!(&lines[0], Line::TooLong { bytes, start } if *bytes == MOST_BYTES + 5 && start.len() <= 1_000)
        );
        assert_eq!(lines[1], Line::Whole(b"next".to_vec()));
    }
}
