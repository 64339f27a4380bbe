//! Reads what a Chat Completions request says of tools and of the shape of the answer's text.

use crate::request::json::{Kind, Reader};
use crate::translate::body::{self, Result, flag, list, object, object_of, required, string};
use crate::translate::conversation::{Choice, Format, Takes, Tool, ToolName};
use crate::translate::json::Raw;
use crate::translate::path::Path;

/// The tools, none where absent.
pub fn read(tools: Option<Raw>) -> Result<Vec<Tool>> {
    match tools {
        Some(_) => list(tools, &Path::root("tools"), tool),
        None => Ok(Vec::new()),
    }
}

fn tool<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<Tool<'a>> {
    let [kind, function, cache_point] = object(reader, &["type", "function", "cache_control"], path)?;
    // Tools of free text, and what nobody knows yet.
    if required(kind, &path.member("type"))?.escaped() != Some(b"function") {
        return path.member("type").obstacle();
    }
    let path = path.member("function");
    const FUNCTION: [&str; 5] = ["name", "description", "parameters", "strict", "cache_control"];
    let [name, description, schema, strict, inner_point] = object_of(function, &FUNCTION, &path)?;
    let schema = body::schema(schema, &path.member("parameters"))?;
    Ok(Tool {
        name: required(name, &path.member("name"))?,
        description: string(description, &path.member("description"))?,
        takes: Takes::Arguments { schema, strict: flag(strict, &path.member("strict"))? },
        cache_point: cache_point.or(inner_point).filter(|mark| mark.kind() == Kind::Object),
    })
}

/// `tool_choice`.
pub fn read_choice(choice: Option<Raw>) -> Result<Option<Choice>> {
    let path = Path::root("tool_choice");
    let Some(choice) = choice else { return Ok(None) };
    if let Some(word) = choice.escaped() {
        return match word {
            b"none" => Ok(Some(Choice::Never)),
            b"auto" => Ok(Some(Choice::Auto)),
            b"required" => Ok(Some(Choice::Required)),
            _ => path.obstacle(),
        };
    }
    const CHOICE: [&str; 3] = ["type", "function", "allowed_tools"];
    let [kind, function, allowed] = object_of(Some(choice), &CHOICE, &path)?;
    match required(kind, &path.member("type"))?.escaped() {
        Some(b"function") => tool_name(function, &path.member("function")).map(|name| Some(Choice::Tool(name))),
        Some(b"allowed_tools") => {
            let path = path.member("allowed_tools");
            let [mode, tools] = object_of(allowed, &["mode", "tools"], &path)?;
            let required = match required(mode, &path.member("mode"))?.escaped() {
                Some(b"auto") => false,
                Some(b"required") => true,
                _ => return path.member("mode").obstacle(),
            };
            let tools = list(tools, &path.member("tools"), |reader, path| {
                let [_, function] = object(reader, &["type", "function"], path)?;
                tool_name(function, &path.member("function"))
            })?;
            Ok(Some(Choice::Allowed { required, tools }))
        }
        _ => path.member("type").obstacle(),
    }
}

fn tool_name<'a>(function: Option<Raw<'a>>, path: &Path) -> Result<ToolName<'a>> {
    let [name] = object_of(function, &["name"], path)?;
    Ok(ToolName { name: required(name, &path.member("name"))?, custom: false })
}

/// `response_format`; `None` where the text is free.
pub fn read_format(format: Raw) -> Result<Option<Format>> {
    let path = Path::root("response_format");
    let [kind, schema] = object_of(Some(format), &["type", "json_schema"], &path)?;
    match required(kind, &path.member("type"))?.escaped() {
        Some(b"text") => Ok(None),
        Some(b"json_object") => Ok(Some(Format::Json)),
        Some(b"json_schema") => {
            let path = path.member("json_schema");
            const SCHEMA: [&str; 4] = ["name", "description", "schema", "strict"];
            let [name, description, schema, strict] = object_of(schema, &SCHEMA, &path)?;
            let schema = body::schema(schema, &path.member("schema"))?;
            let name = required(name, &path.member("name"))?;
            let description = string(description, &path.member("description"))?;
            Ok(Some(Format::Schema { name, description, schema, strict: flag(strict, &path.member("strict"))? }))
        }
        _ => path.member("type").obstacle(),
    }
}
