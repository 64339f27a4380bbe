//! Reads what a Responses request says of tools and of the shape of the answer's text.

use crate::request::json::{Kind, Reader};
use crate::translate::body::{self, Result, flag, list, object, object_of, required, string};
use crate::translate::conversation::{Choice, Format, Takes, Tool, ToolName};
use crate::translate::json::Raw;
use crate::translate::path::Path;

const TOOL: [&str; 6] = ["type", "name", "description", "parameters", "strict", "format"];

/// The tools, none where absent.
pub fn read(tools: Option<Raw>) -> Result<Vec<Tool>> {
    match tools {
        Some(_) => list(tools, &Path::root("tools"), tool),
        None => Ok(Vec::new()),
    }
}

fn tool<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<Tool<'a>> {
    let [kind, name, description, parameters, strict, format] = object(reader, &TOOL, path)?;
    let kind = required(kind, &path.member("type"))?.string();
    let takes = match kind.as_deref() {
        Some("function") => {
            let schema = body::schema(parameters, &path.member("parameters"))?;
            Takes::Arguments { schema, strict: flag(strict, &path.member("strict"))? }
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
    if format.is_none() {
        return Ok(Takes::Text);
    }
    let [kind, syntax, definition] = object_of(format, &["type", "syntax", "definition"], path)?;
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
    let [kind, name, mode, tools] = object_of(Some(choice), &CHOICE, &path)?;
    let kind = required(kind, &path.member("type"))?;
    if kind.string().as_deref() != Some("allowed_tools") {
        return tool_name(kind, name, &path).map(|tool| Some(Choice::Tool(tool)));
    }
    let required_mode = match required(mode, &path.member("mode"))?.string().as_deref() {
        Some("auto") => false,
        Some("required") => true,
        _ => return path.member("mode").obstacle(),
    };
    let tools = list(tools, &path.member("tools"), |reader, path| {
        let [kind, name] = object(reader, &["type", "name"], path)?;
        tool_name(required(kind, &path.member("type"))?, name, path)
    })?;
    Ok(Some(Choice::Allowed { required: required_mode, tools }))
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
    let [kind, name, description, schema, strict] = object_of(Some(format), &FORMAT, path)?;
    match required(kind, &path.member("type"))?.string().as_deref() {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::Json)),
        Some("json_schema") => {
            let schema = body::schema(schema, &path.member("schema"))?;
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
