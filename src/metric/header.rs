//! Reads the `-- key: value` lines on top of a query file.
//!
//! Input: a file's text. Output: [`Header`]: entries with their lines, prose, and the line on which the SQL begins.

use crate::error::RegistryError;

/// One `-- key: value` line.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Line in the file, from 1.
    pub line: usize,
}

/// The header of a file.
#[derive(Debug, Clone)]
pub struct Header {
    file: String,
    /// Entries in order.
    pub entries: Vec<Entry>,
    /// The prose after the entries.
    pub prose: String,
    /// Line on which the SQL begins, from 1.
    pub body_line: usize,
}

impl Header {
    /// The header of a file without contract.
    #[must_use]
    pub fn empty(file: &str) -> Self {
        Self { file: file.to_owned(), entries: Vec::new(), prose: String::new(), body_line: 1 }
    }

    /// Reads a header. Entries end at an empty comment line; prose ends at the first line that is no comment.
    ///
    /// # Errors
    /// A line among the entries is not `key: value`, or a key stands twice.
    pub fn read(file: &str, text: &str) -> Result<Self, RegistryError> {
        let mut header = Self::empty(file);
        let mut in_prose = false;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let Some(comment) = line.trim_end().strip_prefix("--") else {
                header.body_line = number;
                break;
            };
            let comment = comment.trim();
            if comment.is_empty() {
                in_prose = true;
            } else if in_prose {
                if !header.prose.is_empty() {
                    header.prose.push(' ');
                }
                header.prose.push_str(comment);
            } else {
                header.entry(comment, number)?;
            }
        }
        Ok(header)
    }

    fn entry(&mut self, comment: &str, line: usize) -> Result<(), RegistryError> {
        let (key, value) =
            comment.split_once(':').ok_or_else(|| self.error(line, &format!("'{comment}' is not 'key: value'")))?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if let Some(first) = self.entries.iter().find(|entry| entry.key == key) {
            return Err(self.error(line, &format!("key '{key}' stands already on line {}", first.line)));
        }
        self.entries.push(Entry { key, value, line });
        Ok(())
    }

    /// Holds the keys against what the file's layer needs.
    ///
    /// # Errors
    /// A key is unknown, missing or without a value.
    pub fn check_keys(&self, needed: &[&str], optional: &[&str]) -> Result<(), RegistryError> {
        for entry in &self.entries {
            if !needed.contains(&entry.key.as_str()) && !optional.contains(&entry.key.as_str()) {
                let known: Vec<&str> = needed.iter().chain(optional).copied().collect();
                return Err(
                    self.error(entry.line, &format!("unknown key '{}': known are {}", entry.key, known.join(", ")))
                );
            }
            if entry.value.is_empty() {
                return Err(self.error(entry.line, &format!("key '{}' has no value", entry.key)));
            }
        }
        for key in needed {
            if !self.entries.iter().any(|entry| entry.key == *key) {
                let line = self.entries.last().map_or(1, |entry| entry.line);
                return Err(self.error(line, &format!("key '{key}' is missing from the header")));
            }
        }
        Ok(())
    }

    /// An error at a line of this file.
    #[must_use]
    pub fn error(&self, line: usize, problem: &str) -> RegistryError {
        RegistryError::Header { file: self.file.clone(), line, problem: problem.to_owned() }
    }
}

/// Splits a comma-separated list.
#[must_use]
pub fn list(text: &str) -> Vec<String> {
    text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}
