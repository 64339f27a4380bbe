//! Tools: what the real API refuses of them, and which of them an answer calls.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::models::Claude;
use super::refuse::{self, Checked, expect, known, missing, object, one_of, path, refuse, refuse_all, text};
use super::request::MessageRequest;
use super::schema;

/// The most tools of one request that promise arguments that fit.
const MOST_STRICT: usize = 20;

/// Members of a tool that the client runs.
const MEMBERS: &[&str] = &[
    "name",
    "description",
    "input_schema",
    "type",
    "cache_control",
    "strict",
    "eager_input_streaming",
    "defer_loading",
    "allowed_callers",
    "input_examples",
];

/// How the types of tools begin that Anthropic defines.
const FOREIGN: &[&str] = &[
    "bash_",
    "code_execution_",
    "computer_",
    "memory_",
    "text_editor_",
    "tool_search_tool_",
    "web_fetch_",
    "web_search_",
    "mcp_toolset",
];

/// Refuses a name of a tool that has other letters than names have.
pub fn check_name(name: &str, at: &str) -> Checked {
    refuse::name(name, at, 128, "^[a-zA-Z0-9_-]{1,128}$")
}

/// Refuses what is wrong with the tools, or with the choice among them.
pub fn check(request: &MessageRequest, claude: Claude<'_>) -> Checked {
    let mut names = HashSet::new();
    let mut strict = 0;
    for (index, tool) in request.tools().iter().enumerate() {
        one(tool, &format!("tools.{index}"))?;
        if !tool["name"].as_str().is_none_or(|name| names.insert(name)) {
            return Err(refuse("tools", "Tool names must be unique."));
        }
        strict += usize::from(tool["strict"] == true);
    }
    if strict > MOST_STRICT {
        let why =
            format!("Too many strict tools ({strict}). The maximum number of strict tools supported is {MOST_STRICT}.");
        return Err(refuse("tools", why));
    }
    match request.given("tool_choice") {
        None => Ok(()),
        Some(_) if names.is_empty() => Err(refuse("tool_choice", "may only be specified while providing tools")),
        Some(choice) => self::choice(choice, &names, request, claude),
    }
}

fn one(tool: &Value, at: &str) -> Checked {
    let tool = object(tool, at)?;
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or("custom");
    if FOREIGN.iter().any(|prefix| kind.starts_with(prefix)) {
        return Ok(());
    }
    if kind != "custom" {
        let why = format!("Input tag '{kind}' found using 'type' does not match any of the expected tags");
        return Err(refuse(at, why));
    }
    let at = &path(at, "custom");
    known(tool, at, MEMBERS)?;
    check_name(text(tool, at, "name")?, &path(at, "name"))?;
    expect(tool, at, "description", "a valid string", Value::is_string)?;
    expect(tool, at, "strict", "a valid boolean", Value::is_boolean)?;
    let inner = &path(at, "input_schema");
    let schema = tool.get("input_schema").ok_or_else(|| missing(inner))?;
    one_of(text(object(schema, inner)?, inner, "type")?, &path(inner, "type"), &["object"])?;
    if tool.get("strict") == Some(&Value::Bool(true)) { schema::check(schema, at) } else { Ok(()) }
}

fn choice(choice: &Value, names: &HashSet<&str>, request: &MessageRequest, claude: Claude<'_>) -> Checked {
    let at = "tool_choice";
    let choice = object(choice, at)?;
    let kind = text(choice, at, "type")?;
    one_of(kind, "tool_choice.type", &["auto", "any", "tool", "none"])?;
    let members: &[&str] = match kind {
        "none" => &["type"],
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        _ => &["type", "disable_parallel_tool_use"],
    };
    let at = &path(at, kind);
    known(choice, at, members)?;
    expect(choice, at, "disable_parallel_tool_use", "a valid boolean", Value::is_boolean)?;
    if kind == "tool" {
        let name = text(choice, at, "name")?;
        if !names.contains(name) {
            return Err(refuse_all(format!("Tool '{name}' not found in provided tools")));
        }
    }
    if !matches!(kind, "any" | "tool") {
        return Ok(());
    }
    if !claude.takes_forced_tool() {
        return Err(refuse(
            "tool_choice.type",
            format!("'{kind}' is not supported on this model. Use 'auto' or 'none'."),
        ));
    }
    match request.thinking() {
        Some(_) => Err(refuse("tool_choice", "Thinking may not be enabled when tool_choice forces tool use.")),
        None => Ok(()),
    }
}

/// What an answer does about tools where nothing forces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It calls none.
    Idle,
    /// It calls the first.
    One,
    /// It calls each once, if it may call several.
    All,
}

/// The tools that an answer calls, in order.
pub fn called(request: &MessageRequest, mood: Mood) -> Vec<&Map<String, Value>> {
    let ours = |tool: &&Map<String, Value>| tool.contains_key("input_schema");
    let tools: Vec<_> = request.tools().iter().filter_map(Value::as_object).filter(ours).collect();
    let choice = request.choice();
    let several = request.inner("tool_choice", "disable_parallel_tool_use") != Some(&Value::Bool(true));
    let count = match mood {
        _ if choice == "none" => 0,
        Mood::Idle if choice == "auto" => 0,
        Mood::All if several => tools.len(),
        _ => 1,
    };
    let named = request.inner("tool_choice", "name").filter(|_| choice == "tool");
    tools.into_iter().filter(|tool| named.is_none() || tool.get("name") == named).take(count).collect()
}
