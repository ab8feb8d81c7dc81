//! `logicoma report`: refresh, measure, render. The main job.

mod demo;
mod files;
mod fill;
mod history;

use crate::cli::Usage;
use crate::cli::context::{Context, texts_of};
use crate::engine::fanout::{Measured, Task};
use crate::engine::findings;
use crate::engine::scope::Scope;
use crate::engine::table::Table;
use crate::metric::{Layer, QueryFile};
use crate::model::period::{Period, PeriodSpec};
use crate::render::{self, RenderOptions};
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// Options of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The report goes to OUT/<period>/: index.html (one self-contained file), report.md with its .svg charts, report.json.
Default period: the last 7 days. A Monday timer runs `logicoma report --week last`; running it again changes nothing.
Try it without any database: logicoma report --demo")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Folder of all reports; this one goes to `OUT/<period>/` [default: reports/out]
    #[arg(long, value_name = "DIR")]
    out: Option<Utf8PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["html", "markdown", "json"])]
    format: Vec<Output>,
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

/// `shown_as` replaces the start of paths in what is written.
fn write(context: &Context, args: &Args, shown_as: Option<(&str, &str)>) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let ready = context.known(PeriodSpec::Last("7d".into()), args.no_content.then_some(false))?;
    let mut texts = texts_of(&ready.registry.metrics());
    texts.extend(texts_of(&ready.registry.layer(Layer::Finding).collect::<Vec<_>>()));
    texts.push(format!("raw_quarantine raw_part raw_session {}", history::VIEWS));
    let asker = ready.asker(texts);
    let compared = compared_period(&ready.scope, &args.compare)?;
    let metrics = ready.registry.metrics();
    let earlier = earlier_periods(&ready.scope);
    let mut tasks: Vec<Task<'_>> = metrics.iter().map(|metric| Task { metric, period: &ready.scope.period }).collect();
    let comparable: Vec<&QueryFile> =
        metrics.iter().copied().filter(|metric| render::COMPARED.contains(&metric.name.as_str())).collect();
    tasks.extend(compared.iter().flat_map(|period| comparable.iter().map(move |metric| Task { metric, period })));
    let mut measured = asker.measure(&tasks)?;
    let previous = tables(measured.split_off(metrics.len()));
    let history = history::measure(&asker, &earlier)?;
    for failed in measured.iter().filter_map(|one| one.result.as_ref().err()) {
        context.printer.warn(&format!("{failed}"));
    }
    let headline = fill::headline(&measured);
    let found = findings::find(&asker, &ready.registry, &ready.scope.period)?;
    for failure in &found.failures {
        context.printer.warn(&failure.to_string());
    }
    let mut report = fill::report(context, (&ready, &asker), args, compared.clone(), measured, previous, history)?;
    report.findings = fill::findings(&found.table);
    if let Some((folder, shown)) = shown_as {
        fill::show_as(&mut report, folder, shown);
    }
    let options = RenderOptions { folders: templates(context) };
    let rendered = render::render_report(&report, &options)?;
    let out =
        args.out.clone().or_else(|| context.settings.path("out")).unwrap_or_else(|| Utf8PathBuf::from("reports/out"));
    let folder = files::write(&out, &ready.scope.period.name, &rendered, &args.format)?;
    files::write_index(&out, &report.theme, &options)?;
    context.printer.note(&headline);
    tracing::info!(elapsed_ms = started.elapsed().as_millis(), "report written");
    let main = if args.format.contains(&Output::Html) { folder.join("index.html") } else { folder };
    context.printer.data(format!("{main}\n").as_bytes())?;
    if args.open {
        open::that_detached(main.as_std_path())?;
    }
    Ok(())
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
