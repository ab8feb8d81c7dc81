//! What can go wrong with query files and with running them.

use super::{Exit, Hint, Lack, StoreError};
use camino::Utf8PathBuf;
use thiserror::Error;

/// Metric, mart and query files.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A header line is wrong.
    #[error("{file}:{line}: {problem}")]
    Header {
        /// File as shown to the user.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Nothing of that name.
    #[error("there is no {what} called '{name}'")]
    Unknown {
        /// metric, query, table …
        what: &'static str,
        /// As asked for.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A file of the user's folders cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// From the system.
        source: std::io::Error,
    },
}

impl Hint for RegistryError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Header { .. } => "queries/README.md says what a header holds".into(),
            Self::Unknown { what, nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean '{nearest}'?"),
                None if *what == "metric" => "`logicoma metrics list` shows all of them".into(),
                None => "`logicoma queries` shows what can be asked".into(),
            },
            Self::Io { path, .. } => format!("check that {path} can be read by you"),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } => Exit::Unreadable,
            _ => Exit::Usage,
        }
    }
}

/// Running SQL and pipelines.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// DuckDB says no.
    #[error("{file}: {message}")]
    Sql {
        /// The file (with line where known) or '-c'.
        file: String,
        /// DuckDB's text.
        message: String,
    },
    /// The machine gives out, whatever the SQL.
    #[error("{file}: {message}")]
    Machine {
        /// The file or '-c'.
        file: String,
        /// DuckDB's text.
        message: String,
        /// Of what there is not enough.
        lack: Lack,
    },
    /// What metrics read cannot be made.
    #[error("cannot build {path}")]
    Build {
        /// The folder.
        path: Utf8PathBuf,
        /// What the machine lacks.
        source: Box<EngineError>,
    },
    /// The statement does more than select.
    #[error("{file}: only one SELECT statement is allowed: {problem}")]
    NotSelect {
        /// The file or '-c'.
        file: String,
        /// Why.
        problem: String,
    },
    /// A parameter is missing or superfluous.
    #[error("{file}: {problem}")]
    Parameter {
        /// The file or '-c'.
        file: String,
        /// Which.
        problem: String,
    },
    /// A polars pipeline failed.
    #[error("pipeline {metric}: {message}")]
    Pipeline {
        /// The metric.
        metric: String,
        /// polars' text.
        message: String,
    },
    /// DuckDB itself cannot start.
    #[error("the query engine cannot start: {message}")]
    Start {
        /// DuckDB's text.
        message: String,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EngineError {
    /// What DuckDB says of a file's SQL.
    #[must_use]
    pub fn of_duckdb(file: &str, message: String) -> Self {
        let file = file.to_owned();
        match Lack::told(&message) {
            Some(lack) => Self::Machine { file, message, lack },
            None => Self::Sql { file, message },
        }
    }

    /// The same while something is built below `path`, which nobody's own SQL asks for.
    #[must_use]
    pub fn while_building(self, path: &camino::Utf8Path) -> Self {
        match self {
            Self::Machine { .. } => Self::Build { path: path.to_owned(), source: Box::new(self) },
            other => other,
        }
    }
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Sql { .. } => {
                Some("`logicoma schema` lists views and columns; `logicoma queries` shows examples".into())
            }
            Self::NotSelect { .. } => Some("the store is read-only: write one SELECT (or WITH … SELECT)".into()),
            Self::Parameter { .. } => {
                Some("bind `?` in order with --param VALUE, `$name` with --param name=VALUE".into())
            }
            Self::Machine { lack, .. } => Some(lack.hint_for_store()),
            Self::Build { source, .. } => source.hint(),
            Self::Store(error) => error.hint(),
            Self::Start { message } => Lack::told(message).map(Lack::hint_for_store),
            Self::Pipeline { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            // A query may ask for more memory than there is.
            Self::Machine { lack: Lack::Memory, .. } => Exit::Sql,
            Self::Machine { .. } | Self::Build { .. } => Exit::Store,
            Self::Start { message } if Lack::told(message).is_some() => Exit::Store,
            _ => Exit::Sql,
        }
    }
}
