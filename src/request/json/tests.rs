use super::*;

fn read(bytes: &[u8]) -> Result<()> {
    let mut reader = Reader::new(bytes);
    reader.skip()?;
    reader.end()
}

#[test]
fn accepts_and_rejects_as_serde_json_does() {
    let documents: &[&str] = &[
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "12.5e-3",
        "1E+2",
        "\"\"",
        "\"a\\u00e9\\n\"",
        "[]",
        "{}",
        "[1,2,[3]]",
        "{\"a\":{\"b\":[{},[],null]},\"c\":\"d\"}",
        "\"\\ud83d\\ude00\"",
        "\"😀\"",
        "[\"12345678\",\"1234567\\\"\"]",
        "",
        " ",
        "nul",
        "tru",
        "truex",
        "01",
        "1.",
        ".5",
        "-",
        "1e",
        "+1",
        "1x",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"a\nb\"",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "]",
        "}",
        "[}",
        "{]",
        "[1}",
        "1 2",
        "{}x",
        "\u{feff}{}",
        "\"\u{7f}\"",
    ];
    for document in documents {
        let theirs = serde_json::from_str::<serde_json::Value>(document);
        assert_eq!(read(document.as_bytes()).is_ok(), theirs.is_ok(), "{document:?}");
    }
    for bytes in [&b"\"\xff\""[..], b"\"12345678\xe4\xb8\"", b"\"\xed\xa0\x80\"", b"\xff", b"{\"a\xc0\":1}"] {
        assert!(read(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn every_truncation_of_a_document_is_an_error() {
    let document =
        r#"{"a":[1,-2.5e3,"x\u00e9\\",{"b":null,"c":[true,false]}],"d":"zwölf Zeichen und mehr"}"#.as_bytes();
    assert_eq!(read(document), Ok(()));
    for cut in 0..document.len() {
        assert!(read(&document[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn depth_is_bounded_without_recursion() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(read(&nested(MAX_DEPTH as usize)), Ok(()));
    assert_eq!(read(&nested(MAX_DEPTH as usize + 1)).map_err(|error| error.kind), Err(JsonErrorKind::TooDeep));
    assert_eq!(read(&nested(100_000)).map_err(|error| error.kind), Err(JsonErrorKind::TooDeep));
}

#[test]
fn quotes_are_found_at_every_alignment() {
    for length in 0..40 {
        for special in ["\"", "\\n\"", "é\""] {
            let document = format!("\"{}{special}", "x".repeat(length));
            let mut reader = Reader::new(document.as_bytes());
            let text = reader.string().unwrap();
            assert_eq!(reader.offset(), document.len());
            assert_eq!(text.value(document.as_bytes()), serde_json::from_str::<String>(&document).unwrap());
        }
    }
}

#[test]
fn errors_say_where() {
    let error = read(b"{\"a\": tru}").unwrap_err();
    assert_eq!(error.to_string(), "expected true, false or null (byte 9)");
    assert_eq!(read(b"[1,").unwrap_err().to_string(), "unexpected end of the body (byte 3)");
}
