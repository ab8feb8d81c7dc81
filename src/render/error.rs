//! What can go wrong while rendering: always with the template's name and line.

use camino::Utf8PathBuf;
use thiserror::Error;

/// Rendering a report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A template cannot be parsed or rendered.
    #[error("{template}{}: {message}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Template {
        /// Name of the template, relative to `reports/`, or the path of the user's own file.
        template: String,
        /// Line in it.
        line: Option<usize>,
        /// What the template engine says.
        message: String,
        /// From the template engine.
        #[source]
        source: Box<minijinja::Error>,
    },
    /// A user's template or theme exists but cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// From the system.
        source: std::io::Error,
    },
    /// No such theme among the user's and the embedded ones.
    #[error("no theme '{name}'; there are: {}", .known.join(", "))]
    Theme {
        /// As asked for.
        name: String,
        /// The themes that exist.
        known: Vec<String>,
    },
    /// `layout.toml` is not TOML of the right shape.
    #[error("reports/layout.toml{}: {message}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Layout {
        /// Line in it.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The report cannot be written as JSON.
    #[error("cannot write report.json")]
    Json(#[from] serde_json::Error),
}

impl RenderError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Template { .. } => Some(
                "templates under your own reports/ folder win over the built-in ones; remove or mend the named file"
                    .to_owned(),
            ),
            Self::Layout { .. } => Some("compare it with the built-in one, or remove your own".to_owned()),
            Self::Io { path, .. } => Some(format!("check that {path} can be read by you and is UTF-8 text")),
            Self::Theme { .. } => Some("a theme is a file reports/themes/NAME.css that sets CSS variables".to_owned()),
            Self::Json(_) => None,
        }
    }
}
