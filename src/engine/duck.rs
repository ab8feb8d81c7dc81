//! DuckDB: one in-memory database over the store's files, one connection a worker.
//!
//! Input: SQL. Output: [`Table`]s. Nothing is ever installed, loaded or fetched, and after [`Duck::reach`] the database
//! opens only the files that were named.

use super::sandbox::Select;
use super::spill::Spill;
use super::table::{Column, Data, Table, Unit};
use crate::error::EngineError;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use camino::{Utf8Path, Utf8PathBuf};
use duckdb::{Config, Connection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What DuckDB may hold before it spills to disk; see [`Duck::without_limit`].
const MEMORY: &str = "136MB";

/// A database and the right to run SQL in it.
pub struct Duck {
    connection: Connection,
    /// Goes after the last connection.
    spill: Arc<Spill>,
}

/// Errors of DuckDB without the noise around them.
#[must_use]
pub fn message(error: &duckdb::Error) -> String {
    let text = match error {
        duckdb::Error::DuckDBFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    text.trim().to_owned()
}

fn start(error: &duckdb::Error) -> EngineError {
    EngineError::Start { message: message(error) }
}

impl Duck {
    /// Opens an empty database in memory. `scratch` takes what does not fit into memory.
    ///
    /// # Errors
    /// DuckDB does not start.
    pub fn open(threads: usize, scratch: &Utf8Path) -> Result<Self, EngineError> {
        let spill = Arc::new(Spill::below(scratch));
        let config = Config::default()
            .enable_autoload_extension(false)
            .and_then(|config| config.with("autoinstall_known_extensions", "false"))
            .and_then(|config| config.with("threads", threads.to_string()))
            .and_then(|config| config.with("temp_directory", spill.folder().as_str()))
            .and_then(|config| config.with("preserve_insertion_order", "true"))
            .and_then(|config| config.max_memory(MEMORY))
            .map_err(|error| start(&error))?;
        let connection = Connection::open_in_memory_with_flags(config).map_err(|error| start(&error))?;
        Ok(Self { connection, spill })
    }

    /// Threads that queries may use.
    ///
    /// # Errors
    /// DuckDB does not tell.
    pub fn threads(&self) -> Result<usize, EngineError> {
        let table = self.query("threads", "select cast(current_setting('threads') as bigint) as threads", &[])?;
        Ok(table.value(0, 0).as_i64().and_then(|count| usize::try_from(count).ok()).unwrap_or(1).max(1))
    }

    /// One thread a query from now on: for many small queries side by side.
    ///
    /// # Errors
    /// The settings are locked.
    pub fn one_thread_each(&self) -> Result<(), EngineError> {
        self.batch("threads", "set threads = 1")
    }

    /// Lifts the limit on memory to DuckDB's own, for work that cannot spill.
    ///
    /// # Errors
    /// The settings are locked.
    pub fn without_limit(&self) -> Result<(), EngineError> {
        self.batch("memory", "reset memory_limit")
    }

    /// Another connection to the same database, for another thread.
    ///
    /// # Errors
    /// DuckDB gives none.
    pub fn again(&self) -> Result<Self, EngineError> {
        let connection = self.connection.try_clone().map_err(|error| start(&error))?;
        Ok(Self { connection, spill: Arc::clone(&self.spill) })
    }

    /// From now on only these files are opened, and what is below the folder, for good. The list is exact: a link or a
    /// foreign file inside the store is as far away as any other. DuckDB would write to them as well: that nothing but one
    /// SELECT is run of a user's texts is for [`super::sandbox`].
    ///
    /// # Errors
    /// DuckDB refuses the settings.
    pub fn reach(&self, files: &[Utf8PathBuf], folder: Option<&Utf8Path>) -> Result<(), EngineError> {
        let list = |paths: &[&Utf8Path]| {
            paths.iter().map(|path| super::scope::literal(path.as_str())).collect::<Vec<_>>().join(", ")
        };
        let files = list(&files.iter().map(Utf8PathBuf::as_path).collect::<Vec<_>>());
        let folders = list(&folder.into_iter().collect::<Vec<_>>());
        self.batch(
            "reach",
            &format!(
                "set allowed_paths = [{files}]; set allowed_directories = [{folders}]; set enable_external_access = false"
            ),
        )
    }

    /// From now on no setting can be changed.
    ///
    /// # Errors
    /// DuckDB refuses.
    pub fn lock(&self) -> Result<(), EngineError> {
        self.batch("lock", "set lock_configuration = true")
    }

    /// Runs statements of the program's own that give nothing.
    ///
    /// # Errors
    /// DuckDB rejects them; `file` is named.
    pub fn batch(&self, file: &str, sql: &str) -> Result<(), EngineError> {
        self.connection.execute_batch(sql).map_err(|error| EngineError::of_duckdb(file, message(&error)))
    }

    /// Runs one query with positional parameters.
    ///
    /// # Errors
    /// DuckDB rejects it; `file` is named.
    pub fn query(&self, file: &str, sql: &str, parameters: &[String]) -> Result<Table, EngineError> {
        let fail = |error: &duckdb::Error| EngineError::of_duckdb(file, message(error));
        let mut statement = self.connection.prepare(sql).map_err(|error| fail(&error))?;
        let batches: Vec<RecordBatch> =
            statement.query_arrow(duckdb::params_from_iter(parameters)).map_err(|error| fail(&error))?.collect();
        let schema = statement.schema();
        let mut table = Table {
            columns: schema
                .fields()
                .iter()
                .map(|field| Column {
                    name: field.name().clone(),
                    unit: unit_of(field.name(), field.data_type()),
                    data: empty(field.data_type()),
                })
                .collect(),
        };
        for batch in &batches {
            for (column, array) in table.columns.iter_mut().zip(batch.columns()) {
                append(&mut column.data, array.as_ref()).map_err(|problem| {
                    let message = format!("the values of column '{}' cannot be shown: {problem}", column.name);
                    EngineError::Sql { file: file.to_owned(), message }
                })?;
            }
        }
        Ok(table)
    }

    /// Runs one query. One over Parquet that is prepared is planned twice, when it is prepared and when it is run, which is
    /// most of the time of most metrics: the answer goes by way of a table, which is planned once. What cannot become a table
    /// (`describe …`), or fails, is run as it stands, so that errors are about its own text.
    ///
    /// # Errors
    /// As [`Duck::query`].
    pub fn answer(&self, select: Select<'_>) -> Result<Table, EngineError> {
        let Select { file, sql } = select;
        match self.batch(file, &format!("create or replace temp table own_answer as\n{sql}\n")) {
            Ok(()) => self.query(file, "from own_answer", &[]),
            Err(_) => self.query(file, sql, &[]),
        }
    }

    /// Names of a view's columns.
    ///
    /// # Errors
    /// There is no such view.
    pub fn columns(&self, view: &str) -> Result<Vec<String>, EngineError> {
        let described = self.query(view, &format!("select column_name from (describe \"{view}\")"), &[])?;
        Ok((0..described.len()).map(|row| described.value(row, 0).to_text()).collect())
    }
}

/// The unit that a name alone tells.
fn unit_of(name: &str, kind: &DataType) -> Unit {
    match kind {
        DataType::Date32 => Unit::Date,
        DataType::Timestamp(..) => Unit::At,
        DataType::Int64 if name.ends_with("_at") => Unit::At,
        _ => Unit::Name,
    }
}

fn empty(kind: &DataType) -> Data {
    match kind {
        DataType::Boolean => Data::Bool(Vec::new()),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Timestamp(..)
        | DataType::Decimal128(_, 0) => Data::Int(Vec::new()),
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => Data::Float(Vec::new()),
        DataType::Date32 => Data::Date(Vec::new()),
        _ => Data::Text(Vec::new()),
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers that no 64 bits hold")]
fn append(data: &mut Data, array: &dyn Array) -> Result<(), String> {
    let cast = |kind: &DataType| arrow::compute::cast(array, kind).map_err(|error| error.to_string());
    match data {
        Data::Bool(values) => values.extend(array.as_boolean().iter()),
        Data::Int(values) => {
            let array = match array.data_type() {
                DataType::Timestamp(..) => {
                    let millis = cast(&DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None))?;
                    arrow::compute::cast(&millis, &DataType::Int64).map_err(|error| error.to_string())?
                }
                DataType::Decimal128(_, 0) => {
                    let wide = array.as_primitive::<Decimal128Type>();
                    if wide.iter().flatten().all(|value| i64::try_from(value).is_ok()) {
                        values.extend(wide.iter().map(|value| value.and_then(|value| i64::try_from(value).ok())));
                        return Ok(());
                    }
                    // Larger than any number of ours: about right is better than unknown.
                    *data = Data::Float(values.iter().map(|value| value.map(|value| value as f64)).collect());
                    return append(data, array);
                }
                _ => cast(&DataType::Int64)?,
            };
            values.extend(array.as_primitive::<Int64Type>().iter());
        }
        Data::Float(values) => values.extend(cast(&DataType::Float64)?.as_primitive::<Float64Type>().iter()),
        Data::Date(values) => values.extend(array.as_primitive::<arrow::datatypes::Date32Type>().iter()),
        Data::Text(values) => {
            let options = arrow::util::display::FormatOptions::default();
            match array.data_type() {
                DataType::Utf8 => values.extend(array.as_string::<i32>().iter().map(|text| text.map(str::to_owned))),
                DataType::Null => values.extend(std::iter::repeat_n(None, array.len())),
                _ => {
                    let formatter = arrow::util::display::ArrayFormatter::try_new(array, &options)
                        .map_err(|error| error.to_string())?;
                    values.extend(
                        (0..array.len()).map(|row| array.is_valid(row).then(|| formatter.value(row).to_string())),
                    );
                }
            }
        }
    }
    Ok(())
}

impl Table {
    /// Gives columns the units that a header names.
    #[must_use]
    pub fn with_units(mut self, units: &BTreeMap<String, Unit>) -> Self {
        for column in &mut self.columns {
            if let Some(unit) = units.get(&column.name) {
                column.unit = *unit;
            }
        }
        self
    }
}
