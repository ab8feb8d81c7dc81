//! The template environment: embedded templates, the user's own on top, escaping by kind of file.
//!
//! Input: the folders in which a user may have put templates. Output: a [`Templates`] that renders by name. What comes out
//! of `{{ }}` is cleaned of control characters and escaped: as HTML in `.html` and `.svg`, as Markdown in `.md`.

use std::borrow::Cow;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use rust_embed::RustEmbed;

use super::error::RenderError;
use super::{filters, format};

#[derive(RustEmbed)]
#[folder = "reports/"]
#[exclude = "out/*"]
struct Embedded;

/// Name of the escaping of `.md`.
const MARKDOWN: &str = "markdown";

/// Templates, themes and the layout, by name: the first of the user's folders that has it wins, then the embedded one.
#[derive(Debug, Clone)]
pub struct Templates {
    folders: Vec<Utf8PathBuf>,
}

impl Templates {
    /// With the user's `reports/` folders, most important first.
    #[must_use]
    pub fn new(folders: Vec<Utf8PathBuf>) -> Self {
        Self { folders }
    }

    /// Text of a file by its name below `reports/`; nothing by a name that leads elsewhere.
    ///
    /// # Errors
    /// When a user's file exists but cannot be read, or is a link that leads out of its folder.
    pub fn text(&self, name: &str) -> Result<Option<String>, RenderError> {
        if !Utf8Path::new(name).components().all(|part| matches!(part, Utf8Component::Normal(_))) {
            return Ok(None);
        }
        for folder in &self.folders {
            let path = folder.join(name);
            match read(&path, folder) {
                Ok(text) => return Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(RenderError::Io { path, source }),
            }
        }
        Ok(Embedded::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()))
    }

    /// Text of a file that is always there.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn needed(&self, name: &str) -> Result<String, RenderError> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// A hash of all templates, the user's and ours.
    ///
    /// # Errors
    /// When a user's file cannot be read.
    pub fn key(&self) -> Result<String, RenderError> {
        use sha2::{Digest, Sha256};
        let mut names: Vec<String> = Embedded::iter().map(Cow::into_owned).chain(self.themes_by_name()).collect();
        names.sort();
        names.dedup();
        let mut hash = Sha256::new();
        for name in names {
            hash.update(name.as_bytes());
            hash.update(self.needed(&name)?.as_bytes());
        }
        Ok(crate::model::digest::hex(&hash.finalize()))
    }

    fn themes_by_name(&self) -> Vec<String> {
        self.themes().into_iter().map(|name| format!("themes/{name}.css")).collect()
    }

    /// Style sheet of a theme.
    ///
    /// # Errors
    /// When there is no such theme.
    pub fn theme(&self, name: &str) -> Result<String, RenderError> {
        let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        let text = if is_plain { self.text(&format!("themes/{name}.css"))? } else { None };
        text.ok_or_else(|| RenderError::Theme { name: name.to_owned(), known: self.themes() })
    }

    fn themes(&self) -> Vec<String> {
        let embedded = Embedded::iter().map(Cow::into_owned).filter(|name| name.starts_with("themes/"));
        let own = self.folders.iter().flat_map(|folder| {
            let files = std::fs::read_dir(folder.join("themes")).into_iter().flatten().flatten();
            files.map(|file| file.file_name().to_string_lossy().into_owned())
        });
        let mut names: Vec<String> = embedded
            .chain(own)
            .filter_map(|name| name.trim_start_matches("themes/").strip_suffix(".css").map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Renders a template.
    ///
    /// # Errors
    /// When a template cannot be parsed or rendered; the error names it and the line.
    pub fn render(&self, name: &str, context: &Value) -> Result<String, RenderError> {
        let env = self.environment();
        let template = env.get_template(name).map_err(|error| self.error(name, error))?;
        template.render(context).map_err(|error| self.error(name, error))
    }

    fn environment(&self) -> Environment<'static> {
        let mut env = Environment::new();
        let files = self.clone();
        env.set_loader(move |name| {
            files.text(name).map_err(|error| {
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string()).with_source(error)
            })
        });
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_syntax(whitespace());
        env.set_auto_escape_callback(|name| match name.rsplit('.').next() {
            Some("html" | "svg") => AutoEscape::Html,
            Some("md") => AutoEscape::Custom(Cow::Borrowed(MARKDOWN)),
            _ => AutoEscape::None,
        });
        env.set_formatter(write_escaped);
        filters::add(&mut env);
        env
    }

    fn error(&self, asked: &str, error: minijinja::Error) -> RenderError {
        let innermost = innermost(&error);
        let name = innermost.name().unwrap_or(asked);
        let own = self.folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        let message = innermost
            .detail()
            .map_or_else(|| innermost.kind().to_string(), |detail| format!("{}: {detail}", innermost.kind()));
        RenderError::Template {
            template: own.map_or_else(|| format!("reports/{name}"), Utf8PathBuf::into_string),
            line: innermost.line(),
            message,
            source: Box::new(error),
        }
    }
}

/// Text of a file inside of a folder: whoever wrote a project may have laid a link there to what is none of its business.
fn read(path: &Utf8Path, folder: &Utf8Path) -> std::io::Result<String> {
    if !path.canonicalize_utf8()?.starts_with(folder.canonicalize_utf8()?) {
        return Err(std::io::Error::other(format!("a link leads out of {folder}")));
    }
    std::fs::read_to_string(path)
}

/// Template tags leave neither blank lines nor indentation behind.
fn whitespace() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default()
}

/// An error inside an included template or macro is wrapped by those that include it; the cause is what helps.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut found = error;
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(inner) = source.downcast_ref::<minijinja::Error>() {
            found = inner;
        }
        next = source.source();
    }
    found
}

fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(minijinja::ErrorKind::UndefinedError.into());
    }
    let text: Cow<'_, str> = match value.as_str() {
        Some(text) if value.is_safe() => return write(out, text),
        Some(text) => Cow::Owned(format::clean(text)),
        None if value.is_none() => Cow::Borrowed(format::UNKNOWN),
        None if matches!(value.kind(), ValueKind::Number | ValueKind::Bool) => return write(out, &value.to_string()),
        None => Cow::Owned(format::clean(&value.to_string())),
    };
    match state.auto_escape() {
        AutoEscape::Html => write(out, &html(&text)),
        AutoEscape::Custom(kind) if kind == MARKDOWN => write(out, &markdown(&text)),
        _ => write(out, &text),
    }
}

fn write(out: &mut Output<'_>, text: &str) -> Result<(), minijinja::Error> {
    out.write_str(text).map_err(minijinja::Error::from)
}

/// Text as HTML, for content and quoted attributes.
#[must_use]
pub(super) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// Text as Markdown, safe in a table's cell too: no markup, no HTML, no link, nobody mentioned.
#[must_use]
pub(super) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\n' | '\r' => safe.push(' '),
            '|' | '`' | '*' | '[' | ']' | '\\' | '~' => safe.extend(['\\', letter]),
            '_' if !(before.is_alphanumeric() && next.is_alphanumeric()) => safe.push_str("\\_"),
            '#' if next.is_ascii_digit() || before == ' ' => safe.push_str("\\#"),
            ':' if next == '/' => safe.push_str("&#58;"),
            '@' if next.is_alphanumeric() => safe.push_str("@\u{2060}"),
            '$' if !next.is_ascii_digit() => safe.push_str("\\$"),
            '.' if before == 'w' && next.is_alphanumeric() => safe.push_str("&#46;"),
            _ => safe.push(letter),
        }
        before = letter;
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{html, markdown};

    #[test]
    fn markup_from_data_is_text() {
        assert_eq!(html(r#"<a href="x">'&"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        assert_eq!(
            markdown("a|b `c` <d> skill_usage *e* @me #1"),
            "a\\|b \\`c\\` &lt;d&gt; skill_usage \\*e\\* @\u{2060}me \\#1"
        );
        assert_eq!(markdown("https://x.y"), "https&#58;//x.y");
    }
}
