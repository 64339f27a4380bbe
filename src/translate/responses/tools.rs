//! Reads what a Responses request says of tools and of the shape of the answer's text.

use crate::request::json::{Kind, Reader};
use crate::translate::body::{Result, each, flag, once, required, string};
use crate::translate::conversation::{Choice, Format, Takes, Tool, ToolName};
use crate::translate::json::{Raw, fields};
use crate::translate::path::Path;

const TOOL: [&str; 6] = ["type", "name", "description", "parameters", "strict", "format"];

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
    let [kind, name, description, parameters, strict, format] = once(fields(reader, &TOOL)?, &TOOL, path)?;
    let kind = required(kind, &path.member("type"))?.string();
    let takes = match kind.as_deref() {
        Some("function") => {
            if parameters.is_some_and(|schema| schema.kind() != Kind::Object) {
                return path.member("parameters").invalid("must be an object");
            }
            Takes::Arguments { schema: parameters, strict: flag(strict, &path.member("strict"))? }
        }
        Some("custom") => takes_text(format, &path.member("format"))?,
        // Hosted tools, and what nobody knows yet.
        _ => return path.member("type").obstacle(),
    };
    Ok(Tool {
        name: required(name, &path.member("name"))?,
        description: string(description, &path.member("description"))?,
        takes,
        cache_point: None,
    })
}

fn takes_text<'a>(format: Option<Raw<'a>>, path: &Path) -> Result<Takes<'a>> {
    let Some(format) = format else { return Ok(Takes::Text) };
    const FORMAT: [&str; 3] = ["type", "syntax", "definition"];
    let [kind, syntax, definition] = object(format, &FORMAT, path)?;
    match required(kind, &path.member("type"))?.string().as_deref() {
        Some("text") => Ok(Takes::Text),
        Some("grammar") => Ok(Takes::Grammar {
            syntax: required(syntax, &path.member("syntax"))?,
            definition: required(definition, &path.member("definition"))?,
        }),
        _ => path.member("type").obstacle(),
    }
}

/// `tool_choice`.
pub fn read_choice(choice: Option<Raw>) -> Result<Option<Choice>> {
    let path = Path::root("tool_choice");
    let Some(choice) = choice else { return Ok(None) };
    if let Some(word) = choice.string() {
        return match &*word {
            "none" => Ok(Some(Choice::Never)),
            "auto" => Ok(Some(Choice::Auto)),
            "required" => Ok(Some(Choice::Required)),
            _ => path.obstacle(),
        };
    }
    if choice.kind() != Kind::Object {
        return path.invalid("must be a string or an object");
    }
    const CHOICE: [&str; 4] = ["type", "name", "mode", "tools"];
    let [kind, name, mode, tools] = object(choice, &CHOICE, &path)?;
    let kind = required(kind, &path.member("type"))?;
    if kind.string().as_deref() != Some("allowed_tools") {
        return tool_name(kind, name, &path).map(|tool| Some(Choice::Tool(tool)));
    }
    let required_mode = match required(mode, &path.member("mode"))?.string().as_deref() {
        Some("auto") => false,
        Some("required") => true,
        _ => return path.member("mode").obstacle(),
    };
    let path = path.member("tools");
    let Some(tools) = tools.filter(|tools| tools.kind() == Kind::Array) else {
        return path.invalid("must be an array");
    };
    let mut list = Vec::new();
    each(tools, |index, reader| {
        let path = path.item(index);
        if reader.peek()? != Kind::Object {
            return path.invalid("must be an object");
        }
        const NAME: [&str; 2] = ["type", "name"];
        let [kind, name] = once(fields(reader, &NAME)?, &NAME, &path)?;
        list.push(tool_name(required(kind, &path.member("type"))?, name, &path)?);
        Ok(())
    })?;
    Ok(Some(Choice::Allowed { required: required_mode, tools: list }))
}

fn tool_name<'a>(kind: Raw, name: Option<Raw<'a>>, path: &Path) -> Result<ToolName<'a>> {
    let custom = match kind.string().as_deref() {
        Some("function") => false,
        Some("custom") => true,
        _ => return path.member("type").obstacle(),
    };
    Ok(ToolName { name: required(name, &path.member("name"))?, custom })
}

/// `text.format`; `None` where the text is free.
pub fn read_format<'a>(format: Raw<'a>, path: &Path) -> Result<Option<Format<'a>>> {
    const FORMAT: [&str; 5] = ["type", "name", "description", "schema", "strict"];
    let [kind, name, description, schema, strict] = object(format, &FORMAT, path)?;
    match required(kind, &path.member("type"))?.string().as_deref() {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::Json)),
        Some("json_schema") => {
            if schema.is_some_and(|schema| schema.kind() != Kind::Object) {
                return path.member("schema").invalid("must be an object");
            }
            Ok(Some(Format::Schema {
                name: required(name, &path.member("name"))?,
                description: string(description, &path.member("description"))?,
                schema,
                strict: flag(strict, &path.member("strict"))?,
            }))
        }
        _ => path.member("type").obstacle(),
    }
}

fn object<'a, const N: usize>(value: Raw<'a>, names: &[&'static str; N], path: &Path) -> Result<[Option<Raw<'a>>; N]> {
    if value.kind() != Kind::Object {
        return path.invalid("must be an object");
    }
    once(fields(&mut value.reader(), names)?, names, path)
}
