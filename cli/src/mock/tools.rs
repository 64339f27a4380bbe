//! Which tool an answer has to call: `tools` and `tool_choice`, nested as Chat Completions has them or flat as Responses has them.
//!
//! Never refuses anything.

use serde_json::Value;

use super::fields::Fields;

/// A tool that the answer has to call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tool<'a> {
    /// `function` or `custom`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The JSON schema of its parameters; null where it has none.
    pub parameters: &'a Value,
}

/// The tool that `tool_choice` names, if it names one that is not among the tools.
pub fn unknown(request: &Fields) -> Option<&str> {
    // Tools that the provider runs are named in ways of their own.
    let choice = request
        .given("tool_choice")
        .filter(|choice| ["function", "custom"].iter().any(|kind| choice["type"] == *kind))?;
    let name = name(choice)?;
    request.tools().iter().all(|tool| self::name(tool) != Some(name)).then_some(name)
}

/// The tool that the answer has to call: the one `tool_choice` names, or the first when any will do.
pub fn forced(request: &Fields) -> Option<Tool<'_>> {
    let choice = request.given("tool_choice")?;
    let allowed = choice.get("allowed_tools").unwrap_or(choice);
    let wanted = match allowed.get("mode") {
        Some(mode) if mode == "required" => name(allowed.get("tools")?.get(0)?),
        Some(_) => return None,
        None if choice.is_object() => Some(name(choice)?),
        None if choice == "required" => None,
        None => return None,
    };
    request.tools().iter().filter_map(callable).find(|tool| wanted.is_none_or(|wanted| wanted == tool.name))
}

/// A tool that the caller runs; `None` for one that the provider would run.
fn callable(tool: &Value) -> Option<Tool<'_>> {
    let kind = tool.get("type").and_then(Value::as_str).filter(|kind| matches!(*kind, "function" | "custom"))?;
    let parameters = definition(tool).get("parameters").unwrap_or(&Value::Null);
    Some(Tool { kind, name: name(tool)?, parameters })
}

/// The name in `{type: "function", function: {name}}`, `{type: "custom", custom: {name}}` or `{type, name}`.
fn name(tool: &Value) -> Option<&str> {
    definition(tool).get("name")?.as_str()
}

fn definition(tool: &Value) -> &Value {
    tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool)
}
