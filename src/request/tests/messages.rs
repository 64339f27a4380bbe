use crate::predict::Prompt;
use crate::request::*;

fn read(body: &str) -> Result<Request<'_>, ReadError> {
    read_messages(body.as_bytes())
}

fn texts(body: &str, texts: &Texts) -> Vec<String> {
    texts.iter().map(|text| text.value(body.as_bytes()).into_owned()).collect()
}

/// A request of these members and one message.
fn with(members: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{members}}}"#)
}

#[test]
fn reads_what_routing_needs_in_any_order() {
    let body = r#"{"max_tokens":50,"messages":[
            {"content":[{"text":"first \n question","type":"text","cache_control":{"type":"ephemeral"}}],"role":"user"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
                {"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"42"}]},
                {"type":"text","text":"second"},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}],
        "model":"model-router","stream":true,"system":[{"type":"text","text":"be brief"}],
        "thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"low","format":{"schema":{},"type":"json_schema"}},
        "tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"auto"},"temperature":1,"metadata":{"user_id":"u"}}"#;
    let request = read(body).unwrap();
    assert_eq!((request.api, request.model.as_deref()), (Api::Messages, Some("model-router")));
    assert_eq!((request.effort.as_deref(), request.thinking.as_deref()), (Some("low"), Some("enabled")));
    assert_eq!((request.max_output, request.stream, request.messages), (Some(50), true, 3));
    assert_eq!(request.needs, Needs { images: true, tools: true, json_schema: true, ..Needs::default() });
    let conversation = &request.conversation;
    assert_eq!(texts(body, &conversation.system), ["be brief"]);
    assert_eq!(texts(body, &conversation.question), ["second"]);
    assert_eq!(texts(body, &conversation.opening), ["first \n question"]);
    assert_eq!((conversation.tool_results, conversation.answered), (1, true));
    assert!(conversation.earlier_tokens > 0 && conversation.earlier_tokens < request.input_tokens);
    let tools = request.members.get(body.as_bytes(), "tool_choice").unwrap();
    assert_eq!(tools.value.of(body.as_bytes()), br#"{"type":"auto"}"#);
}

#[test]
fn one_conversation_reads_alike_in_both_apis() {
    let (system, long) = ("You are a careful reviewer of Rust code.", "Please explain the borrow checker. ".repeat(40));
    let answer = "It tracks who owns what. ".repeat(60);
    let chat = format!(
        r#"{{"model":"m","messages":[{{"role":"system","content":"{system}"}},{{"role":"user","content":"{long}"}},
        {{"role":"assistant","content":"{answer}","tool_calls":[{{"id":"c1","type":"function","function":{{"name":"lookup","arguments":"{{\"page\":1}}"}}}}]}},
        {{"role":"tool","tool_call_id":"c1","content":"{answer}"}},{{"role":"user","content":"And lifetimes?"}}],"reasoning_effort":"high"}}"#
    );
    let messages = |before: &str, after: &str| {
        format!(
            r#"{{{before}"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"{long}"}},
            {{"role":"assistant","content":[{{"type":"text","text":"{answer}"}},{{"type":"tool_use","id":"c1","name":"lookup","input":{{"page":1}}}}]}},
            {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c1","content":"{answer}"}},{{"type":"text","text":"And lifetimes?"}}]}}],
            "output_config":{{"effort":"high"}}{after}}}"#
        )
    };
    let one = read_chat(chat.as_bytes()).unwrap();
    let member = format!(r#""system":"{system}""#);
    for body in [messages(&format!("{member},"), ""), messages("", &format!(",{member}"))] {
        let other = read(&body).unwrap();
        assert_eq!(Prompt::of(&one), Prompt::of(&other));
        assert_eq!(one.effort, other.effort);
        for (mine, its) in [
            (one.conversation.system, other.conversation.system),
            (one.conversation.question, other.conversation.question),
            (one.conversation.previous, other.conversation.previous),
            (one.conversation.opening, other.conversation.opening),
        ] {
            assert_eq!(texts(&chat, &mine), texts(&body, &its));
        }
        let near = |one: u32, other: u32| assert!(one.abs_diff(other) <= 12, "{one} {other}");
        near(one.input_tokens, other.input_tokens);
        near(one.conversation.earlier_tokens, other.conversation.earlier_tokens);
        assert_eq!((one.conversation.tool_results, one.conversation.answered), (1, true));
        assert_eq!((other.conversation.tool_results, other.conversation.answered), (1, true));
    }
}

#[test]
fn a_system_prompt_is_the_same_however_it_is_told() {
    for system in [r#""be brief""#, r#"[{"type":"text","text":"be brief"}]"#, r#"[{"text":"be brief","type":"text"}]"#]
    {
        let body = with(&format!(r#","system":{system}"#));
        assert_eq!(texts(&body, &read(&body).unwrap().conversation.system), ["be brief"]);
    }
    // What differs in every request is no part of the conversation.
    let body = with(
        r#","system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1; cch=ab12c;"},{"type":"text","text":"be brief"}]"#,
    );
    assert_eq!(texts(&body, &read(&body).unwrap().conversation.system), ["be brief"]);
    assert_eq!(read(&with(r#","system":null"#)).unwrap().conversation.system, Texts::default());
    // A system message among the others does not beat it.
    let body = r#"{"messages":[{"role":"system","content":"later"},{"role":"user","content":"x"}],"system":"first"}"#;
    assert_eq!(texts(body, &read(body).unwrap().conversation.system), ["first"]);
}

#[test]
fn blocks_tell_what_a_model_must_take() {
    let needs = |block: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{block}]}}]}}"#);
        read(&body).map(|request| (request.needs, request.input_tokens)).unwrap()
    };
    let (images, files) = (Needs { images: true, ..Needs::default() }, Needs { files: true, ..Needs::default() });
    let fetched = |needs: Needs| Needs { urls: true, ..needs };
    let data = "A".repeat(100_000);
    for (block, expected) in [
        (format!(r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}"#), images),
        (format!(r#"{{"source":{{"data":"{data}","type":"base64"}},"type":"document"}}"#), files),
        (r#"{"type":"document","source":{"type":"url","url":"https://a/b.pdf"}}"#.into(), fetched(files)),
        (r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"u"}}]}"#.into(), fetched(images)),
        (r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}"#.into(), files),
        (r#"{"type":"tool_result","tool_use_id":"t"}"#.into(), Needs::default()),
        (r#"{"type":"something_new","more":[[{}]],"content":{"a":[1]}}"#.into(), Needs::default()),
        (format!(r#"{{"type":"redacted_thinking","data":"{data}"}}"#), Needs::default()),
    ] {
        let (found, tokens) = needs(&block);
        assert_eq!(found, expected, "{}", &block[..block.len().min(80)]);
        assert!(tokens < 900, "encoded bytes are no text: {tokens}");
    }
    // Documents of text, results and calls are read.
    let long = "the quick brown fox ".repeat(200);
    for block in [
        format!(r#"{{"type":"document","source":{{"type":"text","media_type":"text/plain","data":"{long}"}}}}"#),
        format!(r#"{{"type":"document","source":{{"type":"content","content":[{{"type":"text","text":"{long}"}}]}}}}"#),
        format!(r#"{{"type":"tool_result","tool_use_id":"t","content":"{long}"}}"#),
        format!(r#"{{"content":[{{"text":"{long}","type":"text"}}],"tool_use_id":"t","type":"tool_result"}}"#),
        format!(r#"{{"type":"search_result","source":"u","title":"t","content":[{{"type":"text","text":"{long}"}}]}}"#),
        format!(r#"{{"type":"tool_use","id":"t","name":"f","input":{{"text":"{long}"}}}}"#),
    ] {
        let (_, tokens) = needs(&block);
        assert!((600..1200).contains(&tokens), "{tokens} {}", &block[..60]);
    }
}

#[test]
fn tool_choice_format_and_prefill() {
    let needs = |members: &str| read(&with(members)).unwrap().needs;
    for (choice, forced) in [("auto", false), ("none", false), ("any", true), ("tool", true)] {
        assert_eq!(
            needs(&format!(r#","tool_choice":{{"type":"{choice}","name":"f"}}"#)).forced_tool,
            forced,
            "{choice}"
        );
    }
    assert!(needs(r#","output_format":{"type":"json_schema","schema":{}}"#).json_schema);
    assert!(!needs(r#","output_config":{"effort":"low","format":null}"#).json_schema);
    assert!(!needs("").prefill);
    let body = r#"{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}]}"#;
    assert!(read(body).unwrap().needs.prefill);
    let body = r#"{"messages":[{"role":"assistant","content":"{"},{"role":"user","content":"x"}]}"#;
    assert!(!read(body).unwrap().needs.prefill);
    let adaptive = with(r#","thinking":{"type":"adaptive"}"#);
    let request = read(&adaptive).unwrap();
    assert_eq!((request.thinking.as_deref(), request.effort), (Some("adaptive"), None));
    // Counting tokens takes no limit, and who forgets it is told by the provider.
    assert_eq!(request.max_output, None);
}

#[test]
fn errors_name_the_member_and_the_rule() {
    let param = |body: &str| read(body).unwrap_err().param().map(str::to_owned);
    for (messages, expected) in [
        ("null", "messages"),
        ("[]", "messages"),
        (r#""hi""#, "messages"),
        ("[1]", "messages[0]"),
        (r#"[{"content":"x"}]"#, "messages[0].role"),
        (r#"[{"role":3,"content":"x"}]"#, "messages[0].role"),
        (r#"[{"role":"user","role":"user","content":"x"}]"#, "messages[0].role"),
        (r#"[{"role":"user"}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":null}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":5}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":["x"]}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":[{}]}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":[{"type":1}]}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":[{"type":"text","text":"a","type":"image"}]}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":"a"},{"role":"user","content":"a","content":"b"}]"#, "messages[1].content"),
    ] {
        assert_eq!(param(&format!(r#"{{"messages":{messages}}}"#)).as_deref(), Some(expected), "{messages}");
    }
    assert_eq!(param("{}").as_deref(), Some("messages"));
    for (member, expected) in [
        (r#""model":5"#, "model"),
        (r#""stream":"yes""#, "stream"),
        (r#""max_tokens":1.5"#, "max_tokens"),
        (r#""max_tokens":-1"#, "max_tokens"),
        (r#""max_tokens":"9""#, "max_tokens"),
        (r#""system":7"#, "system"),
        (r#""system":{}"#, "system"),
        (r#""system":["x"]"#, "system"),
        (r#""tools":{}"#, "tools"),
        (r#""tool_choice":"auto""#, "tool_choice"),
        (r#""thinking":true"#, "thinking"),
        (r#""output_config":"low""#, "output_config"),
        (r#""output_config":{"effort":1}"#, "output_config.effort"),
        (r#""output_config":{"format":"json"}"#, "output_config.format"),
        (r#""output_format":[]"#, "output_format"),
        (r#""temperature":"hot""#, "temperature"),
        (r#""top_p":[]"#, "top_p"),
        (r#""top_k":"1""#, "top_k"),
        (r#""stop_sequences":"x""#, "stop_sequences"),
        (r#""stop_sequences":["x",1]"#, "stop_sequences"),
        (r#""metadata":"x""#, "metadata"),
        (r#""service_tier":1"#, "service_tier"),
        (r#""mcp_servers":{}"#, "mcp_servers"),
        (r#""context_management":[]"#, "context_management"),
        (r#""model":"a","model":"b""#, "model"),
        (r#""system":"a","s\u0079stem":"b""#, "system"),
    ] {
        assert_eq!(param(&with(&format!(",{member}"))).as_deref(), Some(expected), "{member}");
    }
    let error = read(r#"{"messages":[{"role":"user","content":5}]}"#).unwrap_err();
    assert_eq!(error.to_string(), "'messages[0].content' must be a string or an array of blocks.");
}

#[test]
fn nulls_are_as_good_as_absent() {
    let body = with(
        r#","model":null,"stream":null,"max_tokens":null,"tools":null,"system":null,"tool_choice":null,"thinking":null,
        "output_config":null,"output_format":null,"temperature":null,"stop_sequences":null,"metadata":null"#,
    );
    let request = read(&body).unwrap();
    assert_eq!((request.model, request.stream, request.max_output, request.thinking), (None, false, None, None));
    assert_eq!(request.needs, Needs::default());
}

#[test]
fn no_bytes_make_it_fail_otherwise_than_with_an_error() {
    for body in ["", " \n", "[]", "null", "{", "{\"messages\":[", "\u{0}", "{\"system\":\"\\ud800\"}"] {
        assert_eq!(read(body).unwrap_err().code(), "invalid_json", "{body:?}");
    }
    for open in ["[", r#"{"content":["#, r#"{"source":{"content":["#, r#"[{"type":"tool_result","content":["#] {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{}"#, open.repeat(50_000));
        assert!(read(&body).is_err());
    }
    // Every beginning of a request, and each with one byte changed.
    let whole = r#"{"system":[{"type":"text","text":"é"}],"messages":[{"role":"user","content":[{"type":"tool_result","content":[
        {"type":"document","source":{"type":"text","data":"a"}}]}]}],"stop_sequences":["a"],"output_config":{"effort":"low","format":{}},
        "tool_choice":{"type":"any"},"thinking":{"type":"enabled"},"max_tokens":1}"#;
    assert!(read(whole).is_ok());
    for end in 0..whole.len() {
        let mut bytes = whole.as_bytes().to_vec();
        assert!(read_messages(&bytes[..end]).is_err());
        for byte in [b'"', b'{', b']', b'0', 0xff, b'\\'] {
            bytes[end] = byte;
            drop(read_messages(&bytes));
        }
    }
}
