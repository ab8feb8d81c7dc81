//! `logicoma report`: refresh, measure, render. The main job.

mod demo;
mod files;
mod fill;
mod history;
mod ours;
mod stamp;

use crate::cli::Usage;
use crate::cli::context::{Context, Known, texts_of};
use crate::cli::globals::Format;
use crate::engine::fanout::{Measured, Task};
use crate::engine::findings;
use crate::engine::scope::Scope;
use crate::engine::table::Table;
use crate::metric::{Layer, QueryFile};
use crate::model::period::{Period, PeriodSpec};
use crate::render::{self, RenderOptions, Report};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Options of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The report goes to OUT/<period>/: index.html (one self-contained file), report.md with its .svg charts, report.json.
Default period: the last 7 days. A Monday timer runs `logicoma report --week last`; running it again changes nothing.
OUT/index.html and OUT/index.md list all reports. Only what an earlier report left there is ever replaced.
Try it without any database: logicoma report --demo")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Folder of all reports; this one goes to `OUT/<period>/` [default: reports/out]
    #[arg(long, value_name = "DIR")]
    out: Option<Utf8PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["html", "markdown", "json"])]
    format: Vec<Output>,
    /// Also write every metric's rows to `OUT/<period>/data/`
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    data: Vec<DataKind>,
    /// Measure and render only when something changed since the report was made: the data, the skills, a query, a
    /// template, an option, or (while the period runs) the day
    #[arg(long)]
    if_changed: bool,
    /// Compare with the stretch before, with nothing, or with another period (2026-W40, 2026-09, 2026-09-01..2026-09-30)
    #[arg(long, value_name = "previous|none|PERIOD", default_value = "previous")]
    compare: String,
    /// Theme: default, section9, contrast, or one of your own [default: default]
    #[arg(long, value_name = "T")]
    theme: Option<String>,
    /// Replace titles, paths, commands and error texts by stable short hashes, so that the report can be shared
    #[arg(long)]
    redact: bool,
    /// Open the report in the browser
    #[arg(long)]
    open: bool,
    /// A new store keeps no raw JSON
    #[arg(long)]
    no_content: bool,
    /// A report of embedded demo data: works on any machine, reads nothing of yours
    #[arg(long)]
    demo: bool,
}

/// Files of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// index.html
    Html,
    /// report.md and its charts
    Markdown,
    /// report.json
    Json,
}

/// Files of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DataKind {
    /// Comma-separated, with a header line
    Csv,
    /// Parquet, zstd
    Parquet,
}

impl DataKind {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Parquet => Format::Parquet,
        }
    }
}

/// Earlier periods drawn as sparklines beside the headline numbers.
const HISTORY: usize = 12;
/// Runs the verb.
///
/// # Errors
/// Anything that stops a report: no database, an unreadable one, an unwritable folder, a wrong template.
pub fn run(context: Context, args: &Args) -> anyhow::Result<()> {
    if args.demo {
        let demo = demo::Demo::unpack()?;
        let context = demo.context(context)?;
        return write(&context, args, demo.folder().map(|folder| (folder.as_str(), demo::Demo::SHOWN)));
    }
    write(&context, args, None)
}

/// The theme asked for.
fn theme(context: &Context, args: &Args) -> String {
    args.theme.clone().or_else(|| context.settings.text("theme")).unwrap_or_else(|| "default".into())
}

/// `shown_as` replaces the start of paths in what is written.
fn write(context: &Context, args: &Args, shown_as: Option<(&str, &str)>) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let mut ready = context.known(PeriodSpec::Last("7d".into()), args.no_content.then_some(false))?;
    let out =
        args.out.clone().or_else(|| context.settings.path("out")).unwrap_or_else(|| Utf8PathBuf::from("reports/out"));
    let metrics = ready.registry.metrics();
    ours::check(
        &out,
        &ready.scope.period.name,
        &metrics.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>(),
    )?;
    let options = RenderOptions { folders: templates(context), ..RenderOptions::default() };
    let compared = compared_period(&ready.scope, &args.compare)?;
    let mut stamp = stamp::Stamp::of(&ready, args, &theme(context, args), compared.as_ref(), &options)?;
    let folder = out.join(&ready.scope.period.name);
    if let Some(known) = stamp::Stamp::in_folder(&folder, args).filter(|known| known.hash == stamp.hash) {
        if args.if_changed {
            context.printer.note(&format!("nothing changed since {}: the report is as it was", known.made_at));
            return say_where(context, args, &folder);
        }
        if !ready.scope.period.is_unfinished {
            // Nothing that the report depends on has changed, so that it stays the report of then.
            ready.scope.now = known.made_at;
            stamp = known;
        }
    }
    let (report, failures) = measure(context, args, &ready, compared, shown_as)?;
    // Paths of the demo are of this run only, and so would its stamp be.
    let report = Report { stamp: shown_as.is_none().then(|| stamp.text()), ..report };
    for failure in failures {
        context.printer.warn(&failure);
    }
    let report = render::shown(&report);
    let rendered = render::render_shown(&report, &RenderOptions { formats: names(&args.format), ..options.clone() })?;
    let tables = report.metrics.iter().filter_map(|metric| Some((metric.name.as_str(), metric.result.as_ref().ok()?)));
    let files = files::files(&rendered, &args.format, &args.data, tables)?;
    let (folder, is_new) = files::write(&out, &ready.scope.period.name, &files)?;
    files::write_index(&out, &report.theme, &options)?;
    for line in &rendered.summary {
        context.printer.note(line);
    }
    if !is_new {
        context.printer.note("nothing changed: the report is as it was");
    }
    tracing::info!(elapsed_ms = started.elapsed().as_millis(), "report written");
    say_where(context, args, &folder)
}

/// Prints where the report is, and opens it when that is wanted.
fn say_where(context: &Context, args: &Args, folder: &Utf8Path) -> anyhow::Result<()> {
    let main = if args.format.contains(&Output::Html) { folder.join("index.html") } else { folder.to_owned() };
    context.printer.data(format!("{main}\n").as_bytes())?;
    if args.open {
        open::that_detached(main.as_std_path())?;
    }
    Ok(())
}

fn names(formats: &[Output]) -> Vec<&'static str> {
    formats
        .iter()
        .map(|format| match format {
            Output::Html => "html",
            Output::Markdown => "markdown",
            Output::Json => "json",
        })
        .collect()
}

/// The report in numbers, and what could not be measured.
fn measure(
    context: &Context,
    args: &Args,
    ready: &Known,
    compared: Option<Period>,
    shown_as: Option<(&str, &str)>,
) -> anyhow::Result<(Report, Vec<String>)> {
    let mut texts = texts_of(&ready.registry.metrics());
    texts.extend(texts_of(&ready.registry.layer(Layer::Finding).collect::<Vec<_>>()));
    texts.push(format!("raw_quarantine raw_part raw_session {}", history::VIEWS));
    let asker = ready.asker(texts);
    let metrics = ready.registry.metrics();
    let earlier = earlier_periods(&ready.scope);
    let mut tasks: Vec<Task<'_>> = metrics.iter().map(|metric| Task { metric, period: &ready.scope.period }).collect();
    let comparable: Vec<&QueryFile> =
        metrics.iter().copied().filter(|metric| render::COMPARED.contains(&metric.name.as_str())).collect();
    tasks.extend(compared.iter().flat_map(|period| comparable.iter().map(move |metric| Task { metric, period })));
    let comparisons = tasks.len();
    tasks.extend(findings::tasks(&ready.registry, &ready.scope.period));
    let mut measured = asker.measure(&tasks)?;
    let found = findings::join(measured.split_off(comparisons));
    let previous = tables(measured.split_off(metrics.len()));
    let history = history::measure(&asker, &earlier)?;
    let mut failures: Vec<String> =
        measured.iter().filter_map(|one| one.result.as_ref().err()).map(ToString::to_string).collect();
    failures.extend(found.failures.iter().map(ToString::to_string));
    let mut report = fill::report(context, (ready, &asker), args, compared.clone(), measured, previous, history)?;
    report.findings = fill::findings(&found.table, &ready.registry);
    if let Some((folder, shown)) = shown_as {
        fill::show_as(&mut report, folder, shown);
    }
    Ok((report, failures))
}

/// Folders whose templates win over the embedded ones, most important first.
fn templates(context: &Context) -> Vec<Utf8PathBuf> {
    let own = context.environment.config_folder().map(|folder| folder.join("reports"));
    [Utf8PathBuf::from("reports")].into_iter().chain(own).filter(|folder| folder.is_dir()).collect()
}

fn compared_period(scope: &Scope, compare: &str) -> anyhow::Result<Option<Period>> {
    let spec = match compare {
        "none" => return Ok(None),
        "previous" => return Ok(scope.period.previous(scope.now, &scope.zone)),
        text if text.contains("-W") => PeriodSpec::Week(text.to_owned()),
        text if text.ends_with(['d', 'w', 'm']) => PeriodSpec::Last(text.to_owned()),
        text => match text.split_once("..") {
            Some((since, until)) => {
                let side = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                PeriodSpec::Range { since: side(since), until: side(until) }
            }
            None => PeriodSpec::Month(text.to_owned()),
        },
    };
    let period = spec.resolve(scope.now, &scope.zone).map_err(|_| {
        Usage(format!("--compare '{compare}': write previous, none, 2026-W40, 2026-09 or 2026-09-01..2026-09-30"))
    })?;
    Ok(Some(period))
}

fn tables(measured: Vec<Measured<'_>>) -> BTreeMap<String, Table> {
    measured.into_iter().filter_map(|one| one.result.ok().map(|table| (one.metric.name.clone(), table))).collect()
}

/// Whole periods before this one, oldest first; none for periods without length. An unfinished period is compared with the
/// same stretch, but a sparkline shows what the others became.
fn earlier_periods(scope: &Scope) -> Vec<Period> {
    let mut periods = Vec::new();
    let mut period = Period { is_unfinished: false, ..scope.period.clone() };
    while periods.len() + 1 < HISTORY
        && let Some(before) = period.previous(scope.now, &scope.zone)
    {
        periods.push(before.clone());
        period = before;
    }
    periods.reverse();
    periods
}
