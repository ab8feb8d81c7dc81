//! Whatever the bytes: no panic, and the same opinion as SQLite on what is JSON.

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        "[a-z/\\\\\"\n .&|<>$'(#]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(known_key(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Keys that mean something to the decoder, so that values of every type get everywhere.
fn known_key() -> impl Strategy<Value = String> {
    let known = "type tool callID state text time synthetic cost tokens reason status input output title metadata error role \
        model path summary diffs additions deletions content name command filePath pattern patchText truncated exit dir \
        sessionId filediff files results diff data message statusCode start end cache read write agents skills skill shellID \
        providerID modelID id created finish outcome";
    let known: Vec<String> = known.split_whitespace().map(str::to_owned).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => any::<String>()]
}

fn object(entries: Vec<(String, Value)>, key: &str, value: &str) -> Value {
    let mut map: Map<String, Value> = entries.into_iter().collect();
    map.insert(key.to_owned(), Value::from(value));
    Value::Object(map)
}

fn entries() -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::vec((known_key(), any_json()), 0..10)
}

const KINDS: [&str; 12] = [
    "user",
    "assistant",
    "system",
    "synthetic",
    "skill",
    "shell",
    "compaction",
    "agent-switched",
    "model-switched",
    "idle",
    "",
    "new",
];
const TOOLS: [&str; 12] =
    ["bash", "read", "edit", "write", "multiedit", "apply_patch", "patch", "skill", "task", "invalid", "grep", "mcp_x"];

std::thread_local! {
    static SQLITE: rusqlite::Connection = rusqlite::Connection::open_in_memory().unwrap();
}

/// SQLite's own opinion.
fn is_valid_for_sqlite(text: &str) -> bool {
    SQLITE.with(|connection| connection.query_row("select json_valid(?1)", [text], |row| row.get(0)).unwrap())
}

fn is_json_here(text: &str) -> bool {
    !matches!(
        decode_part(text.as_bytes()),
        Err(Reason::NotJson { .. } | Reason::TooDeep { .. } | Reason::NotUtf8 { .. })
    )
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in prop::sample::select(KINDS.to_vec())) {
        let _ = decode_part(&bytes);
        let _ = decode_message(&bytes);
        let _ = decode_v2_row(kind, &bytes);
    }

    #[test]
    fn any_object_with_a_type_decodes(
        found in entries(), kind in "[a-z-]{1,12}", tool in prop::sample::select(TOOLS.to_vec()), state in any_json(),
    ) {
        let part = object(found.clone(), "type", &kind).to_string();
        prop_assert_eq!(decode_part(part.as_bytes()).unwrap().r#type, Some(kind.as_str().into()));
        let call = json!({"type": "tool", "tool": tool, "state": state}).to_string();
        prop_assert_eq!(decode_part(call.as_bytes()).unwrap().tool, Some(tool.into()));
        let message = object(found.clone(), "role", &kind).to_string();
        prop_assert_eq!(decode_message(message.as_bytes()).unwrap().kind, Some(kind.as_str().into()));
        for kind in KINDS {
            decode_v2_row(kind, part.as_bytes()).unwrap();
            let item: Map<_, _> = found.iter().cloned().collect();
            let content = json!({"content": [item, {"type": "tool", "name": tool, "state": state}]}).to_string();
            let row = decode_v2_row(kind, content.as_bytes()).unwrap();
            prop_assert!(kind != "assistant" || row.parts.len() == 3, "a start, the item, the call");
            for part in row.parts {
                prop_assert!(serde_json::from_slice::<Value>(&part.raw).unwrap().is_object());
            }
        }
    }

    #[test]
    fn made_parts_are_json(found in entries(), kind in prop::sample::select(KINDS.to_vec())) {
        let row = object(found, "agent", "build").to_string();
        for part in decode_v2_row(kind, row.as_bytes()).unwrap().parts {
            prop_assert!(serde_json::from_slice::<Value>(&part.raw).is_ok());
            prop_assert_eq!(part.fields.data_chars, i64::try_from(part.raw.len()).ok());
        }
    }

    #[test]
    fn truncations_never_decode(found in entries(), cut in any::<prop::sample::Index>()) {
        let part = object(found, "type", "tool").to_string();
        let cut = cut.index(part.len());
        prop_assert!(decode_part(&part.as_bytes()[..cut]).is_err());
        prop_assert!(decode_v2_row("assistant", &part.as_bytes()[..cut]).is_err());
        let longer = format!("{part}}}");
        prop_assert!(decode_part(longer.as_bytes()).is_err());
    }

    #[test]
    fn sqlite_agrees(
        found in entries(), at in any::<prop::sample::Index>(),
        junk in prop::sample::select(vec!["", "\"", "\\", "\\u12", "\\ud800", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\n", "\u{1}", "\u{b}", "null", "é", "/", "'"]),
    ) {
        let mut text = object(found, "type", "text").to_string();
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, junk);
        prop_assert_eq!(is_json_here(&text), is_valid_for_sqlite(&text), "{}", text);
    }

    #[test]
    fn texts_decode_as_serde_says(text in any::<String>(), limit in 0_usize..30) {
        let raw = Value::from(text.as_str()).to_string();
        let part = format!("{{\"type\":\"tool\",\"tool\":\"write\",\"state\":{{\"status\":\"completed\",\"title\":{raw},\"input\":{{\"content\":{raw}}},\"output\":{raw}}}}}");
        let fields = decode_part(part.as_bytes()).unwrap();
        prop_assert_eq!(fields.title.as_deref().unwrap_or_default(), &*text);
        prop_assert_eq!(fields.output_chars, Some(text.chars().count() as i64));
        prop_assert_eq!(fields.additions, Some(text.split_inclusive('\n').count() as i64));
        let whole: String = text.chars().take(limit).collect();
        prop_assert_eq!(crate::model::text::cut(&text, limit), whole);
    }
}

#[test]
fn sqlite_agrees_on_the_odd_ones() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deep_objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let mut cases: Vec<String> = [
        "",
        " ",
        "{}",
        " {} ",
        "{}x",
        "{} {}",
        "{,}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "null",
        "truex",
        "tru",
        "01",
        "-",
        "-0",
        "-01",
        "1.",
        ".5",
        "1.5e",
        "1e+5",
        "1E-5",
        "+1",
        "0x1",
        "NaN",
        "Infinity",
        "1e999",
        "--1",
        "1.2.3",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u1234\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud83d\\ude00\"",
        "\"\\udc00\"",
        "\"a\tb\"",
        "\"\u{7f}\"",
        "\"\\",
        "\"\\u",
        "\"\\u00",
        "{\"\\ud800\":1}",
        "/*c*/{}",
        "{} // c",
        "\u{feff}{}",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[\n1\r,\t2 ]",
        "\u{c}[]",
        "{\"a\":1,\"a\":2}",
        "[}",
        "{]",
        "[[]",
        "{\"a\":[}",
        "123456789012345678901234567890",
        "\"\\/\"",
        "[\"a\",]",
    ]
    .map(str::to_owned)
    .into();
    cases.extend([999, 1000, 1001, 100_000].map(deep));
    cases.extend([999, 1000, 1001, 100_000].map(deep_objects));
    cases.extend(
        [999, 1000, 1001].map(|levels| format!("{{\"type\":\"tool\",\"state\":{{\"input\":{}}}}}", deep(levels - 2))),
    );
    for text in cases {
        assert_eq!(is_json_here(&text), is_valid_for_sqlite(&text), "{}", crate::model::text::cut(&text, 80));
    }
}
