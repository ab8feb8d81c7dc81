//! Rows of the second generation, made by its published schema: no 2.x program could be run.

use super::*;

fn row<'a>(kind: &str, json: &'a str) -> V2Row<'a> {
    decode_v2_row(kind, json.as_bytes()).unwrap()
}

fn raw<'a>(part: &'a V2Part<'_>) -> &'a str {
    std::str::from_utf8(&part.raw).unwrap()
}

#[test]
fn assistant() {
    let found = row(
        "assistant",
        r#"{"agent":"build","model":{"id":"m","providerID":"p","variant":"high"},"content":[
        {"type":"reasoning","text":"hm","time":{"created":11,"completed":12}},
        {"type":"text","text":"No, Base directory for this skill: /x\nRelative paths in this skill"},
        {"type":"tool","id":"call_1","name":"shell","state":{"status":"completed","input":{"command":"git status"},"content":[{"type":"text","text":"ok\n"},{"type":"file","uri":"x"},{"type":"text","text":"é"}],"metadata":{"exit":0,"truncated":true}},"time":{"created":13,"ran":15,"completed":20}},
        7],"finish":"tool-calls","cost":0.25,"tokens":{"input":1,"output":2,"reasoning":3,"cache":{"read":4,"write":5}},"time":{"created":10,"completed":30}}"#,
    );
    let message = &found.message;
    assert_eq!(
        (message.kind.as_deref(), message.role.as_deref(), message.agent.as_deref()),
        (Some("assistant"), Some("assistant"), Some("build"))
    );
    assert_eq!(
        (message.model_id.as_deref(), message.provider_id.as_deref(), message.variant.as_deref()),
        (Some("m"), Some("p"), Some("high"))
    );
    assert_eq!(
        (message.cost, message.tokens_reasoning, message.created_at, message.completed_at),
        (Some(0.25), Some(3), Some(10), Some(30))
    );
    assert_eq!((message.is_summary, message.is_prompt), (Some(false), None));
    let kinds: Vec<_> = found.parts.iter().filter_map(|part| part.fields.r#type.as_deref()).collect();
    assert_eq!(kinds, ["step-start", "reasoning", "text", "tool", "step-finish"]);
    assert_eq!((found.parts[1].fields.started_at, found.parts[1].fields.ended_at), (Some(11), Some(12)));
    let text = &found.parts[2].fields;
    assert_eq!((text.is_synthetic, text.is_correction, text.skill_name.as_deref()), (Some(false), None, None));
    let tool = &found.parts[3].fields;
    assert_eq!(
        (tool.tool.as_deref(), tool.call_id.as_deref(), tool.status.as_deref()),
        (Some("bash"), Some("call_1"), Some("completed"))
    );
    assert_eq!(
        (tool.started_at, tool.ended_at, tool.output_chars, tool.exit_code),
        (Some(15), Some(20), Some(4), Some(0))
    );
    assert_eq!((tool.program.as_deref(), tool.is_truncated), (Some("git"), Some(true)));
    let end = &found.parts[4];
    assert_eq!(
        (end.fields.cost, end.fields.tokens_cache_write, end.fields.finish.as_deref()),
        (Some(0.25), Some(5), Some("tool-calls"))
    );
    assert_eq!(
        raw(end),
        r#"{"type":"step-finish","reason":"tool-calls","cost":0.25,"tokens":{"input":1,"output":2,"reasoning":3,"cache":{"read":4,"write":5}}}"#
    );
    assert_eq!(decode_part(&end.raw).unwrap(), end.fields);
}

fn tool(json: &str) -> PartFields<'_> {
    let fields = row("assistant", json).parts.remove(1).fields;
    assert_eq!(fields.r#type.as_deref(), Some("tool"));
    fields
}

#[test]
fn tools_by_their_new_names() {
    let edit = tool(
        r#"{"content":[{"type":"tool","id":"c","name":"edit","state":{"status":"completed","input":{"path":"src\\a.rs"},"content":[{"type":"text","text":"ok"}],"metadata":{"files":[{"file":"/w/src/a.rs","patch":"x","additions":2,"deletions":1,"status":"modified"}]}},"time":{"created":1}}]}"#,
    );
    assert_eq!(
        (edit.edit_format.as_deref(), edit.edit_outcome.as_deref(), edit.target_path.as_deref()),
        (Some("str_replace"), Some("applied"), Some("src/a.rs"))
    );
    assert_eq!(
        (edit.additions, edit.deletions, edit.file_count, edit.started_at),
        (Some(2), Some(1), Some(1), Some(1))
    );
    let failed = tool(
        r#"{"content":[{"type":"tool","id":"c","name":"edit","state":{"status":"error","input":{"path":"/w/denied/a.rs"},"error":{"type":"tool","message":"Could not find oldString in /w/denied/a.rs. It must match exactly, including whitespace and indentation."}}}]}"#,
    );
    assert_eq!(
        (failed.edit_outcome.as_deref(), failed.edit_error_class.as_deref()),
        (Some("format_error"), Some("not_found"))
    );
    assert!(failed.error.unwrap().starts_with("Could not find oldString"));
    let patch = tool(
        r#"{"content":[{"type":"tool","name":"patch","state":{"status":"streaming","input":"{\"patchText\":\"***"}}]}"#,
    );
    assert_eq!(
        (patch.tool.as_deref(), patch.status.as_deref(), patch.edit_format.as_deref()),
        (Some("apply_patch"), Some("pending"), Some("apply_patch"))
    );
    assert_eq!((patch.edit_outcome, patch.input_chars), (None, Some(22)));
    let child = tool(
        r#"{"content":[{"type":"tool","name":"subagent","state":{"status":"completed","input":{"agent":"explore","model":"p/m"},"content":[],"metadata":{"sessionID":"ses_1","status":"completed"}}}]}"#,
    );
    assert_eq!(
        (
            child.tool.as_deref(),
            child.subagent_type.as_deref(),
            child.child_session_id.as_deref(),
            child.subagent_model.as_deref()
        ),
        (Some("task"), Some("explore"), Some("ses_1"), Some("p/m"))
    );
    let skill = tool(
        r#"{"content":[{"type":"tool","name":"skill","state":{"status":"completed","input":{"id":"pr-review"},"content":[{"type":"text","text":"x"}],"metadata":{"name":"Review","directory":"/s/pr-review"}}}]}"#,
    );
    assert_eq!(
        (skill.skill_name.as_deref(), skill.skill_via.as_deref(), skill.skill_dir.as_deref()),
        (Some("pr-review"), Some("skill_tool"), Some("/s/pr-review"))
    );
    let unknown = tool(
        r#"{"content":[{"type":"tool","name":"skill","state":{"status":"error","input":{"name":"x"},"error":"Unable to load skill x"}}]}"#,
    );
    assert_eq!(
        (unknown.error.as_deref(), unknown.skill_name.as_deref(), unknown.available_skills),
        (Some("Unable to load skill x"), Some("x"), None)
    );
}

#[test]
fn what_users_and_programs_say() {
    let user = row(
        "user",
        r#"{"text":"No, \"this\"","files":[{"uri":"file:///a","mime":"text/plain"}],"agents":[{"name":"x"}],"skills":[{"id":"pr"},"db"],"time":{"created":1}}"#,
    );
    assert_eq!(
        (user.message.role.as_deref(), user.message.is_prompt, user.message.created_at),
        (Some("user"), Some(true), Some(1))
    );
    let kinds: Vec<_> = user.parts.iter().filter_map(|part| part.fields.r#type.as_deref()).collect();
    assert_eq!(kinds, ["text", "file", "agent", "skill", "skill"]);
    assert_eq!(raw(&user.parts[0]), r#"{"type":"text","text":"No, \"this\""}"#);
    assert_eq!((user.parts[0].fields.is_correction, user.parts[0].fields.text_chars), (Some(true), Some(10)));
    assert_eq!(raw(&user.parts[1]), r#"{"uri":"file:///a","mime":"text/plain"}"#);
    let skills: Vec<_> = user.parts[3..]
        .iter()
        .map(|part| (part.fields.skill_name.as_deref(), part.fields.skill_via.as_deref()))
        .collect();
    assert_eq!(skills, [(Some("pr"), Some("slash")), (Some("db"), Some("slash"))]);

    let synthetic = row("synthetic", r#"{"text":"no","description":"d","time":{"created":1}}"#);
    assert_eq!(
        (synthetic.message.kind.as_deref(), synthetic.message.role.as_deref(), synthetic.message.is_prompt),
        (Some("synthetic"), Some("user"), Some(false))
    );
    assert_eq!((synthetic.parts[0].fields.is_synthetic, synthetic.parts[0].fields.is_correction), (Some(true), None));

    let skill = row(
        "skill",
        r#"{"skill":"pr-review","name":"Review","text":"Actually a body\nBase directory for this skill: /s/pr-review\nRelative paths in this skill"}"#,
    );
    assert_eq!((skill.message.role.as_deref(), skill.parts.len()), (Some("user"), 1));
    let fields = &skill.parts[0].fields;
    assert_eq!(
        (fields.skill_name.as_deref(), fields.skill_via.as_deref(), fields.skill_dir.as_deref(), fields.is_correction),
        (Some("pr-review"), Some("slash"), Some("/s/pr-review"), None)
    );
}

#[test]
fn shell_of_the_user() {
    let found = row(
        "shell",
        r#"{"shellID":"sh_1","command":"npm test","status":"exited","exit":1,"output":{"output":"ab","cursor":2,"size":2,"truncated":false},"time":{"created":1,"completed":4}}"#,
    );
    assert_eq!(
        (found.message.role.as_deref(), found.message.cost, found.message.is_summary),
        (Some("assistant"), None, Some(false))
    );
    assert_eq!(found.parts.len(), 1);
    let fields = &found.parts[0].fields;
    assert_eq!(
        (fields.tool.as_deref(), fields.call_id.as_deref(), fields.status.as_deref(), fields.program.as_deref()),
        (Some("bash"), Some("sh_1"), Some("completed"), Some("npm"))
    );
    assert_eq!(
        (fields.exit_code, fields.output_chars, fields.started_at, fields.ended_at, fields.is_interrupted),
        (Some(1), Some(2), Some(1), Some(4), Some(false))
    );
    let killed = row("shell", r#"{"command":"x","status":"killed"}"#);
    assert_eq!(killed.parts[0].fields.is_interrupted, Some(true));
    assert_eq!(
        row("shell", r#"{"command":"x","status":"running"}"#).parts[0].fields.status.as_deref(),
        Some("running")
    );
}

#[test]
fn compactions_and_marks() {
    let found = row(
        "compaction",
        r#"{"status":"completed","reason":"auto","summary":"No more","recent":"r","cost":0.1,"tokens":{"input":5},"model":{"id":"m","providerID":"p"},"time":{"created":1}}"#,
    );
    assert_eq!(
        (found.message.role.as_deref(), found.message.is_summary, found.message.tokens_input),
        (Some("assistant"), Some(true), Some(5))
    );
    let kinds: Vec<_> = found.parts.iter().filter_map(|part| part.fields.r#type.as_deref()).collect();
    assert_eq!(kinds, ["step-start", "text", "step-finish"]);
    assert_eq!(found.parts[1].fields.is_correction, None);
    let failed = row(
        "compaction",
        r#"{"status":"failed","reason":"auto","error":{"type":"provider.auth","message":"no key","status":401}}"#,
    );
    assert_eq!(
        (failed.message.error_name.as_deref(), failed.message.error_message.as_deref(), failed.message.error_status),
        (Some("provider.auth"), Some("no key"), Some(401))
    );
    assert!(failed.parts.is_empty());
    for kind in ["system", "agent-switched", "model-switched", "location-switched", "idle", "never-seen"] {
        let found = row(kind, r#"{"text":"x","outcome":"succeeded","time":{"created":3}}"#);
        assert_eq!((found.message.role, found.message.is_prompt, found.message.created_at), (None, None, Some(3)));
        assert_eq!(found.message.kind.as_deref(), Some(kind));
        assert_eq!(found.message.finish.as_deref(), (kind == "idle").then_some("succeeded"));
        assert!(found.parts.is_empty());
    }
    assert_eq!(decode_v2_row("idle", b"[]"), Err(Reason::NotObject));
}
