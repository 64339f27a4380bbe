//! Decodes a serialised `google.protobuf.Struct`, the form in which Envoy hands over plain YAML.
//!
//! Owns the four messages of `struct.proto` and as much of the wire format as they need. Never panics on any bytes, and
//! takes nothing that is nested deeper than [`MAX_DEPTH`].

use serde_json::{Map, Number, Value};

/// Nesting of objects and lists; a policy needs six.
const MAX_DEPTH: usize = 64;

/// The object that `bytes` encode. A number that is not finite becomes the text that protobuf's JSON mapping uses
/// (`NaN`, `Infinity`, `-Infinity`), since JSON has no such number.
///
/// # Errors
/// When the bytes are no `Struct`, or one nested too deeply.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, &'static str> {
    object(bytes, MAX_DEPTH)
}

const MALFORMED: &str = "malformed protobuf message";

/// A field's content, by wire type.
enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of one message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The next field's number and content; `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Wire<'a>)>, &'static str> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.take(8)?.try_into().map_err(|_| MALFORMED)?),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(usize::try_from(length).map_err(|_| MALFORMED)?)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed32)?,
            _ => return Err(MALFORMED),
        };
        Ok(Some((tag >> 3, wire)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(MALFORMED)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(MALFORMED)
    }
}

/// `Struct { map<string, Value> fields = 1; }`
fn object(bytes: &[u8], depth: usize) -> Result<Value, &'static str> {
    let deeper = depth.checked_sub(1).ok_or("nested too deeply")?;
    let (mut fields, mut map) = (Fields(bytes), Map::new());
    while let Some(field) = fields.next()? {
        let (1, Wire::Bytes(entry)) = field else { return Err(MALFORMED) };
        let (mut entry, mut key, mut content) = (Fields(entry), "", Value::Null);
        while let Some(field) = entry.next()? {
            match field {
                (1, Wire::Bytes(name)) => key = text(name)?,
                (2, Wire::Bytes(bytes)) => content = value(bytes, deeper)?,
                _ => return Err(MALFORMED),
            }
        }
        map.insert(key.to_owned(), content);
    }
    Ok(Value::Object(map))
}

/// `Value`, a oneof of six kinds; the last one counts.
fn value(bytes: &[u8], depth: usize) -> Result<Value, &'static str> {
    let (mut fields, mut value) = (Fields(bytes), Value::Null);
    while let Some(field) = fields.next()? {
        value = match field {
            (1, Wire::Varint(_)) => Value::Null,
            (2, Wire::Fixed64(bytes)) => number(f64::from_le_bytes(bytes)),
            (3, Wire::Bytes(bytes)) => Value::String(text(bytes)?.to_owned()),
            (4, Wire::Varint(flag)) => Value::Bool(flag != 0),
            (5, Wire::Bytes(bytes)) => object(bytes, depth)?,
            (6, Wire::Bytes(bytes)) => list(bytes, depth)?,
            _ => return Err(MALFORMED),
        };
    }
    Ok(value)
}

/// `ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: usize) -> Result<Value, &'static str> {
    let deeper = depth.checked_sub(1).ok_or("nested too deeply")?;
    let (mut fields, mut items) = (Fields(bytes), Vec::new());
    while let Some(field) = fields.next()? {
        let (1, Wire::Bytes(bytes)) = field else { return Err(MALFORMED) };
        items.push(value(bytes, deeper)?);
    }
    Ok(Value::Array(items))
}

fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(bytes).map_err(|_| MALFORMED)
}

fn number(number: f64) -> Value {
    let not_finite = if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    Number::from_f64(number).map_or_else(|| Value::String(not_finite.to_owned()), Value::Number)
}
