//! A JSON Schema as Messages takes it for answers and strict tools.
//!
//! Every object there must forbid what it does not name, and some keywords are refused. Dropping a keyword or forbidding
//! more keeps every answer within the client's schema or tells so; what would change the meaning is an obstacle. Never
//! looks into values that are no schemas.

use crate::request::json::{JsonError, Kind, Reader, holds};
use crate::translate::json::{Raw, each_item};

/// Keywords that are refused.
const REFUSED: [&[u8]; 11] = [
    b"minimum",
    b"maximum",
    b"exclusiveMinimum",
    b"exclusiveMaximum",
    b"multipleOf",
    b"minLength",
    b"maxLength",
    b"maxItems",
    b"uniqueItems",
    b"minProperties",
    b"maxProperties",
];

/// What became of a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A keyword was left out.
    pub lost: bool,
    /// An object takes members of any name: that cannot be said.
    pub open: bool,
}

/// Writes the schema as it is taken.
///
/// # Errors
/// [`JsonError`] where it is no JSON.
pub fn write(schema: Raw, out: &mut Vec<u8>) -> Result<Outcome, JsonError> {
    let mut outcome = Outcome::default();
    write_schema(&mut schema.reader(), out, &mut outcome)?;
    Ok(outcome)
}

/// What would become of it.
///
/// # Errors
/// [`JsonError`] where it is no JSON.
pub fn outcome(schema: Raw) -> Result<Outcome, JsonError> {
    write(schema, &mut Vec::with_capacity(schema.bytes().len()))
}

fn write_schema(reader: &mut Reader, out: &mut Vec<u8>, outcome: &mut Outcome) -> Result<(), JsonError> {
    match reader.peek()? {
        Kind::Object => {}
        // `anyOf`, `allOf` and the like.
        Kind::Array => return write_list(reader, out, outcome),
        _ => {
            let value = reader.skip()?;
            out.extend_from_slice(value.of(reader.bytes()));
            return Ok(());
        }
    }
    let (mut first, mut comma) = (true, false);
    let (mut is_object, mut is_closed, mut has_names) = (false, false, false);
    let (mut says_open, mut has_members, mut joined) = (false, false, 0);
    reader.enter_object()?;
    out.push(b'{');
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.span.of(reader.bytes());
        let kind = reader.peek()?;
        if REFUSED.contains(&name) {
            outcome.lost = true;
            reader.skip()?;
            continue;
        }
        if name == b"additionalProperties" {
            is_closed = true;
            let value = reader.skip()?;
            says_open = value.of(reader.bytes()) != b"false";
            // Names that nobody knows, with values of a kind: an empty object would be all that is left.
            outcome.open |= kind == Kind::Object && value.of(reader.bytes()) != b"{}";
            write_key(name, out, &mut comma);
            out.extend_from_slice(b"false");
            continue;
        }
        if name == b"minItems" {
            let value = reader.skip()?.of(reader.bytes());
            if !matches!(value, b"0" | b"1") {
                outcome.lost = true;
                continue;
            }
            write_key(name, out, &mut comma);
            out.extend_from_slice(value);
            continue;
        }
        write_key(name, out, &mut comma);
        match name {
            b"properties" | b"$defs" | b"definitions" | b"patternProperties" if kind == Kind::Object => {
                has_names |= name == b"properties";
                let named = write_named(reader, out, outcome)?;
                has_members |= named && name == b"properties";
            }
            b"allOf" | b"not" | b"if" | b"then" | b"else" => {
                let start = out.len();
                write_schema(reader, out, outcome)?;
                let written = out.get(start..).unwrap_or_default();
                match name {
                    b"allOf" => joined = objects(written),
                    // Closed, it would say of other objects that they fit, or do not.
                    _ => outcome.open |= holds(written, "\"properties\""),
                }
            }
            b"items" | b"anyOf" | b"oneOf" | b"prefixItems" => write_schema(reader, out, outcome)?,
            _ => {
                let value = reader.skip()?.of(reader.bytes());
                is_object |= name == b"type" && value.windows(8).any(|word| word == b"\"object\"");
                out.extend_from_slice(value);
            }
        }
    }
    // An object that may hold anything would have to be empty.
    outcome.open |= is_object && !is_closed && !has_names || says_open && !has_members;
    // Closed objects that must all fit forbid the members of each other.
    outcome.open |= joined + usize::from(has_names) > 1;
    if (is_object || has_names) && !is_closed {
        write_key(b"additionalProperties", out, &mut comma);
        out.extend_from_slice(b"false");
    }
    out.push(b'}');
    Ok(())
}

/// How many schemas of a list speak of objects' members.
fn objects(list: &[u8]) -> usize {
    let mut count = 0;
    // What is no list has none.
    let _ = each_item(&mut Reader::new(list), |_, reader| {
        let item = reader.skip()?.of(list);
        count += usize::from(holds(item, "\"properties\"") || holds(item, "\"$ref\""));
        Ok::<_, JsonError>(())
    });
    count
}

/// Schemas by names of the client's; whether there are any.
fn write_named(reader: &mut Reader, out: &mut Vec<u8>, outcome: &mut Outcome) -> Result<bool, JsonError> {
    let (mut first, mut comma) = (true, false);
    reader.enter_object()?;
    out.push(b'{');
    while let Some(key) = reader.next_key(&mut first)? {
        write_key(key.span.of(reader.bytes()), out, &mut comma);
        write_schema(reader, out, outcome)?;
    }
    out.push(b'}');
    Ok(comma)
}

fn write_list(reader: &mut Reader, out: &mut Vec<u8>, outcome: &mut Outcome) -> Result<(), JsonError> {
    let (mut first, mut comma) = (true, false);
    reader.enter_array()?;
    out.push(b'[');
    while reader.next_item(&mut first)? {
        if core::mem::replace(&mut comma, true) {
            out.push(b',');
        }
        write_schema(reader, out, outcome)?;
    }
    out.push(b']');
    Ok(())
}

/// A key as it stands in the source, escapes and all.
fn write_key(name: &[u8], out: &mut Vec<u8>, comma: &mut bool) {
    if core::mem::replace(comma, true) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
}
