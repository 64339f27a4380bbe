//! The reader of JSON accepts and rejects exactly what serde_json does, and reads the same values.
//!
//! Nesting is compared too: both take 127 levels and refuse the next. Duplicate keys are JSON; bodies with one are refused
//! by what reads their members, which is compared here as well. A number that no `f64` can hold is JSON: serde_json's
//! grammar takes it, only its conversion does not.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod documents;
#[allow(dead_code)]
#[path = "../../fuzz/src/json.rs"]
mod judge;

use documents::{Random, document, mutated};
use judge::is_json;
use model_router::request::json::{Kind, MAX_DEPTH, Reader};
use model_router::request::{ReadError, read_members};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn accepts(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    reader.skip().is_ok() && reader.end().is_ok()
}

/// The value that comes next; the last of equal keys counts, as in serde_json.
fn tree(reader: &mut Reader) -> Value {
    let bytes = reader.bytes();
    let mut first = true;
    match reader.peek().unwrap() {
        Kind::Null => {
            assert_eq!(reader.skip().unwrap().of(bytes), b"null");
            Value::Null
        }
        Kind::Bool => reader.bool().unwrap().into(),
        Kind::Number => serde_json::from_slice(reader.number().unwrap().of(bytes)).unwrap(),
        Kind::String => reader.string().unwrap().value(bytes).into(),
        Kind::Array => {
            reader.enter_array().unwrap();
            let mut items = Vec::new();
            while reader.next_item(&mut first).unwrap() {
                items.push(tree(reader));
            }
            items.into()
        }
        Kind::Object => {
            reader.enter_object().unwrap();
            let mut members = Map::new();
            while let Some(key) = reader.next_key(&mut first).unwrap() {
                members.insert(key.value(bytes).into_owned(), tree(reader));
            }
            members.into()
        }
    }
}

/// Compares all that can be said of a document; says whether it is one.
fn compare(bytes: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]);
    let is_json = is_json(bytes);
    assert_eq!(accepts(bytes), is_json, "{:?} {}", bytes.get(..200), shown());
    let value = serde_json::from_slice::<Value>(bytes);
    if let Ok(value) = &value {
        let mut reader = Reader::new(bytes);
        assert_eq!(tree(&mut reader), *value, "{}", shown());
        reader.end().unwrap();
    }
    match (read_members(bytes), value) {
        (Ok(members), Ok(value)) => {
            let object = value.as_object().unwrap();
            let names: BTreeSet<_> = members.list.iter().map(|member| member.name(bytes)).collect();
            assert!(members.list.len() == object.len() && names.len() == object.len(), "{}", shown());
            for member in &members.list {
                let value: Value = serde_json::from_slice(member.value.of(bytes)).unwrap();
                assert_eq!(value, object[&*member.name(bytes)]);
            }
        }
        (Ok(_), Err(_)) => assert!(is_json, "{}", shown()),
        (Err(ReadError::Invalid { rule, .. }), value) => {
            assert!(rule == "is there twice" || value.is_ok_and(|value| value.as_object().unwrap().len() > 512));
        }
        (Err(_), value) => assert!(!is_json || !value.is_ok_and(|value| value.is_object()), "{}", shown()),
    }
    is_json
}

/// Compares so many documents with so many faults, and says how many of them are valid.
fn count(seed: u64, documents: usize, faults: usize, one_in: usize) -> usize {
    let mut random = Random(seed);
    (0..documents).filter(|_| compare(&document(&mut random, faults, one_in))).count()
}

#[test]
fn valid_documents_are_accepted_and_read_alike() {
    assert_eq!(count(1, 30_000, 0, 1), 30_000);
}

#[test]
fn nearly_valid_documents_are_judged_alike() {
    // Some are valid for all that: the fault may not come up, or may be none where it stands.
    let valid = count(2, 60_000, 1, 12);
    assert!((6_000..40_000).contains(&valid), "{valid}");
}

#[test]
fn hostile_documents_are_judged_alike() {
    let valid = count(3, 40_000, usize::MAX, 6);
    assert!((2_000..20_000).contains(&valid), "{valid}");
}

#[test]
fn mutations_of_valid_documents_are_judged_alike() {
    let mut random = Random(4);
    let mut valid = 0;
    for _ in 0..60_000 {
        let document = document(&mut random, 0, 1);
        valid += usize::from(compare(&mutated(&mut random, &document)));
    }
    assert!((6_000..50_000).contains(&valid), "{valid}");
}

#[test]
fn every_byte_alone_in_a_string_behind_an_escape_and_between_values() {
    for byte in 0..=u8::MAX {
        for [before, after] in
            [["", ""], ["\"", "\""], ["\"1234567", "\""], ["\"\\", "\""], ["[1", "2]"], ["[1", "]"], ["\"\\u00a", "\""]]
        {
            compare(&[before.as_bytes(), &[byte], after.as_bytes()].concat());
            for next in [0x80, 0xa0, 0xbf] {
                compare(&[before.as_bytes(), &[byte, next], after.as_bytes()].concat());
                compare(&[before.as_bytes(), &[byte, next, 0x80], after.as_bytes()].concat());
                compare(&[before.as_bytes(), &[byte, next, 0x80, 0x80], after.as_bytes()].concat());
            }
        }
    }
}

#[test]
fn every_unit_of_utf_16_is_an_escape_unless_it_is_half_a_pair() {
    for unit in 0..=u16::MAX {
        let is_half = (0xd800..0xe000).contains(&unit);
        assert_eq!(compare(format!("\"\\u{unit:04x}\"").as_bytes()), !is_half);
        if is_half {
            assert_eq!(compare(format!("\"\\u{unit:04X}\\uDC00\"").as_bytes()), unit < 0xdc00);
            assert_eq!(compare(format!("\"\\ud800\\u{unit:04x}\"").as_bytes()), unit >= 0xdc00);
        }
    }
}

#[test]
fn nesting_is_bounded_alike() {
    let most = MAX_DEPTH as usize;
    let mut random = Random(5);
    for depth in (most - 3..most + 4).chain([1_000, 100_000]) {
        for _ in 0..40 {
            let (mut open, mut close) = (Vec::new(), Vec::new());
            for _ in 0..depth {
                let (begin, end): (&[u8], &[u8]) = match random.below(4) {
                    0 => (b"[", b"]"),
                    1 => (b"[1,", b" ]"),
                    2 => (b"{\"a\":", b"}"),
                    _ => (b"{\"a\":1,\"b\" : ", b",\"c\":\"\"}"),
                };
                open.extend_from_slice(begin);
                close.extend(end.iter().rev());
            }
            close.reverse();
            // What stands innermost may be a level itself.
            let inner = if depth < most { "[]" } else { "0" };
            assert_eq!(compare(&[&open, inner.as_bytes(), &close].concat()), depth <= most);
            compare(&open);
            compare(&[&open, inner.as_bytes(), &close[1..]].concat());
            compare(&[&open, &close[..]].concat());
        }
    }
}

#[test]
fn huge_documents_are_judged_alike() {
    let long = "x".repeat(1 << 20);
    let names = |count: usize| (0..count).map(|index| format!("\"{index}\":{index}")).collect::<Vec<_>>().join(",");
    for document in [
        format!("\"{long}\""),
        format!("\"{long}"),
        format!("\"{long}\u{1}\""),
        format!("\"{}\"", "\\u00e9".repeat(100_000)),
        format!("\"{}\\ud800\"", "é".repeat(100_000)),
        format!("[{}1]", "1,".repeat(200_000)),
        format!("[{}]", "1,".repeat(200_000)),
        format!("{}{{}}{}", " ".repeat(1 << 20), "\n".repeat(1 << 20)),
        "9".repeat(100_000),
        format!("-0.{}e-1", "0".repeat(100_000)),
        format!("1e{}", "9".repeat(100_000)),
        format!("1{}x", "0".repeat(100_000)),
        format!("{{{}}}", names(512)),
        format!("{{{}}}", names(513)),
        format!("{{{},\"7\":0}}", names(100)),
    ] {
        compare(document.as_bytes());
    }
}
