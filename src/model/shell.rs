//! Shell commands: which programs a script starts, with which words.
//!
//! Input: the text that a model gave to the shell. Output: [`Script`], its [`Invocation`]s and its program. This is no
//! shell: it splits at operators, heeds quotes, comments, redirections and here-documents, and expands nothing.

use super::path::base_name;

/// Invocations that are looked at; a script rarely has more than a handful.
const MOST_COMMANDS: usize = 64;
/// Commands that prepare, and are not what a script is for.
const PREPARATIONS: [&str; 17] = [
    "cd", "pushd", "popd", "export", "set", "unset", "source", ".", "true", ":", "[", "[[", "test", "alias", "umask",
    "shopt", "local",
];
/// Words of the shell's grammar before a command.
const KEYWORDS: [&str; 9] = ["if", "then", "elif", "else", "while", "until", "do", "{", "!"];
/// Words of the shell's grammar that start no command.
const STRUCTURE: [&str; 8] = ["for", "case", "select", "function", "done", "fi", "esac", "}"];

/// A script, split into simple commands and those into words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    commands: Vec<Vec<String>>,
}

/// One program started by a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invocation<'s> {
    /// The program without its path.
    pub program: &'s str,
    /// The program as written.
    pub path: &'s str,
    /// The words after it.
    pub arguments: &'s [String],
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

/// For a word that only runs what follows it: which of its flags take a word of their own, and how many words it takes
/// besides.
fn prefix(program: &str) -> Option<(&'static [&'static str], usize)> {
    Some(match program {
        "sudo" | "doas" => (&["-u", "-g", "-h", "-p", "-C", "-U", "-D"], 0),
        "env" => (&["-u", "-C", "-S"], 0),
        "timeout" => (&["-s", "-k", "--signal", "--kill-after"], 1),
        "nice" => (&["-n"], 0),
        "time" | "nohup" | "command" | "exec" | "builtin" | "stdbuf" => (&["-f", "-o"], 0),
        _ => return None,
    })
}

/// Where the command that is really meant starts.
fn start(words: &[String]) -> Option<usize> {
    let mut at = 0;
    loop {
        let word = words.get(at)?.as_str();
        if STRUCTURE.contains(&word) {
            return None;
        }
        if is_assignment(word) || KEYWORDS.contains(&word) {
            at += 1;
        } else if let Some((with_value, operands)) = prefix(base_name(word)) {
            at += 1;
            while let Some(flag) = words.get(at).filter(|word| word.starts_with('-')) {
                at += 1 + usize::from(with_value.contains(&flag.as_str()));
            }
            at += operands;
        } else {
            return Some(at);
        }
    }
}

impl Script {
    /// Splits a script.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut splitter = Splitter { rest: text, ..Splitter::default() };
        while splitter.commands.len() < MOST_COMMANDS && splitter.step() {}
        splitter.end_command();
        Self { commands: splitter.commands }
    }

    /// The programs that it starts, in order.
    pub fn invocations(&self) -> impl Iterator<Item = Invocation<'_>> {
        self.commands.iter().filter_map(|words| {
            let at = start(words)?;
            let path = words.get(at)?.as_str();
            Some(Invocation { program: program_name(path), path, arguments: words.get(at + 1..)? })
        })
    }

    /// The first program that does the script's work.
    #[must_use]
    pub fn program(&self) -> Option<String> {
        self.program_within(3)
    }

    fn program_within(&self, depth: usize) -> Option<String> {
        let chosen = self
            .invocations()
            .find(|found| !PREPARATIONS.contains(&found.program))
            .or_else(|| self.invocations().next())?;
        // `bash -lc "…"`: what counts is inside.
        if depth > 0 && matches!(chosen.program, "bash" | "sh" | "zsh" | "dash") {
            let flag = chosen
                .arguments
                .iter()
                .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'));
            let inner = flag.and_then(|at| chosen.arguments.get(at + 1)).map(|script| Self::parse(script));
            if let Some(program) = inner.and_then(|script| script.program_within(depth - 1)) {
                return Some(program);
            }
        }
        Some(chosen.program.to_owned()).filter(|program| !program.is_empty())
    }

    /// The file that a hashline script is told to edit.
    #[must_use]
    pub fn hashline_target(&self) -> Option<&str> {
        self.commands.iter().find_map(|words| {
            let is_script = |word: &String| {
                matches!(
                    base_name(word),
                    "hashline.py" | "hashline.ts" | "hashline-processor.py" | "hashline-processor.ts"
                )
            };
            let at = words.iter().position(is_script)?;
            let mut after = words.get(at + 1..)?.iter();
            (after.next()? == "edit").then(|| after.find(|word| !word.starts_with('-'))).flatten().map(String::as_str)
        })
    }
}

/// The name of a program: no path, no `.exe`.
fn program_name(path: &str) -> &str {
    let name = base_name(path);
    name.strip_suffix(".exe").unwrap_or(name)
}

#[derive(Default)]
struct Splitter<'t> {
    rest: &'t str,
    word: Option<String>,
    words: Vec<String>,
    commands: Vec<Vec<String>>,
    /// The next word is the target of a redirection.
    is_target: bool,
    /// The next word ends a here-document.
    is_delimiter: bool,
    delimiters: Vec<String>,
}

impl<'t> Splitter<'t> {
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn push(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            if self.is_delimiter {
                self.delimiters.push(word);
            } else if !self.is_target {
                self.words.push(word);
            }
            (self.is_delimiter, self.is_target) = (false, false);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.is_target = false;
        self.is_delimiter = false;
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }

    /// Text up to an ending character, both consumed; all that is left where it does not come.
    fn until(&mut self, end: char) -> &'t str {
        let text = self.take(self.rest.find(end).unwrap_or(self.rest.len()));
        self.take(end.len_utf8());
        text
    }

    fn double_quoted(&mut self) {
        self.push("");
        loop {
            let text = self.take(self.rest.find(['"', '\\']).unwrap_or(self.rest.len()));
            self.push(text);
            match self.take(1) {
                "\\" => {
                    let next = self.rest.chars().next().map_or(0, char::len_utf8);
                    let next = self.take(next);
                    if !matches!(next, "\"" | "\\" | "$" | "`" | "\n") {
                        self.push("\\");
                    }
                    self.push(next);
                }
                _ => return,
            }
        }
    }

    /// `$(…)`, kept in the word as it is.
    fn substitution(&mut self) {
        let mut depth = 0_usize;
        for (at, letter) in self.rest.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let text = self.take(at + 1);
                return self.push(text);
            }
        }
        let text = self.take(self.rest.len());
        self.push(text);
    }

    fn here_documents(&mut self) {
        for delimiter in std::mem::take(&mut self.delimiters) {
            while !self.rest.is_empty() {
                if self.until('\n').trim_start_matches('\t') == delimiter {
                    break;
                }
            }
        }
    }

    fn redirection(&mut self, first: &str) {
        // The number before it is a file descriptor.
        if self.word.as_ref().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        let more = self.rest.len() - self.rest.trim_start_matches(['<', '>', '&', '|']).len();
        let operator = self.take(more);
        self.is_delimiter = first == "<" && operator == "<";
        if self.is_delimiter && self.rest.starts_with('-') {
            self.take(1);
        }
        self.is_target = !self.is_delimiter;
    }

    fn step(&mut self) -> bool {
        let plain =
            self.rest.find([' ', '\t', '\r', '\n', '\'', '"', '\\', '`', '$', '#', ';', '&', '|', '(', ')', '<', '>']);
        let plain = plain.unwrap_or(self.rest.len());
        if plain > 0 {
            let text = self.take(plain);
            self.push(text);
            return true;
        }
        match self.take(1) {
            "" => return false,
            " " | "\t" | "\r" => self.end_word(),
            "\n" => {
                self.end_command();
                self.here_documents();
            }
            "'" => {
                let text = self.until('\'');
                self.push(text);
            }
            "\"" => self.double_quoted(),
            "\\" => {
                let next = self.rest.chars().next().map_or(0, char::len_utf8);
                let next = self.take(next);
                if next != "\n" {
                    self.push(next);
                }
            }
            "`" => {
                let text = self.until('`');
                self.push(text);
            }
            "$" => {
                self.push("$");
                if self.rest.starts_with('(') {
                    self.substitution();
                }
            }
            "#" if self.word.is_none() => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            }
            "#" => self.push("#"),
            "&" if self.rest.starts_with('>') => {
                self.take(1);
                self.redirection(">");
            }
            direction @ ("<" | ">") => self.redirection(direction),
            _ => self.end_command(),
        }
        true
    }
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
