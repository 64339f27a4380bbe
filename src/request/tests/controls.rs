use crate::policy::{Affinity, Mode};
use crate::request::*;

fn read(text: &str) -> Result<Controls, String> {
    read_controls(text.as_bytes()).map_err(|error| error.param().unwrap_or_default().to_owned())
}

#[test]
fn everything_that_can_be_asked() {
    let controls = read(
        r#"{"mode":"Cost","models":["a","b"],"require_parameters":true,
            "session_affinity":{"strategy":"sticky","session_id":"s"}}"#,
    );
    let session = SessionControls { strategy: Some(Affinity::Sticky), id: Some("s".into()) };
    let models = Some(vec!["a".into(), "b".into()]);
    assert_eq!(controls, Ok(Controls { mode: Some(Mode::Cost), models, require_parameters: true, session }));
    // The earlier name of the strategy, a boolean as text, and what is not said.
    let older = read(r#"{"mode":null,"require_parameters":"FALSE","session_affinity":{"mode":"none"}}"#).unwrap();
    let session = SessionControls { strategy: Some(Affinity::None), id: None };
    assert_eq!(older, Controls { session, ..Controls::default() });
    assert_eq!(read("{}"), Ok(Controls::default()));
}

#[test]
fn what_breaks_a_rule_is_named() {
    for (text, param) in [
        ("1", ""),
        ("\"x\"", ""),
        ("[]", ""),
        ("true", ""),
        (r#"{"mode":"best"}"#, ".mode"),
        (r#"{"mode":{"band":1}}"#, ".mode"),
        (r#"{"models":"a"}"#, ".models"),
        (r#"{"models":[]}"#, ".models"),
        (r#"{"models":["a",1]}"#, ".models[1]"),
        (r#"{"require_parameters":1}"#, ".require_parameters"),
        (r#"{"session_affinity":"sticky"}"#, ".session_affinity"),
        (r#"{"session_affinity":{"strategy":1}}"#, ".session_affinity.strategy"),
        (r#"{"session_affinity":{"session_id":{}}}"#, ".session_affinity.session_id"),
        (r#"{"session_affinity":{"ttl":1}}"#, ".session_affinity.ttl"),
        (r#"{"band":1}"#, ".band"),
    ] {
        assert_eq!(read(text), Err(format!("routing_config{param}")), "{text}");
    }
    let long = format!("{{\"models\":[\"{}\"]}}", "a".repeat(70_000));
    assert_eq!(read(&long), Err("routing_config".into()));
    let odd = format!("{{\"{}\":1}}", "é".repeat(100));
    assert_eq!(read(&odd), Err(format!("routing_config.{}", "é".repeat(64))));
}

#[test]
fn a_session_id_that_is_none_is_as_good_as_absent() {
    let id = |id: &str| read(&format!("{{\"session_affinity\":{{\"session_id\":\"{id}\"}}}}")).unwrap().session.id;
    assert_eq!(id(&"😀".repeat(256)).map(|id| id.chars().count()), Some(256));
    for invalid in [String::new(), "  \\t\\u3000".into(), "😀".repeat(257)] {
        assert_eq!(id(&invalid), None);
    }
}
