//! Reads what a Chat Completions request says of tools and of the shape of the answer's text.

use crate::request::json::{Kind, Reader};
use crate::translate::body::{Result, each, flag, once, required, string};
use crate::translate::conversation::{Choice, Format, Takes, Tool, ToolName};
use crate::translate::json::{Raw, fields};
use crate::translate::path::Path;

/// The tools, none where absent.
pub fn read(tools: Option<Raw>) -> Result<Vec<Tool>> {
    let path = Path::root("tools");
    let mut list = Vec::new();
    let Some(tools) = tools else { return Ok(list) };
    if tools.kind() != Kind::Array {
        return path.invalid("must be an array");
    }
    each(tools, |index, reader| {
        list.push(tool(reader, &path.item(index))?);
        Ok(())
    })?;
    Ok(list)
}

fn tool<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<Tool<'a>> {
    if reader.peek()? != Kind::Object {
        return path.invalid("must be an object");
    }
    const TOOL: [&str; 3] = ["type", "function", "cache_control"];
    let [kind, function, cache_point] = once(fields(reader, &TOOL)?, &TOOL, path)?;
    // Tools of free text, and what nobody knows yet.
    if required(kind, &path.member("type"))?.escaped() != Some(b"function") {
        return path.member("type").obstacle();
    }
    let path = path.member("function");
    const FUNCTION: [&str; 5] = ["name", "description", "parameters", "strict", "cache_control"];
    let [name, description, schema, strict, inner_point] = object(function, &FUNCTION, &path)?;
    if schema.is_some_and(|schema| schema.kind() != Kind::Object) {
        return path.member("parameters").invalid("must be an object");
    }
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
    let [kind, function, allowed] = object(Some(choice), &CHOICE, &path)?;
    match required(kind, &path.member("type"))?.escaped() {
        Some(b"function") => tool_name(function, &path.member("function")).map(|name| Some(Choice::Tool(name))),
        Some(b"allowed_tools") => {
            let path = path.member("allowed_tools");
            const ALLOWED: [&str; 2] = ["mode", "tools"];
            let [mode, tools] = object(allowed, &ALLOWED, &path)?;
            let required = match required(mode, &path.member("mode"))?.escaped() {
                Some(b"auto") => false,
                Some(b"required") => true,
                _ => return path.member("mode").obstacle(),
            };
            read_allowed(tools, &path.member("tools")).map(|tools| Some(Choice::Allowed { required, tools }))
        }
        _ => path.member("type").obstacle(),
    }
}

fn read_allowed<'a>(tools: Option<Raw<'a>>, path: &Path) -> Result<Vec<ToolName<'a>>> {
    let Some(tools) = tools.filter(|tools| tools.kind() == Kind::Array) else {
        return path.invalid("must be an array");
    };
    let mut list = Vec::new();
    each(tools, |index, reader| {
        let path = path.item(index);
        const ENTRY: [&str; 2] = ["type", "function"];
        let entry = Raw::at(reader.skip()?, reader.bytes());
        let [_, function] = object(Some(entry), &ENTRY, &path)?;
        list.push(tool_name(function, &path.member("function"))?);
        Ok(())
    })?;
    Ok(list)
}

fn tool_name<'a>(function: Option<Raw<'a>>, path: &Path) -> Result<ToolName<'a>> {
    let [name] = object(function, &["name"], path)?;
    Ok(ToolName { name: required(name, &path.member("name"))?, custom: false })
}

/// `response_format`; `None` where the text is free.
pub fn read_format(format: Raw) -> Result<Option<Format>> {
    let path = Path::root("response_format");
    const FORMAT: [&str; 2] = ["type", "json_schema"];
    let [kind, schema] = object(Some(format), &FORMAT, &path)?;
    match required(kind, &path.member("type"))?.escaped() {
        Some(b"text") => Ok(None),
        Some(b"json_object") => Ok(Some(Format::Json)),
        Some(b"json_schema") => {
            let path = path.member("json_schema");
            const SCHEMA: [&str; 4] = ["name", "description", "schema", "strict"];
            let [name, description, schema, strict] = object(schema, &SCHEMA, &path)?;
            if schema.is_some_and(|schema| schema.kind() != Kind::Object) {
                return path.member("schema").invalid("must be an object");
            }
            let name = required(name, &path.member("name"))?;
            let description = string(description, &path.member("description"))?;
            Ok(Some(Format::Schema { name, description, schema, strict: flag(strict, &path.member("strict"))? }))
        }
        _ => path.member("type").obstacle(),
    }
}

fn object<'a, const N: usize>(
    value: Option<Raw<'a>>,
    names: &[&'static str; N],
    path: &Path,
) -> Result<[Option<Raw<'a>>; N]> {
    match value.filter(|value| value.kind() == Kind::Object) {
        Some(value) => once(fields(&mut value.reader(), names)?, names, path),
        None => path.invalid("must be an object"),
    }
}
