//! Rows as the real programs wrote them (1.2.27 and 1.18.33), shortened, and rows that nobody should write.

use super::*;

pub(super) fn part(json: &str) -> PartFields<'_> {
    decode_part(json.as_bytes()).unwrap()
}

fn message(json: &str) -> MessageFields<'_> {
    decode_message(json.as_bytes()).unwrap()
}

/// A call with its state's other members.
pub(super) fn call(tool: &str, state: &str) -> String {
    format!(
        "{{\"type\":\"tool\",\"tool\":\"{tool}\",\"callID\":\"call_1\",\"state\":{{{state},\"time\":{{\"start\":5,\"end\":9}}}}}}"
    )
}

macro_rules! assert_texts {
    ($fields:expr, $($name:ident = $value:expr),+ $(,)?) => { $( assert_eq!($fields.$name.as_deref(), $value.into(), stringify!($name)); )+ };
}
pub(super) use assert_texts;

#[test]
fn bash() {
    let row = call(
        "bash",
        r#""status":"completed","input":{"command":"cd /a && npm test","description":"Test"},"output":"1 failing\n","metadata":{"output":"1 failing\n","exit":1,"truncated":false},"title":"Run \"tests\"""#,
    );
    let fields = part(&row);
    assert_texts!(
        fields,
        tool = "bash",
        call_id = "call_1",
        status = "completed",
        program = "npm",
        command = "cd /a && npm test",
        title = "Run \"tests\""
    );
    assert_eq!((fields.exit_code, fields.output_chars, fields.input_chars), (Some(1), Some(10), Some(52)));
    assert_eq!((fields.started_at, fields.ended_at), (Some(5), Some(9)));
    assert_eq!((fields.is_truncated, fields.is_interrupted, fields.edit_format), (Some(false), Some(false), None));
}

#[test]
fn bash_broken_off() {
    let state = |text: &str| {
        call(
            "bash",
            &format!(
                r#""status":"completed","input":{{"command":"sleep 600"}},"output":"x\n<shell_metadata>\n{text}\n</shell_metadata>","metadata":{{"exit":null}}"#
            ),
        )
    };
    for text in ["User aborted the command", "shell tool terminated command after exceeding timeout 5000 ms"] {
        let row = state(text);
        assert_eq!((part(&row).is_interrupted, part(&row).exit_code), (Some(true), None));
    }
    let quoted = call(
        "bash",
        r#""status":"completed","input":{"command":"cat log"},"output":"User aborted the command","metadata":{"exit":0}"#,
    );
    assert_eq!(part(&quoted).is_interrupted, Some(false));
    let flagged =
        call("edit", r#""status":"error","input":{},"error":"Tool execution aborted","metadata":{"interrupted":true}"#);
    assert_eq!(part(&flagged).is_interrupted, Some(true));
    assert_texts!(part(&flagged), edit_outcome = "aborted", edit_error_class = "aborted");
    assert_eq!(
        part(r#"{"type":"tool","tool":"bash","state":{"status":"running","input":{"command":"x"}}}"#).is_interrupted,
        None
    );
}

#[test]
fn skill_tool() {
    let loaded = call(
        "skill",
        r#""status":"completed","input":{"name":"db-migrations"},"output":"<skill_content name=\"other\">\nBase directory for this skill: /elsewhere","metadata":{"name":"db-migrations","dir":"/w/.opencode/skills/db-migrations","truncated":false},"title":"Loaded skill: db-migrations""#,
    );
    assert_texts!(
        part(&loaded),
        skill_name = "db-migrations",
        skill_via = "skill_tool",
        skill_dir = "/w/.opencode/skills/db-migrations",
        available_skills = None
    );
    let unknown = call(
        "skill",
        r#""status":"error","input":{"name":"pr_review"},"error":"Error: Skill \"pr_review\" not found. Available skills: pr-review, changelog""#,
    );
    assert_texts!(
        part(&unknown),
        skill_name = "pr_review",
        status = "error",
        available_skills = "pr-review,changelog",
        skill_dir = None
    );
    for (input, name) in [
        (r#""skill_name":"a""#, Some("a")),
        (r#""id":"b""#, Some("b")),
        (r#""name":"""#, None),
        (r#""name":3"#, None),
        ("", None),
    ] {
        let row = call("skill", &format!(r#""status":"completed","input":{{{input}}}"#));
        assert_texts!(part(&row), skill_name = name, skill_via = name.map(|_| "skill_tool"));
    }
}

#[test]
fn skills_without_the_tool() {
    let read = call(
        "read",
        r#""status":"completed","input":{"filePath":"/w/.opencode/skills/ops/perf-audit/SKILL.md"},"output":"x""#,
    );
    assert_texts!(
        part(&read),
        skill_name = "perf-audit",
        skill_via = "read",
        skill_dir = "/w/.opencode/skills/ops/perf-audit"
    );
    let cat = call(
        "bash",
        r#""status":"completed","input":{"command":"cat .claude/skills/pr/SKILL.md"},"output":"x","metadata":{"exit":0}"#,
    );
    assert_texts!(part(&cat), skill_name = "pr", skill_via = "bash", target_path = None);
    let router = call(
        "bash",
        r#""status":"completed","input":{"command":"bash .opencode/skills/formatter/router.sh check"},"output":"x","metadata":{"exit":0}"#,
    );
    assert_texts!(part(&router), skill_name = "formatter", skill_via = "bash_router");
    let slash = r##"{"type":"text","text":"# x\n\nBase directory for this skill: file:///w/skills/release-notes\nRelative paths in this skill (e.g., scripts/) are relative to this base directory.\n\n\"for 2.4\""}"##;
    assert_texts!(
        part(slash),
        skill_name = "release-notes",
        skill_via = "slash",
        skill_dir = "/w/skills/release-notes"
    );
    assert_texts!(part(r#"{"type":"text","text":"see Base directory for this skill: "}"#), skill_name = None);
}

#[test]
fn subagents() {
    let new = call(
        "task",
        r#""status":"completed","input":{"description":"d","prompt":"p","subagent_type":"explore","command":"audit"},"output":"<task id=\"ses_b\" state=\"completed\">","metadata":{"parentSessionId":"ses_a","sessionId":"ses_b","model":{"modelID":"m","providerID":"p"}}"#,
    );
    assert_texts!(
        part(&new),
        subagent_type = "explore",
        child_session_id = "ses_b",
        subagent_model = "p/m",
        command = None
    );
    let bare = call(
        "task",
        r#""status":"completed","input":{"subagent_type":"explore"},"output":"task_id: ses_347ec7 (for resuming to continue)\n\n""#,
    );
    assert_texts!(part(&bare), child_session_id = "ses_347ec7", subagent_model = None);
    let failed = call("task", r#""status":"error","input":{},"error":"Subagent failed (task_id: ses_c1): boom""#);
    assert_texts!(part(&failed), child_session_id = "ses_c1");
    let cancelled =
        call("task", r#""status":"error","input":{},"error":"Task cancelled","metadata":{"sessionId":"ses_d"}"#);
    assert_eq!(
        (part(&cancelled).is_interrupted, part(&cancelled).child_session_id.as_deref()),
        (Some(true), Some("ses_d"))
    );
}

#[test]
fn other_tools() {
    assert_texts!(
        part(&call("grep", r#""status":"completed","input":{"pattern":"fetch\\(","path":"/w/src"},"output":"""#)),
        command = "fetch\\(",
        target_path = "/w/src"
    );
    assert_texts!(
        part(&call("webfetch", r#""status":"completed","input":{"url":"http://x/"},"output":"a""#)),
        command = "http://x/"
    );
    assert_texts!(
        part(&call("websearch", r#""status":"completed","input":{"query":"q"},"output":"a""#)),
        command = "q"
    );
    assert_texts!(
        part(&call("invalid", r#""status":"completed","input":{"tool":"search_inventory","error":"e"},"output":"a""#)),
        asked_tool = "search_inventory"
    );
    assert_texts!(
        part(&call("inventory_lookup_sku", r#""status":"failed","input":{"sku":"A"},"error":"unknown sku""#)),
        status = "error",
        error = "unknown sku"
    );
    let read = call(
        "read",
        r#""status":"completed","input":{"filePath":"/a"},"output":"x","metadata":{"truncated":true},"time":{"start":1,"end":2,"compacted":3}"#,
    );
    assert_eq!((part(&read).is_truncated, part(&read).program.as_deref()), (Some(true), None));
}

#[test]
fn texts_and_steps() {
    let fields = part(r#"{"type":"text","text":"\"No, use é instead\"","time":{"start":1}}"#);
    assert_eq!(
        (fields.text_chars, fields.is_synthetic, fields.is_correction, fields.started_at),
        (Some(19), Some(false), Some(true), Some(1))
    );
    assert_eq!(part(r#"{"type":"text","text":"Node is fine"}"#).is_correction, Some(false));
    let injected = part(r#"{"type":"text","text":"no","synthetic":true}"#);
    assert_eq!((injected.is_synthetic, injected.is_correction), (Some(true), None));
    assert_eq!(part(r#"{"type":"text","text":"no","ignored":true}"#).is_synthetic, Some(true));
    assert_eq!(
        part(r#"{"type":"reasoning","text":"\ud83d\ude00\ud83d cut","time":{"start":1,"end":2}}"#).text_chars,
        Some(6)
    );
    let step = part(
        r#"{"reason":"tool-calls","snapshot":"9","type":"step-finish","tokens":{"total":6190,"input":3200,"output":90.0,"reasoning":0,"cache":{"write":2900,"read":7}},"cost":0.021825}"#,
    );
    assert_texts!(step, finish = "tool-calls");
    assert_eq!((step.cost, step.tokens_input, step.tokens_output), (Some(0.021_825), Some(3200), Some(90)));
    assert_eq!(
        (step.tokens_reasoning, step.tokens_cache_read, step.tokens_cache_write),
        (Some(0), Some(7), Some(2900))
    );
    assert_texts!(part(r#"{"type":"brand-new","x":[{}]}"#), r#type = "brand-new");
}

#[test]
fn odd_values_are_unknown() {
    let fields = part(
        r#"{"type":"step-finish","tokens":{"input":"12","output":1.5,"reasoning":1e400,"cache":{"read":9223372036854775808,"write":-3e0}},"cost":1e999,"reason":[]}"#,
    );
    assert_eq!((fields.tokens_input, fields.tokens_output, fields.tokens_reasoning), (None, None, None));
    assert_eq!((fields.tokens_cache_read, fields.tokens_cache_write), (None, Some(-3)));
    assert_eq!((fields.cost, fields.finish), (None, None));
    assert_texts!(part(r#"{"type":"tool","tool":null,"callID":7,"state":[1,{"a":"}"}]}"#), tool = None, status = None);
    assert_texts!(part(r#"{"type":"tool","tool":"x","state":{"status":"odd"}}"#), status = "odd");
    assert_texts!(part(r#"{"\u0074ype":"t\u0065xt"}"#), r#type = "text");
    let cut = call("bash", r#""status":"completed","title":"a\ud83d","output":"b\ud83d""#);
    assert_texts!(part(&cut), title = "a\u{fffd}");
    assert_eq!(part(&cut).output_chars, Some(2));
    let long = call(
        "bash",
        &format!(
            r#""status":"error","title":"{0}","error":"Error: {0}","input":{{"command":"{0}"}}"#,
            r"\né".repeat(3000)
        ),
    );
    assert_eq!(part(&long).title.unwrap().chars().count(), 500);
    assert_eq!(part(&long).error.unwrap().chars().count(), 2_000);
    assert_eq!(part(&long).command.unwrap().chars().count(), 4_000);
}

#[test]
fn messages() {
    let fields = message(
        r#"{"parentID":"msg_1","role":"assistant","mode":"build","path":{"cwd":"/w","root":"/"},"cost":0.5,"tokens":{"total":1,"input":2,"output":3,"reasoning":4,"cache":{"write":5,"read":6}},"modelID":"m","providerID":"p","time":{"created":7,"completed":8},"finish":"stop","summary":true}"#,
    );
    assert_texts!(
        fields,
        kind = "assistant",
        role = "assistant",
        agent = "build",
        parent_message_id = "msg_1",
        cwd = "/w",
        finish = "stop",
        model_id = "m",
        provider_id = "p"
    );
    assert_eq!(
        (fields.cost, fields.tokens_input, fields.tokens_cache_write, fields.created_at, fields.completed_at),
        (Some(0.5), Some(2), Some(5), Some(7), Some(8))
    );
    assert_eq!((fields.is_summary, fields.is_prompt), (Some(true), None));
    let user = message(
        r#"{"role":"user","time":{"created":1},"agent":"plan","model":{"providerID":"p","modelID":"m","variant":"high"},"summary":{"title":"t","diffs":[{"file":"a","additions":3,"deletions":1},{"file":"b","additions":2}]}}"#,
    );
    assert_texts!(user, agent = "plan", model_id = "m", provider_id = "p", variant = "high");
    assert_eq!(
        (user.diff_file_count, user.diff_additions, user.diff_deletions, user.is_summary),
        (Some(2), Some(5), Some(1), None)
    );
    assert_eq!(message(r#"{"role":"user","summary":{"title":"t"}}"#).diff_file_count, None);
    let failed = message(
        r#"{"role":"assistant","error":{"name":"APIError","data":{"message":"Unsupported","statusCode":400,"responseHeaders":{"a":"b"}}}}"#,
    );
    assert_texts!(failed, error_name = "APIError", error_message = "Unsupported");
    assert_eq!((failed.error_status, failed.is_summary), (Some(400), Some(false)));
    assert_texts!(
        message(r#"{"role":"assistant","error":"boom"}"#),
        error_name = "UnknownError",
        error_message = "boom"
    );
    assert_texts!(message(r#"{"role":"assistant","error":null}"#), error_name = None);
    assert_texts!(message(r#"{"role":"system"}"#), kind = "system", role = None);
}

#[test]
fn what_is_quarantined() {
    let of = |data: &[u8]| decode_part(data).unwrap_err();
    assert_eq!(of(b"{\"type\":\"te\xff\"}"), Reason::NotUtf8 { at: 11 });
    assert_eq!(of(b""), Reason::NotJson { at: 0 });
    assert_eq!(of(br#"{"type":"text""#), Reason::NotJson { at: 14 });
    assert_eq!(of(br#"{"type":"text"}x"#), Reason::NotJson { at: 15 });
    assert_eq!(of(br#"{"type":"text","a":{"b":[1,2,}}"#), Reason::NotJson { at: 29 });
    assert_eq!(of(br#"{"type":"text","a":"\uZZZZ"}"#), Reason::NotJson { at: 22 });
    assert_eq!(of(br#"["type"]"#), Reason::NotObject);
    assert_eq!(of(b"{}"), Reason::NoType);
    assert_eq!(of(br#"{"type":1}"#), Reason::TypeNotString);
    assert_eq!(decode_message(b"{}"), Err(Reason::NoRole));
    assert_eq!(decode_message(br#"{"role":null}"#), Err(Reason::RoleNotString));
    assert_eq!(Reason::NotJson { at: 3 }.to_string(), "data is not valid JSON at byte 3");
    let nested = format!("{}1{}", "{\"filediff\":".repeat(990), "}".repeat(990));
    assert_eq!(part(&call("edit", &format!("\"status\":\"completed\",\"metadata\":{nested}"))).additions, None);
    let deep = format!("{{\"type\":\"x\",\"a\":{}}}", "[".repeat(100_000));
    assert!(matches!(of(deep.as_bytes()), Reason::TooDeep { .. }));
}

#[test]
fn prompts() {
    let is_prompt = |parts: &[&str]| {
        let mut evidence = PromptEvidence::default();
        for json in parts {
            PromptEvidence::observe(&part(json), || &mut evidence);
        }
        evidence.is_prompt()
    };
    let (real, injected) = (r#"{"type":"text","text":"a"}"#, r#"{"type":"text","text":"a","synthetic":true}"#);
    assert!(is_prompt(&[]));
    assert!(is_prompt(&[real]));
    assert!(is_prompt(&[injected, real]));
    assert!(is_prompt(&[injected, r#"{"type":"file"}"#]));
    assert!(is_prompt(&[r#"{"type":"subtask"}"#]));
    assert!(!is_prompt(&[injected]));
    assert!(!is_prompt(&[r#"{"type":"text","text":"a","ignored":true}"#]));
    assert!(!is_prompt(&[r#"{"type":"compaction","auto":true}"#]));
}
