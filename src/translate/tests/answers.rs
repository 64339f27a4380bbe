use super::{about, answer, json};
use serde_json::{Value, json as value};

const REQUEST: &str = r#"{"model":"router","input":"hi","instructions":"Be\nbrief","temperature":0.20,
    "tools":[ {"type":"function", "name":"f"} ],"reasoning":{"effort":"low"},"text":{"verbosity":"low"},"metadata":{"k":"a b"}}"#;

fn response(chat: &str) -> Value {
    json(&answer(chat.as_bytes(), &about(REQUEST)).unwrap())
}

#[test]
fn a_response_is_whole() {
    let chat = r#"{"id":"chatcmpl-Ab1","object":"chat.completion","created":1700000000,"model":"gpt-x","service_tier":"flex",
        "choices":[{"index":0,"message":{"role":"assistant","content":"Hi \u00e9","refusal":null},"finish_reason":"stop",
        "logprobs":null}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,
        "prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":1},"completion_tokens_details":{"reasoning_tokens":3}}}"#;
    assert_eq!(
        response(chat),
        value!({
            "id": "resp_mr0123456789abcdef_Ab1", "object": "response", "created_at": 1700000000, "completed_at": null,
            "status": "completed", "error": null, "incomplete_details": null, "model": "gpt-x", "service_tier": "flex",
            "output": [{"id": "msg_mr0123456789abcdef_Ab1_0", "type": "message", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi é"}]}],
            "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
                "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 13},
            "background": false, "previous_response_id": null, "store": false, "instructions": "Be\nbrief",
            "max_output_tokens": null, "max_tool_calls": null, "metadata": {"k": "a b"}, "parallel_tool_calls": true,
            "prompt_cache_key": null, "prompt_cache_retention": null, "safety_identifier": null, "temperature": 0.2,
            "tool_choice": "auto", "tools": [{"type": "function", "name": "f"}], "top_logprobs": 0, "top_p": 1.0,
            "truncation": "disabled", "user": null, "reasoning": {"effort": "low", "summary": null},
            "text": {"format": {"type": "text"}, "verbosity": "low"},
        })
    );
}

#[test]
fn each_kind_of_output() {
    let chat = r#"{"id":"x","created":1,"model":"m","choices":[{"message":{"content":"a","reasoning":"think","refusal":"no",
        "tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},
        {"id":"call_2","type":"custom","custom":{"name":"g","input":"free"}},{"function":{"name":"h","arguments":""}}]},
        "logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}]}}]}"#;
    let stem = "mr0123456789abcdef_x";
    assert_eq!(
        response(chat)["output"],
        value!([
            {"id": format!("rs_{stem}_0"), "type": "reasoning", "summary": [],
                "content": [{"type": "reasoning_text", "text": "think"}]},
            {"id": format!("msg_{stem}_1"), "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "annotations": [], "text": "a",
                    "logprobs": [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}]},
                {"type": "refusal", "refusal": "no"}]},
            {"id": format!("fc_{stem}_2"), "type": "function_call", "status": "completed", "call_id": "call_1", "name": "f",
                "arguments": "{}"},
            {"id": format!("ctc_{stem}_3"), "type": "custom_tool_call", "status": "completed", "call_id": "call_2", "name": "g",
                "input": "free"},
            {"id": format!("fc_{stem}_4"), "type": "function_call", "status": "completed", "call_id": format!("call_{stem}_4"),
                "name": "h", "arguments": ""},
        ])
    );
    assert_eq!(response(chat)["usage"], Value::Null);
    assert_eq!(response(chat)["service_tier"], "auto");
}

#[test]
fn why_it_ended() {
    let ended = |reason: &str| {
        response(&format!(r#"{{"id":"x","choices":[{{"message":{{"content":"a"}},"finish_reason":{reason}}}]}}"#))
    };
    for reason in ["\"stop\"", "\"tool_calls\"", "\"eos\"", "null"] {
        assert_eq!(ended(reason)["status"], "completed");
    }
    for (reason, name) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let response = ended(&format!("\"{reason}\""));
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], value!({"reason": name}));
        assert_eq!(response["output"][0]["status"], "incomplete");
    }
}

#[test]
fn what_a_provider_leaves_out() {
    let chat = r#"{"choices":[{"message":{"content":"a"}},{"index":1,"message":{"content":"b"}}],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#;
    let seen = response(chat);
    assert_eq!((&seen["model"], &seen["created_at"]), (&value!("fall\"back"), &value!(1_700_000_007)));
    assert_eq!(seen["usage"]["total_tokens"], 5);
    assert_eq!(seen["usage"]["input_tokens_details"], value!({"cached_tokens": 0, "cache_write_tokens": 0}));
    assert_eq!(seen["output"].as_array().unwrap().len(), 1);
    assert_eq!(seen["id"].as_str().unwrap().len(), "resp_mr0123456789abcdef_".len() + 16);
    assert_eq!(seen["id"], response(chat)["id"]);
    // An id may not leave its quotes.
    let odd = response(r#"{"id":"a\"b\\ \u00e9/c","choices":[{"message":{"content":"a"}}]}"#);
    assert_eq!(odd["id"], "resp_mr0123456789abcdef_abu00e9c");
}

#[test]
fn no_answer_is_a_failure() {
    let failure = |chat: &str| answer(chat.as_bytes(), &about("{}")).unwrap_err();
    for chat in ["", "[]", "{}", r#"{"id":""}"#, r#"{"choices":[]}"#, r#"{"error":{}}"#] {
        assert_eq!(failure(chat).result, "malformed", "{chat}");
    }
}
