use super::*;
use crate::policy::structpb;

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    varint(content.len(), out);
    out.extend_from_slice(content);
}

/// A `google.protobuf.Value`.
fn value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Null => out.extend([0x08, 0]),
        Value::Number(number) => {
            out.push(0x11);
            out.extend(number.as_f64().unwrap().to_le_bytes());
        }
        Value::String(text) => bytes(0x1a, text.as_bytes(), &mut out),
        Value::Bool(flag) => out.extend([0x20, u8::from(*flag)]),
        Value::Object(_) => bytes(0x2a, &object(value), &mut out),
        Value::Array(items) => {
            let mut list = Vec::new();
            items.iter().for_each(|item| bytes(0x0a, &self::value(item), &mut list));
            bytes(0x32, &list, &mut out);
        }
    }
    out
}

/// A `google.protobuf.Struct`, as Envoy serialises it.
fn object(object: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, content) in object.as_object().unwrap() {
        let mut entry = Vec::new();
        bytes(0x0a, key.as_bytes(), &mut entry);
        bytes(0x12, &value(content), &mut entry);
        bytes(0x0a, &entry, &mut out);
    }
    out
}

#[test]
fn a_struct_and_text_give_the_same_policy() {
    for document in [example(), small()] {
        let text = serde_json::to_vec_pretty(&document).unwrap();
        let expected = format!("{:?}", Policy::from_value(&document).unwrap());
        for bytes in [object(&document), text.clone(), [b"\xef\xbb\xbf\n\t ", &text[..]].concat()] {
            assert_eq!(format!("{:?}", Policy::parse(&bytes).unwrap()), expected);
        }
    }
    let wrong = with(example(), "/max_attempts", json!(9));
    assert_eq!(Policy::parse(&object(&wrong)).unwrap_err(), Policy::from_value(&wrong).unwrap_err());
}

#[test]
fn every_length_of_the_first_entry_is_told_from_text() {
    // A Struct begins with a line feed and a length, which may look like the start of JSON text.
    for length in 1..400 {
        let document = json!({"x".repeat(length): {}});
        let errors = Policy::parse(&object(&document)).unwrap_err();
        assert!(errors[0].rule.starts_with("unknown field `x"), "{length}: {}", errors[0]);
    }
}

#[test]
fn fractions_may_be_strings() {
    // Envoy hands over `fee: 0.14` of its YAML so.
    let document = with(with(small(), "/routers/0/fee", json!("0.14")), "/routers/0/mode", json!({"band": "3e-2"}));
    let router = &Policy::parse(&object(&document)).unwrap().routers[0];
    assert_eq!((router.fee, router.band), (0.14, 0.03));
}

#[test]
fn numbers_that_json_lacks_are_refused() {
    let mut document = object(&with(small(), "/max_attempts", json!(123.5)));
    let at = document.windows(8).position(|bytes| bytes == 123.5f64.to_le_bytes()).unwrap();
    document[at..at + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    let errors = Policy::parse(&document).unwrap_err();
    assert_eq!(errors[0].to_string(), "max_attempts: expected a whole number from 1 to 8, found NaN");
}

#[test]
fn what_is_neither_text_nor_a_struct() {
    let rule = |bytes: &[u8]| Policy::parse(bytes).unwrap_err().remove(0).to_string();
    assert!(rule(b"{\"routers\": [,]}").starts_with("configuration: is not valid JSON: expected value at line 1"));
    assert!(rule(b"\n{\"routers\": []").starts_with("configuration: is not valid JSON: EOF"));
    assert!(rule(b"routers:\n- name: auto").starts_with("configuration: is neither JSON text nor a Struct"));
    assert!(rule(b"\xff\xfe").starts_with("configuration: is neither JSON text nor a Struct"));
    assert_eq!(rule(b"7"), "configuration: expected an object, found a number");
}

#[test]
fn depth_is_bounded() {
    let mut deep = Vec::new();
    for _ in 0..10_000 {
        let mut outer = Vec::new();
        bytes(0x0a, &deep, &mut outer);
        deep.clear();
        bytes(0x32, &outer, &mut deep);
    }
    let mut entry = Vec::new();
    bytes(0x12, &deep, &mut entry);
    let mut document = Vec::new();
    bytes(0x0a, &entry, &mut document);
    assert_eq!(structpb::decode(&document), Err("nested too deeply"));
    assert!(Policy::parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    // xorshift64*: the test needs variety, not randomness.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    };
    let valid = object(&example());
    for round in 0..20_000 {
        let mut bytes = valid.clone();
        if round % 2 == 0 {
            bytes.truncate(next() as usize % 64);
            bytes.iter_mut().for_each(|byte| *byte = next() as u8);
        } else {
            for _ in 0..=next() % 4 {
                let at = next() as usize % bytes.len();
                bytes[at] = next() as u8;
            }
            bytes.truncate(bytes.len() - next() as usize % 3);
        }
        // Most rounds end here; only a few reach the document, which is slow to read.
        if structpb::decode(&bytes).is_ok() && round % 64 < 8 {
            let _ = Policy::parse(&bytes);
        }
    }
    for length in 0..valid.len() {
        let _ = structpb::decode(&valid[..length]);
    }
}
