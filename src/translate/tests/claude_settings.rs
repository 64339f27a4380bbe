//! Requests on their way to Messages: tools, settings, and what is left out.

use super::claude::{becomes, checked, obstacle, translated};
use super::json;
use crate::request::Api;
use crate::translate::ToMessages;
use serde_json::{Value, json as value};

pub(super) const USER: &str = r#""messages":[{"role":"user","content":"u"}]"#;

pub(super) fn without_messages(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("messages");
    body
}

/// What these members of a Chat request become.
fn with(members: &str) -> Value {
    without_messages(becomes(Api::Chat, &format!("{{{USER},{members}}}")))
}

fn left_out(members: &str) -> Vec<String> {
    checked(Api::Chat, &format!("{{{USER},{members}}}")).left_out
}

pub(super) fn to(to: ToMessages, members: &str) -> Value {
    json(&translated(Api::Chat, &format!("{{{USER},{members}}}"), &[], to).unwrap())
}

pub(super) fn tool(name: &str) -> String {
    format!(r#"{{"type":"function","function":{{"name":"{name}","parameters":{{"type":"object"}}}}}}"#)
}

#[test]
fn tools() {
    let empty = value!({"type": "object", "properties": {}});
    let sent = |inner: &str| {
        with(&format!(r#""tools":[{{"type":"function","function":{{"name":"f"{inner}}}}}]"#))["tools"][0].clone()
    };
    assert_eq!(sent(""), value!({"name": "f", "input_schema": empty}));
    assert_eq!(
        sent(r#","description":"d","parameters":{ },"strict":false"#),
        value!({"name": "f", "description": "d", "input_schema": empty})
    );
    assert_eq!(sent(r#","parameters":null,"strict":null"#), value!({"name": "f", "input_schema": empty}));
    assert_eq!(
        sent(r#","parameters":{"properties":{"type":{"minimum":1}},"$defs":{},"required":[]}"#)["input_schema"],
        value!({"type": "object", "properties": {"type": {"minimum": 1}}, "$defs": {}, "required": []})
    );
    for kind in ["null", r#"["object","null"]"#, r#"["object"]"#, r#"["null", "string" ,"object"]"#] {
        let schema =
            format!(r#"{{"properties":{{"a":{{"type":["string","null"]}}}},"type" : {kind} ,"required":["a"]}}"#);
        assert_eq!(
            sent(&format!(r#","parameters":{schema}"#))["input_schema"],
            value!({"properties": {"a": {"type": ["string", "null"]}}, "type": "object", "required": ["a"]})
        );
        let strict = sent(&format!(r#","parameters":{schema},"strict":true"#));
        assert_eq!(strict["input_schema"]["type"], "object");
    }
    let closed = value!({"type": "object", "properties": {}, "additionalProperties": false});
    for blank in [
        "",
        r#","parameters":{}"#,
        r#","parameters":{"type":"object","properties":{}}"#,
        r#","parameters":{"properties":{}}"#,
    ] {
        let tool = sent(&format!(r#"{blank},"strict":true"#));
        assert_eq!(tool, value!({"name": "f", "strict": true, "input_schema": closed}), "{blank}");
    }
    let mark = r#","cache_control":{"type":"ephemeral"}"#;
    let marked = with(&format!(
        r#""tools":[{{"type":"function","function":{{"name":"f"}}{mark}}},{{"type":"function","function":{{"name":"g"{mark}}}}}]"#
    ));
    for index in 0..2 {
        assert_eq!(marked["tools"][index]["cache_control"], value!({"type": "ephemeral"}));
    }
    for (tool, name) in [
        (r#"{"type":"custom","custom":{"name":"f"}}"#, "tools[0].type"),
        (r#"{"type":"function"}"#, "tools[0].function"),
        (r#"{"type":"function","function":{"name":"a b"}}"#, "tools[0]"),
        (r#"{"type":"function","function":{"name":""}}"#, "tools[0]"),
        (r#"{"type":"function","function":{"name":"f","parameters":[]}}"#, "tools[0].function.parameters"),
        (
            r#"{"type":"function","function":{"name":"f","parameters":{"type":"string"}}}"#,
            "tools[0].function.parameters.type",
        ),
        (
            r#"{"type":"function","function":{"name":"f","parameters":{"type":["string","null"]}}}"#,
            "tools[0].function.parameters.type",
        ),
        ("1", "tools[0]"),
    ] {
        assert_eq!(obstacle(Api::Chat, &format!(r#"{{{USER},"tools":[{tool}]}}"#)).as_deref(), Some(name));
    }
}

#[test]
fn strict_tools_that_cannot_be_strict_are_told() {
    let strict = |schema: &str| {
        format!(r#""tools":[{{"type":"function","function":{{"name":"f","strict":true,"parameters":{schema}}}}}]"#)
    };
    let least = strict(r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1}}}"#);
    assert_eq!(left_out(&least), ["tools.function.parameters"]);
    assert_eq!(
        with(&least)["tools"][0]["input_schema"],
        value!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false})
    );
    let open = strict(r#"{"type":"object","additionalProperties":{"type":"string"}}"#);
    assert_eq!(left_out(&open), ["tools.function.strict"]);
    let tool = with(&open)["tools"][0].clone();
    assert_eq!(
        tool,
        value!({"name": "f", "input_schema": {"type": "object", "additionalProperties": {"type": "string"}}})
    );
    // Closed, each of them would forbid what another one wants.
    let a = r#"{"properties":{"a":{"type":"string"}}}"#;
    for (schema, fits) in [
        (format!(r#"{{"allOf":[{a},{{"properties":{{"b":{{}}}}}}]}}"#), false),
        (format!(r##"{{"properties":{{"b":{{}}}},"allOf":[{{"$ref":"#/$defs/a"}}],"$defs":{{"a":{a}}}}}"##), false),
        (format!(r#"{{"properties":{{"b":{{}}}},"not":{a}}}"#), false),
        (format!(r##"{{"properties":{{"b":{{"allOf":[{{"$ref":"#/$defs/a"}}]}}}},"$defs":{{"a":{a}}}}}"##), true),
        (format!(r#"{{"properties":{{"b":{{"anyOf":[{a},{{"type":"null"}}]}}}}}}"#), true),
    ] {
        let lost = left_out(&strict(&schema));
        assert_eq!(lost.is_empty(), fits, "{schema} {lost:?}");
    }
    let one = r#"{"type":"function","function":{"name":"f","strict":true}}"#;
    assert_eq!(left_out(&format!(r#""tools":[{}]"#, vec![one; 21].join(","))), ["tools.function.strict"]);
    assert!(left_out(&format!(r#""tools":[{}]"#, vec![one; 20].join(","))).is_empty());
}

#[test]
fn choices_of_tools() {
    let tools = format!(r#""tools":[{},{}]"#, tool("f"), tool("g"));
    let choice = |more: &str| with(&format!("{tools}{more}")).get("tool_choice").cloned();
    let alone = r#","parallel_tool_calls":false"#;
    assert_eq!((choice(""), choice(r#","parallel_tool_calls":true"#)), (None, None));
    assert_eq!(choice(alone), Some(value!({"type": "auto", "disable_parallel_tool_use": true})));
    for (sent, kind, forced) in [
        (r#""none""#, "none", false),
        (r#""auto""#, "auto", false),
        (r#""required""#, "any", true),
        (r#"{"type":"function","function":{"name":"g"}}"#, "tool", true),
    ] {
        let sent = format!(r#","tool_choice":{sent}"#);
        let mut expected = value!({"type": kind});
        if kind == "tool" {
            expected["name"] = value!("g");
        }
        assert_eq!(choice(&sent), Some(expected.clone()));
        if kind != "none" {
            expected["disable_parallel_tool_use"] = value!(true);
        }
        assert_eq!(choice(&format!("{sent}{alone}")), Some(expected));
        assert_eq!(checked(Api::Chat, &format!("{{{USER},{tools}{sent}}}")).forced, forced);
    }
    let allowed = |mode: &str, names: &[&str]| {
        let names: Vec<String> =
            names.iter().map(|name| format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#)).collect();
        let body = with(&format!(
            r#"{tools},"tool_choice":{{"type":"allowed_tools","allowed_tools":{{"mode":"{mode}","tools":[{}]}}}}"#,
            names.join(",")
        ));
        let names: Vec<String> =
            body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().into()).collect();
        (names.join(" "), body["tool_choice"]["type"].as_str().unwrap().to_owned())
    };
    assert_eq!(allowed("auto", &["g"]), ("g".into(), "auto".into()));
    assert_eq!(allowed("required", &["g", "f"]), ("f g".into(), "any".into()));
    assert_eq!(allowed("auto", &[]), ("f g".into(), "none".into()));
    for (sent, name) in [
        (r#""new""#, "tool_choice"),
        ("1", "tool_choice"),
        (r#"{"type":"custom","custom":{"name":"f"}}"#, "tool_choice.type"),
        (r#"{"type":"allowed_tools","allowed_tools":{"mode":"new","tools":[]}}"#, "tool_choice.allowed_tools.mode"),
    ] {
        assert_eq!(obstacle(Api::Chat, &format!(r#"{{{USER},{tools},"tool_choice":{sent}}}"#)).as_deref(), Some(name));
    }
    // Refused without tools.
    assert_eq!(with(r#""tools":[],"tool_choice":"auto","parallel_tool_calls":false"#), value!({}));
}

#[test]
fn forgotten_tools_are_declared_but_not_called() {
    let call = |id: &str, name: &str| {
        format!(r#"{{"id":"{id}","type":"function","function":{{"name":"{name}","arguments":"{{}}"}}}}"#)
    };
    let body = format!(
        r#"{{"messages":[{{"role":"assistant","tool_calls":[{},{},{}]}}],"tool_choice":"required"}}"#,
        call("a", "f"),
        call("b", "g"),
        call("c", "f")
    );
    let schema = value!({"type": "object", "properties": {}});
    assert_eq!(
        without_messages(becomes(Api::Chat, &body)),
        value!({"tools": [{"name": "f", "input_schema": schema}, {"name": "g", "input_schema": schema}], "tool_choice": {"type": "none"}})
    );
}

#[test]
fn schemas_of_the_answer() {
    let format = |schema: &str| {
        format!(r#""response_format":{{"type":"json_schema","json_schema":{{"name":"n","strict":true{schema}}}}}"#)
    };
    let written = |schema: &str| with(&format(&format!(r#","schema":{schema}"#)))["output_config"]["format"].clone();
    // Names of the client's are no keywords.
    assert_eq!(
        written(
            r#"{"type":"object","properties":{"minimum":{"type":["object","null"],"properties":{"type":{"const":{"minimum":1}}}},
            "l":{"type":"array","minItems":1,"items":{"anyOf":[{"type":"string","enum":["maximum"]},{"$ref":"/$defs/d"}]}}},
            "$defs":{"d":{"properties":{}}},"required":["minimum"],"additionalProperties":true}"#
        ),
        value!({"type": "json_schema", "schema": {"type": "object", "properties": {
            "minimum": {"type": ["object", "null"], "properties": {"type": {"const": {"minimum": 1}}}, "additionalProperties": false},
            "l": {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string", "enum": ["maximum"]}, {"$ref": "/$defs/d"}]}}},
            "$defs": {"d": {"properties": {}, "additionalProperties": false}}, "required": ["minimum"], "additionalProperties": false}})
    );
    let refused = r#"{"type":"array","minItems":2,"maxItems":3,"items":{"minimum":1,"type":"number","maxLength":5}}"#;
    assert_eq!(written(refused)["schema"], value!({"type": "array", "items": {"type": "number"}}));
    assert_eq!(
        left_out(&format(&format!(r#","schema":{refused},"description":"d""#))),
        ["response_format.json_schema.schema", "response_format.json_schema.description"]
    );
    assert!(left_out(&format(r#","schema":{"type":"array","minItems":0,"items":{}}"#)).is_empty());
    for open in [
        r#","schema":{"type":"object"}"#,
        r#","schema":{"type":"object","additionalProperties":true}"#,
        r#","schema":{"type":"object","properties":{},"additionalProperties":{}}"#,
        r#","schema":{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}}"#,
        r#","schema":{"type":"array","items":{"type":["object"]}}"#,
        // Some JSON, of which kind ever: nothing can promise that.
        "",
    ] {
        let name = obstacle(Api::Chat, &format!("{{{USER},{}}}", format(open)));
        assert_eq!(name.as_deref(), Some("response_format.json_schema.schema"), "{open}");
    }
    assert_eq!(with(r#""response_format":{"type":"text"}"#), value!({}));
    assert_eq!(left_out(r#""response_format":{"type":"json_object"}"#), ["response_format"]);
    assert_eq!(with(r#""response_format":{"type":"json_object"}"#), value!({}));
    assert_eq!(
        obstacle(Api::Chat, &format!(r#"{{{USER},"response_format":{{"type":"new"}}}}"#)).as_deref(),
        Some("response_format.type")
    );
}

#[test]
fn settings() {
    let none: [&str; 0] = [];
    for (sent, expected, lost) in [
        (r#""max_tokens":5"#, value!({"max_tokens": 5}), none.as_slice()),
        (r#""max_tokens":5,"max_completion_tokens":6"#, value!({"max_tokens": 6}), &[]),
        (r#""stop":"x""#, value!({"stop_sequences": ["x"]}), &[]),
        (r#""stop":["x","\u00e9"]"#, value!({"stop_sequences": ["x", "é"]}), &[]),
        (r#""stop":["x"," ","\n",""]"#, value!({"stop_sequences": ["x"]}), &["stop.blank"]),
        (r#""stop":"\n""#, value!({}), &["stop"]),
        (r#""stop":[]"#, value!({}), &[]),
        (r#""stop":null"#, value!({}), &[]),
        (r#""temperature":1.0,"top_p":0.5"#, value!({"temperature": 1.0, "top_p": 0.5}), &[]),
        (r#""temperature":0"#, value!({"temperature": 0}), &[]),
        (r#""temperature":1.01"#, value!({}), &["temperature"]),
        (r#""temperature":2e0"#, value!({}), &["temperature"]),
        (r#""user":"id-7""#, value!({"metadata": {"user_id": "id-7"}}), &[]),
        (r#""user":"a@b.c""#, value!({}), &["user"]),
        (r#""user":"+49 (30) 123-45""#, value!({}), &["user"]),
        (r#""user":"a@b.c","safety_identifier":"h""#, value!({"metadata": {"user_id": "h"}}), &["user"]),
        (r#""user":"u","safety_identifier":"h""#, value!({"metadata": {"user_id": "u"}}), &["safety_identifier"]),
        (r#""user":"u","safety_identifier":"u""#, value!({"metadata": {"user_id": "u"}}), &[]),
        (r#""user":"""#, value!({}), &["user"]),
        (r#""stream":true,"stream_options":{"include_usage":true}"#, value!({"stream": true}), &[]),
        (r#""stream":false,"routing_config":{"mode":"cost"},"model":"r""#, value!({}), &[]),
    ] {
        assert_eq!(with(sent), expected, "{sent}");
        assert_eq!(left_out(sent), lost, "{sent}");
    }
}

#[test]
fn every_parameter_is_translated_told_or_an_obstacle() {
    // All of the API: a value that asks for something, and the fate of it.
    for (name, asks, defaults) in [
        ("frequency_penalty", "0.5", "0"),
        ("logit_bias", r#"{"1":2}"#, "{}"),
        ("logprobs", "true", "false"),
        ("metadata", r#"{"a":"b"}"#, "{}"),
        ("n", "2", "1"),
        ("prediction", r#"{"type":"content"}"#, "null"),
        ("presence_penalty", "-1", "0.0"),
        ("prompt_cache_key", r#""k""#, "null"),
        ("prompt_cache_options", r#"{"a":1}"#, "null"),
        ("prompt_cache_retention", r#""24h""#, "null"),
        ("seed", "7", "null"),
        ("service_tier", r#""flex""#, r#""auto""#),
        ("store", "true", "false"),
        ("top_logprobs", "3", "0"),
        ("verbosity", r#""low""#, "null"),
        ("brand_new", "1", "null"),
    ] {
        let body = |value: &str| format!(r#""{name}":{value}"#);
        assert_eq!((left_out(&body(asks)), with(&body(asks))), (vec![name.to_owned()], value!({})), "{name}");
        for value in [defaults, "null"] {
            assert_eq!((left_out(&body(value)), with(&body(value))), (Vec::new(), value!({})), "{name} {value}");
        }
    }
    for (name, asks) in [
        ("audio", r#"{"voice":"v"}"#),
        ("function_call", r#""auto""#),
        ("functions", r#"[{"name":"f"}]"#),
        ("modalities", r#"["text","audio"]"#),
        ("moderation", r#"{"a":1}"#),
        ("web_search_options", "{}"),
    ] {
        assert_eq!(obstacle(Api::Chat, &format!(r#"{{{USER},"{name}":{asks}}}"#)).as_deref(), Some(name));
        assert_eq!(
            (left_out(&format!(r#""{name}":null"#)), with(&format!(r#""{name}":null"#))),
            (Vec::new(), value!({}))
        );
    }
    assert!(left_out(r#""modalities":["text"],"functions":[]"#).is_empty());
    assert_eq!(left_out(r#""ev\r\nil":1,"e vil":2"#), ["unknown"]);
    assert_eq!(
        left_out(r#""stream_options":{"include_usage":false,"include_obfuscation":true,"x":null}"#),
        ["stream_options.include_obfuscation"]
    );
    let body = |message: &str| checked(Api::Chat, &format!(r#"{{"messages":[{message},{message}]}}"#)).left_out;
    assert_eq!(body(r#"{"role":"user","content":"x","name":"ann"}"#), ["messages.name"]);
    let image = |detail: &str| {
        format!(
            r#"{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"https://x","detail":{detail}}}}}]}}"#
        )
    };
    assert_eq!(body(&image(r#""low""#)), ["messages.content.image_url.detail"]);
    assert!(
        body(&image(r#""auto""#)).is_empty()
            && body(r#"{"role":"tool","tool_call_id":"c","content":"x","name":"f"}"#).is_empty()
    );
}
