//! What needs no socket: the command line, families, schemas, tokens.

use clap::Parser;

use super::*;
use crate::mock::args::Args;
use crate::mock::models::{Family, snapshot};
use crate::mock::{answer, ids, sample};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn parse(line: &str) -> Result<Args, clap::Error> {
    Cli::try_parse_from(line.split(' ')).map(|cli| cli.args)
}

#[test]
fn providers_come_from_both_forms() {
    let line = "x --listen a:1 --listen a:2 --name one --azure --token-rate 0 --strict=false \
                --provider two=b:1,azure,latency=5,token-rate=10 --provider three=c:1,chat-only \
                --provider four=d:1,messages-only --served-as m=n";
    let providers = parse(line).unwrap().providers().unwrap();
    let [one, two, three, four] = providers.as_slice() else { panic!("{providers:?}") };
    assert_eq!((one.config.name.as_str(), one.config.azure, one.config.strict), ("one", true, false));
    assert_eq!(one.listen, ["a:1", "a:2"]);
    assert_eq!(two.config.per_token, Duration::from_millis(100));
    assert_eq!((two.config.azure, two.config.latency), (true, Duration::from_millis(5)));
    assert_eq!((three.config.azure, three.config.per_token), (false, Duration::ZERO));
    assert_eq!((three.config.chat_only, two.config.chat_only), (true, false));
    assert_eq!((four.config.messages_only, three.config.messages_only), (true, false));
    assert_eq!(three.config.served_as["m"], "n");
}

#[test]
fn bad_command_lines_are_refused() {
    for line in [
        "x",
        "x --provider a",
        "x --provider a=",
        "x --provider =b",
        "x --provider a=b,c",
        "x --provider a=b,latency=x",
        "x --provider a=b,chat-only,messages-only",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    assert!(parse("x --listen a --served-as m").is_err());
    assert!(parse("x --provider a=b --provider a=c").unwrap().providers().is_err());
}

#[test]
fn names_have_snapshots_and_families() {
    assert_eq!(snapshot("gpt-5.4-nano"), "gpt-5.4-nano-2026-03-17");
    assert_eq!(snapshot("gpt-5-mini-2025-08-07"), "gpt-5-mini-2025-08-07");
    assert_eq!(snapshot("gpt-oss-120b"), "gpt-oss-120b");
    for (model, family) in [
        ("gpt-4o-mini", Family::Gpt4),
        ("gpt-5-nano-2025-08-07", Family::Gpt5),
        ("gpt-5-chat-2025-08-07", Family::Gpt5Chat),
        ("gpt-5.3-chat", Family::Gpt5PointChat),
        ("gpt-5.4", Family::Gpt5Point),
        ("gpt-5.5-2026-04-24", Family::Gpt5Late),
        ("o4-mini", Family::OSeries),
        ("o365", Family::Other),
        ("grok-4", Family::OtherReasoning),
        ("grok-4-fast-non-reasoning", Family::Other),
        ("claude-sonnet-4-5", Family::Other),
    ] {
        assert_eq!(Family::of(model), family, "{model}");
    }
}

#[test]
fn samples_fit_their_schema() {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": {"type": ["null", "integer"], "minimum": 5},
            "b": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            "c": {"const": "fixed"},
            "d": {"type": "array", "minItems": 2, "items": {"type": "number", "exclusiveMinimum": 0}},
            "e": {"type": "string", "format": "date"},
            "f": {"type": "string", "minLength": 6},
            "g": {"$ref": "#"},
        },
        "required": ["a", "b", "c", "d", "e", "f"],
    });
    let expected = json!({"a": 5, "b": true, "c": "fixed", "d": [0.5, 0.5], "e": "2026-01-01", "f": "mockkk"});
    assert_eq!(sample::object(&schema), expected);
    assert_eq!(sample::object(&Value::Null), json!({}));
    let endless = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
    assert!(sample::object(&endless).is_object());
}

#[test]
fn tokens_are_the_text() {
    for text in ["", "one", "two words", " ünïcödé—everywhere, and somewhat long", r#"{"a":[1,2,3],"b":"cdefghijkl"}"#]
    {
        let pieces: Vec<&str> = answer::pieces(text).collect();
        assert_eq!(pieces.concat(), text);
        assert!(pieces.iter().all(|piece| piece.len() <= 16 && !piece.is_empty()), "{pieces:?}");
    }
}

#[test]
fn ids_are_unique() {
    let ids: std::collections::HashSet<String> = (0..10_000).map(|_| ids::completion()).collect();
    assert_eq!(ids.len(), 10_000);
    assert!(ids.iter().all(|id| id.len() == 38));
    assert_eq!(ids::request().len(), 36);
    assert_eq!(ids::fingerprint("m"), ids::fingerprint("m"));
}
