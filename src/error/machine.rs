//! What the machine lacks: the same hint and exit code whoever notices it, the system or DuckDB.

use std::io::{Error, ErrorKind};

/// Errors of Unix that have no kind of their own: a process, or the machine, has too many files open.
const TOO_MANY_FILES: [i32; 2] = [23, 24];

/// Something of which there is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Room on the disk, or of a quota.
    Space,
    /// Files that may be open at once.
    Files,
    /// Memory.
    Memory,
    /// A file that was there, or the right to it.
    Access,
}

impl Lack {
    /// What an error of the system says; None when it is about something else.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Some(Self::Space),
            ErrorKind::OutOfMemory => Some(Self::Memory),
            _ => error.raw_os_error().filter(|code| cfg!(unix) && TOO_MANY_FILES.contains(code)).map(|_| Self::Files),
        }
    }

    /// What DuckDB says. Its text begins with the kind of error; what follows may quote the user's SQL, and proves nothing.
    #[must_use]
    pub fn told(message: &str) -> Option<Self> {
        let (kind, rest) = message.split_once(':')?;
        let has = |words: &[&str]| words.iter().any(|word| rest.contains(word));
        match kind {
            // What does not fit into memory goes to the disk, and there is no room there either.
            "Out of Memory Error" if has(&["max_temp_directory_size"]) => Some(Self::Space),
            "Out of Memory Error" => Some(Self::Memory),
            "Invalid Error" if has(&["bad allocation", "bad_alloc", "Allocation failure"]) => Some(Self::Memory),
            "IO Error" if has(&["No space left", "quota exceeded", "File too large"]) => Some(Self::Space),
            "IO Error" if has(&["Too many open files"]) => Some(Self::Files),
            "IO Error" if has(&["Cannot allocate memory"]) => Some(Self::Memory),
            "IO Error" => Some(Self::Access),
            _ => None,
        }
    }

    /// What to do about it where a store was to be written or read.
    #[must_use]
    pub fn hint_for_store(self) -> String {
        let hint = match self {
            Self::Space => "free some space, or put the store elsewhere with --store DIR",
            _ => self.hint(),
        };
        format!("{hint}; the old state is untouched")
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Space => "free some space, or write to another disk",
            Self::Files => "allow more open files (`ulimit -n 4096`), or end what holds them",
            Self::Memory => "free some memory, or allow more (`ulimit -v`)",
            Self::Access => {
                "run it again: another process may have changed the store meanwhile; `logicoma doctor` says what cannot be read"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lack;

    #[test]
    fn what_is_lacking_is_known_by_the_kind_of_error_and_not_by_quoted_sql() {
        let cases = [
            ("IO Error: Could not write file \"/s/a.parquet\": No space left on device", Some(Lack::Space)),
            ("IO Error: Cannot open file \"/s/a.parquet\": Too many open files", Some(Lack::Files)),
            ("Out of Memory Error: Allocation failure", Some(Lack::Memory)),
            ("Out of Memory Error: failed to offload data block: 'max_temp_directory_size' …", Some(Lack::Space)),
            ("IO Error: No files found that match the pattern \"/s/a.parquet\"", Some(Lack::Access)),
            ("Invalid Input Error: No space left on device", None),
            ("Binder Error: IO Error: Too many open files", None),
        ];
        for (message, lack) in cases {
            assert_eq!(Lack::told(message), lack, "{message}");
        }
        assert_eq!(Lack::of(&std::io::Error::from_raw_os_error(28)), Some(Lack::Space));
        assert_eq!(Lack::of(&std::io::Error::from_raw_os_error(24)), Some(Lack::Files));
        assert_eq!(Lack::of(&std::io::Error::from_raw_os_error(2)), None);
    }
}
