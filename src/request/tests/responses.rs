use crate::origin::Origin;
use crate::request::*;

fn read(body: &str) -> Result<Request<'_>, ReadError> {
    read_responses(body.as_bytes())
}

fn texts(body: &str, texts: &Texts) -> Vec<String> {
    texts.iter().map(|text| text.value(body.as_bytes()).into_owned()).collect()
}

#[test]
fn reads_what_routing_needs_in_any_order() {
    let body = r#"{"stream":true,"text":{"verbosity":"low","format":{"name":"n","type":"json_schema"}},
        "input":[{"content":"first \n question","role":"user"},
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"42"},
            {"type":"message","role":"user","content":[{"type":"input_text","text":"second"},
                {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"}]}],
        "instructions":"be brief","model":"model-router","max_output_tokens":50,"reasoning":{"effort":"low"},
        "tools":[{"type":"function","name":"f"}],"background":false}"#;
    let request = read(body).unwrap();
    assert_eq!((request.api, request.model.as_deref()), (Api::Responses, Some("model-router")));
    assert_eq!((request.effort.as_deref(), request.max_output, request.stream), (Some("low"), Some(50), true));
    assert_eq!(request.needs, Needs { images: true, tools: true, json_schema: true, ..Needs::default() });
    let conversation = &request.conversation;
    assert_eq!(texts(body, &conversation.system), ["be brief"]);
    assert_eq!(texts(body, &conversation.question), ["second"]);
    assert_eq!(texts(body, &conversation.opening), ["first \n question"]);
    assert_eq!((conversation.tool_results, conversation.answered, request.messages), (1, true, 5));
    assert!(conversation.earlier_tokens > 0 && conversation.earlier_tokens < request.input_tokens);
    assert_eq!(request.state, State::default());
    assert_eq!(texts(r#"{"input":"hi"}"#, &read(r#"{"input":"hi"}"#).unwrap().conversation.question), ["hi"]);
}

#[test]
fn what_one_provider_keeps_binds() {
    let mark = Origin::new("openai", "gpt-5").mark();
    for (members, param) in [
        (r#""previous_response_id":"resp_@1","input":"x""#, "previous_response_id"),
        (r#""previous_response_id":"resp_@1""#, "previous_response_id"),
        (r#""conversation":"conv_@1","input":"x""#, "conversation"),
        (r#""conversation":{"id":"conv_@1"},"input":"x""#, "conversation"),
        (r#""input":[{"type":"item_reference","id":"msg_@1"}]"#, "input[0].id"),
        (r#""input":[{"id":"msg_@1"}]"#, "input[0].id"),
        (
            r#""input":[{"role":"user","content":"x"},{"type":"reasoning","encrypted_content":"@gAAA"}]"#,
            "input[1].encrypted_content",
        ),
        (
            r#""input":[{"type":"mcp_approval_response","approval_request_id":"mcpr_@1"}]"#,
            "input[0].approval_request_id",
        ),
    ] {
        let body = format!("{{{}}}", members.replace('@', &mark));
        let state = read(&body).unwrap().state;
        assert_eq!((state.param.as_deref(), state.origin), (Some(param), Some(Origin::new("openai", "gpt-5"))));
        let marks: Vec<&[u8]> = state.marks.iter().map(|at| at.of(body.as_bytes())).collect();
        assert_eq!(marks, [mark.as_bytes()]);
        let plain = format!("{{{}}}", members.replace('@', ""));
        let state = read(&plain).unwrap().state;
        assert_eq!((state.param.as_deref(), state.origin, state.marks.len()), (Some(param), None, 0));
    }
    let prompt = read(r#"{"prompt":{"id":"pmpt_1"}}"#).unwrap().state;
    assert_eq!((prompt.param.as_deref(), prompt.origin), (Some("prompt"), None));
}

#[test]
fn an_item_that_is_there_in_full_loses_its_mark_and_binds_nothing() {
    let mark = Origin::new("openai", "gpt-5").mark();
    let body = format!(r#"{{"input":[{{"type":"message","role":"assistant","id":"msg_{mark}1","content":"x"}}]}}"#);
    let state = read(&body).unwrap().state;
    assert_eq!((state.param, state.origin, state.marks.len()), (None, None, 1));
    // An id with escapes is nobody's.
    let escaped = body.replace("msg_mr", "msg_m\\u0072");
    assert!(read(&escaped).unwrap().state.marks.is_empty());
}

#[test]
fn state_of_two_providers_is_refused() {
    let [one, other] = ["openai", "azure"].map(|provider| Origin::new(provider, "m").mark());
    let two = |one: &str, other: &str| {
        format!(r#"{{"previous_response_id":"resp_{one}1","input":[{{"type":"item_reference","id":"msg_{other}2"}}]}}"#)
    };
    assert_eq!(read(&two(&one, &other)).unwrap_err().param(), Some("input[0].id"));
    assert!(read(&two(&one, &one)).is_ok());
    assert!(read(&two(&one, "")).is_ok());
}

#[test]
fn bad_requests_name_the_member() {
    for (body, param) in [
        ("{}", "input"),
        (r#"{"input":[]}"#, "input"),
        (r#"{"input":5}"#, "input"),
        (r#"{"input":null}"#, "input"),
        (r#"{"input":["x"]}"#, "input[0]"),
        (r#"{"input":[{"role":"user","content":5}]}"#, "input[0].content"),
        (r#"{"input":[{"role":"user","content":["x"]}]}"#, "input[0].content"),
        (r#"{"input":[{"type":5}]}"#, "input[0].type"),
        (r#"{"input":[{"type":"a","type":"b"}]}"#, "input[0].type"),
        (r#"{"input":"x","input":"y"}"#, "input"),
        (r#"{"input":"x","instructions":5}"#, "instructions"),
        (r#"{"input":"x","max_output_tokens":1.5}"#, "max_output_tokens"),
        (r#"{"input":"x","reasoning":"low"}"#, "reasoning"),
        (r#"{"input":"x","text":[]}"#, "text"),
        (r#"{"input":"x","temperature":"hot"}"#, "temperature"),
        (r#"{"input":"x","previous_response_id":5}"#, "previous_response_id"),
        (r#"{"input":"x","conversation":{}}"#, "conversation.id"),
        (r#"{"input":"x","background":"yes"}"#, "background"),
        (r#"{"input":"x","stream":1}"#, "stream"),
    ] {
        assert_eq!(read(body).unwrap_err().param(), Some(param), "{body}");
    }
    for broken in ["", "{", "[]", r#"{"input":"x"} x"#, r#"{"input":"\ud800"}"#] {
        assert_eq!(read(broken).unwrap_err().code(), "invalid_json", "{broken}");
    }
}

#[test]
fn what_it_does_not_know_passes() {
    let body = r#"{"input":[{"type":"brand_new","data":{"deep":[1,{"id":"x"}]},"output":{"a":1}}],"new_member":{"a":1},
        "reasoning":{"effort":5},"tool_choice":{"type":"x"}}"#;
    let request = read(body).unwrap();
    assert_eq!((request.state.param, request.effort), (None, None));
}

#[test]
fn needs_that_only_some_models_meet() {
    let needs = |members: &str| read(&format!(r#"{{"input":"x"{members}}}"#)).map(|request| request.needs).unwrap();
    for (choice, forced) in [
        (r#""auto""#, false),
        (r#""required""#, true),
        (r#"{"type":"function","name":"f"}"#, true),
        (r#"{"type":"custom","name":"f"}"#, true),
        (r#"{"type":"file_search"}"#, true),
        (r#"{"type":"allowed_tools","mode":"auto","tools":[]}"#, false),
        (r#"{"type":"allowed_tools","mode":"required","tools":[]}"#, true),
    ] {
        assert_eq!(needs(&format!(r#","tool_choice":{choice}"#)).forced_tool, forced, "{choice}");
    }
    assert!(read(r#"{"input":"x","tool_choice":[]}"#).is_err());
    assert!(needs(r#","text":{"format":{"type":"json_object"}}"#).json_object);
    assert!(!needs(r#","text":{"format":{"type":"text"}}"#).json_object);
    let of = |items: &str| read(&format!(r#"{{"input":[{items}]}}"#)).map(|request| request.needs).unwrap();
    assert!(of(r#"{"role":"user","content":[{"type":"input_file","file_id":"f"}]}"#).files);
    assert!(of(r#"{"role":"user","content":"x"},{"role":"assistant","content":"{"}"#).prefill);
    assert!(!of(r#"{"role":"assistant","content":"{"},{"role":"user","content":"x"}"#).prefill);
    assert!(!of(r#"{"role":"user","content":"x"},{"type":"mcp_approval_response","approve":true}"#).prefill);
}
