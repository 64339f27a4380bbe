//! The reader of JSON accepts and rejects exactly what serde_json does, and reads the same values.
//!
//! Nesting is compared too: both take 127 levels and refuse the next. Duplicate keys are JSON; bodies with one are refused
//! by what reads their members, which is compared here as well. A number that no `f64` can hold is JSON: serde_json's
//! grammar takes it, only its conversion does not.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "../fuzz/src/json.rs"]
mod judge;

use judge::is_json;
use model_router::request::json::{Kind, MAX_DEPTH, Reader};
use model_router::request::{ReadError, read_members};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// SplitMix64: the same documents in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// Writes documents with so many faults, while they last, each as likely as `one_in` says.
struct Writer<'r> {
    random: &'r mut Random,
    out: Vec<u8>,
    faults: usize,
    one_in: usize,
}

impl Writer<'_> {
    fn is_wrong(&mut self) -> bool {
        let is_wrong = self.faults > 0 && self.random.below(self.one_in) == 0;
        self.faults -= usize::from(is_wrong);
        is_wrong
    }

    /// One of `right`, or where there is to be a fault, of `wrong`.
    fn put(&mut self, right: &[&[u8]], wrong: &[&[u8]]) {
        let list = if self.is_wrong() { wrong } else { right };
        let text = self.random.pick(list);
        self.out.extend_from_slice(text);
    }

    fn space(&mut self) {
        if self.random.below(4) == 0 {
            self.put(
                &[b" ", b"\n", b"\r\n", b"\t", b"  \t \n"],
                &[b"\x0b", b"\x0c", b"\xc2\xa0", b"\xe2\x80\xa8", b"\0", b"//\n", b"/**/", b"\xef\xbb\xbf", b"\x85"],
            );
        }
    }

    fn number(&mut self) {
        self.put(&[b"", b"-"], &[b"+", b"--", b"- ", b"."]);
        match self.random.below(40) {
            0 => self.out.extend(std::iter::repeat_n(b'9', 400)),
            1 => self.out.extend(std::iter::repeat_n(b'1', 20)),
            _ => self.put(
                &[
                    b"0",
                    b"7",
                    b"10",
                    b"123456789012345678",
                    b"18446744073709551615",
                    b"18446744073709551616",
                    b"9007199254740993",
                ],
                &[b"00", b"01", b"", b"0x1", b"1_0", b"\xd9\xa3", b"1,0", b"\xef\xbc\x91"],
            ),
        }
        if self.random.below(3) == 0 {
            self.put(
                &[b".0", b".5", b".000000000000000000000000000001"],
                &[b".", b"..1", b".-1", b". 1", b".e1", b"._"],
            );
        }
        if self.random.below(3) == 0 {
            self.put(
                &[
                    b"e1",
                    b"E0",
                    b"e+2",
                    b"E-3",
                    b"e308",
                    b"e309",
                    b"E-400",
                    b"e00001",
                    b"e99999999999999999999",
                    b"e-99999999999999999999",
                ],
                &[b"e", b"E+", b"e-", b"e1.5", b"e+-1", b"ee1", b"e 1", b"f", b"n", b"d1", b"e0x1"],
            );
        }
    }

    fn string(&mut self) {
        self.put(&[b"\""], &[b"'", b"", b"`", b"\\\"", b"\xe2\x80\x9c"]);
        for _ in 0..self.random.below(6) {
            match self.random.below(4) {
                0 => self.put(
                    &[
                        b"a",
                        b"plain text",
                        b"12345678",
                        b"{}[],:",
                        b"//",
                        b"model",
                        b"\x7f",
                        b"e1 9",
                        b"99999999999999999",
                    ],
                    &[b"\"", b"\n", b"\0", b"\x1f", b"\t", b"\r", b"\x08"],
                ),
                1 => self.put(
                    &[
                        "é".as_bytes(),
                        "中文".as_bytes(),
                        "😀".as_bytes(),
                        "\u{2028}".as_bytes(),
                        "\u{feff}".as_bytes(),
                        "\u{ffff}".as_bytes(),
                        "\u{10ffff}".as_bytes(),
                    ],
                    &[
                        b"\xff",
                        b"\xc3",
                        b"\x80",
                        b"\xc0\x80",
                        b"\xe0\x80\x80",
                        b"\xed\xa0\x80",
                        b"\xed\xbf\xbf",
                        b"\xf4\x90\x80\x80",
                        b"\xf0\x9f\x98",
                        b"\xf8\x88\x80\x80\x80",
                        b"\xe4\xb8",
                    ],
                ),
                2 => self.put(
                    &[
                        b"\\\"", b"\\\\", b"\\/", b"\\b", b"\\f", b"\\n", b"\\r", b"\\t", b"\\u0000", b"\\u00E9",
                        b"\\uffff", b"\\ud7ff", b"\\ue000",
                    ],
                    &[
                        b"\\x41",
                        b"\\",
                        b"\\'",
                        b"\\0",
                        b"\\a",
                        b"\\U0041",
                        b"\\u",
                        b"\\u12",
                        b"\\u12g4",
                        b"\\u 123",
                        b"\\u+123",
                        b"\\\n",
                        b"\\\xc3\xa9",
                        b"\\u00\xc3\xa9",
                    ],
                ),
                _ => self.put(
                    &[b"\\ud83d\\ude00", b"\\uD800\\uDC00", b"\\udbff\\udfff"],
                    &[
                        b"\\ud83d",
                        b"\\ude00",
                        b"\\ud83d\\ud83d",
                        b"\\ude00\\ud83d",
                        b"\\ud83d\\u0041",
                        b"\\ud83dx",
                        b"\\ud83d\\n",
                        b"\\ud83d\\",
                        b"\\ud83d\\u",
                        b"\\ud83d\\ude0",
                        b"\\ud83d \\ude00",
                        b"\\udfff\\udfff",
                    ],
                ),
            }
        }
        self.put(&[b"\""], &[b"'", b"", b"\"\"", b"\\\""]);
    }

    fn elements(&mut self, depth: usize, close: (&'static [u8], &'static [u8]), each: fn(&mut Self, usize)) {
        for index in 0..self.random.below(5) {
            if index > 0 {
                self.put(&[b","], &[b"", b",,", b";", b":", b"."]);
            }
            self.space();
            each(self, depth);
            self.space();
        }
        self.put(&[close.0], &[close.1, b"", b",]", b",}", b"]]", b"}}", b")"]);
    }

    fn value(&mut self, depth: usize) {
        match self.random.below(if depth == 0 { 7 } else { 12 }) {
            0 => self.put(&[b"null"], &[b"nul", b"NULL", b"nulll", b"None", b"n", b"undefined"]),
            1 => self.put(
                &[b"true", b"false"],
                &[b"True", b"tru", b"falsee", b"t", b"yes", b"NaN", b"Infinity", b"-Infinity"],
            ),
            2..=4 => self.number(),
            5 | 6 => self.string(),
            7 | 8 => {
                self.put(&[b"["], &[b"", b"[,", b"[[", b"("]);
                self.elements(depth - 1, (b"]", b"}"), Self::value);
            }
            _ => {
                self.put(&[b"{"], &[b"", b"{,", b"{{", b"{}"]);
                self.elements(depth - 1, (b"}", b"]"), |it, depth| {
                    match it.random.below(3) {
                        0 => it.put(
                            &[b"\"a\"", b"\"\\u0061\"", b"\"\"", b"\"model\""],
                            &[b"a", b"1", b"null", b"'a'", b"[]"],
                        ),
                        _ => it.string(),
                    }
                    it.space();
                    it.put(&[b":"], &[b"", b"::", b"=", b",", b"=>"]);
                    it.space();
                    it.value(depth);
                });
            }
        }
    }
}

/// A document; without faults it is valid.
fn document(random: &mut Random, faults: usize, one_in: usize) -> Vec<u8> {
    let mut writer = Writer { random, out: Vec::new(), faults, one_in };
    writer.put(&[b""], &[b"\xef\xbb\xbf", b"\0", b"\xff\xfe", b",", b"\x1e", b"{}"]);
    writer.space();
    writer.value(5);
    writer.space();
    writer.put(&[b""], &[b"\0", b"x", b",", b"null", b"{}", b"\xff", b"\n1", b"\"", b"]", b"}"]);
    writer.out
}

/// Bytes changed, taken out, put in, or moved; the end cut off.
fn mutated(random: &mut Random, document: &[u8]) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let new = b"{}[]\",:\\u019.eE+- tfn\x00\x1f\xff\xc3\xa9d8"[random.below(28)];
        match random.below(5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = new,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let moved: Vec<u8> = bytes.drain(at..(at + 9).min(bytes.len())).collect();
                let to = random.below(bytes.len());
                bytes.splice(to..to, moved);
            }
            _ => bytes.insert(at, new),
        }
    }
    bytes
}

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
