//! Reports of databases of every shape make sense: one session, none, four hundred skills, sixty models.

use crate::harness::{Place, fixture};
use crate::pages::{changed, folder, is_closed, json_of, read, report_of};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// What must hold of any page.
fn makes_sense(out: &Path) -> (String, String) {
    let (html, markdown) = (read(&out.join("index.html")), read(&out.join("report.md")));
    is_closed(&html);
    let ours = "(?s)<style>.*?</style>|<pre.*?</pre>|<details class=\"about\".*?</details>";
    let shown = regex::Regex::new(ours).expect("a pattern").replace_all(&html, "").into_owned();
    for text in ["NaN", "inf ", "undefined", "None", "−0.0", "null"] {
        assert!(!shown.contains(&format!(">{text}<")), "{text} is on the page");
    }
    let parts: Vec<&str> = markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let wanted = [
        "Findings",
        "What changed",
        "Spend",
        "Skills",
        "Edits",
        "Loops",
        "Intents and RLM",
        "Tools",
        "Trends",
        "How far to trust this",
    ];
    assert_eq!(parts, wanted, "the parts in their order");
    let headings: Vec<&str> = html
        .split("<h2 ")
        .skip(1)
        .map(|rest| rest.split('>').nth(1).unwrap_or_default().split('<').next().unwrap_or_default())
        .collect();
    assert_eq!(headings, wanted);
    (html, markdown)
}

#[test]
fn no_session_is_said_once_in_each_part() {
    let place = Place::new();
    let db = place.path("empty.db");
    let database = Connection::open(&db).expect("opened");
    database.execute_batch(&read(&fixture("opencode/schema-1.18.33.sql"))).expect("made");
    drop(database);
    let out = folder(&place, &place.on(&db, &["report", "--all", "--out", "out"]).ok());
    let (html, markdown) = makes_sense(&out);
    assert!(html.contains("No session was recorded"));
    assert!(!html.contains("class=\"chart"), "there is nothing to draw");
    assert!(markdown.contains("Nothing stands out in this period."));
    for line in [
        "No skill was loaded",
        "No edits were recorded",
        "No loops were recorded",
        "No routing decisions",
        "No RLM runs",
        "No tool call was recorded",
    ] {
        assert_eq!(markdown.matches(line).count(), 1, "{line}");
    }
    assert!(html.len() < 200_000, "{} bytes", html.len());
}

#[test]
fn one_session_is_a_whole_report() {
    let place = Place::new();
    let out = report_of(&place, &changed(&place, "one-session"), &fixture("home-dev"), &[]);
    let (html, markdown) = makes_sense(&out);
    let json = json_of(&out);
    assert_eq!(json["metrics"]["overview"][0]["sessions"], 1);
    assert_eq!(json["headline"][1]["value"].as_f64(), Some(1.0));
    assert!(html.contains("Explain cart totals") && markdown.contains("Explain cart totals"));
    assert!(!html.contains("class=\"sparkline\""), "one period is no line");
}

#[test]
fn sixty_models_are_seven_series_and_a_table() {
    let place = Place::new();
    let out = report_of(&place, &changed(&place, "sixty-models"), &fixture("home-dev"), &[]);
    let (html, _) = makes_sense(&out);
    let json = json_of(&out);
    let models = json["metrics"]["by_model"].as_array().expect("models").len();
    assert!(models >= 50, "{models}");
    let (_, chart) = html.split_once("aria-labelledby=\"c-daily-w-t").expect("the daily chart");
    assert!(
        chart.split("</svg>").next().expect("svg").contains(" others</text>"),
        "the many small ones are one series"
    );
    assert!(html.contains("30 more rows") && html.contains(&format!("{} more rows: <code>", models - 40)));
}

#[test]
fn four_hundred_skills_are_the_top_ones_and_a_fold() {
    let place = Place::new();
    for number in 0..400 {
        let folder = place.path(&format!("skilled/.config/opencode/skills/skill-{number:03}"));
        fs::create_dir_all(&folder).expect("folder");
        let text = format!(
            "---\nname: skill-{number:03}\ndescription: The skill number {number} of four hundred\n---\nDo it.\n"
        );
        fs::write(folder.join("SKILL.md"), text).expect("written");
    }
    let out = report_of(&place, &changed(&place, "many-skills"), &place.path("skilled"), &[]);
    let (html, markdown) = makes_sense(&out);
    let json = json_of(&out);
    assert_eq!(json["metrics"]["overview"][0]["skills_installed"], 400);
    let unused = json["metrics"]["skill_unused"].as_array().expect("rows").len();
    assert!(unused >= 200, "{unused}");
    assert!(html.contains("more rows: <code>logicoma metrics run skill_unused --"), "the page holds no endless table");
    assert!(html.len() < 1_500_000 && markdown.len() < 1_500_000);
}
