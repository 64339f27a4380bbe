//! Reads a model's facts: what the policy says of it, over what the catalog says.
//!
//! Owns the rules on prices, limits and abilities; every fact is overridden field by field. Never looks a model up.

use super::fields::section;
use super::node::{Fields, Node};
use crate::catalog::{
    Abilities, Capabilities, Context, Effort, Efforts, LongContextPrice, MessagesRules, Parameters, Price, Skill, Task,
    Thinking,
};

section! {
    /// USD per million tokens. Each replaces what the catalog says of the model.
    PRICE "models[].price" {
        /// Input that no cache holds.
        input: "USD" = "(the catalog's)", "0.25";
        /// Input that a prompt cache holds.
        cached_input: "USD" = "(the catalog's; else as input)", "0.025";
        /// Input that the provider writes into its prompt cache.
        cache_write: "USD" = "(the catalog's; else as input)", "0.3125";
        /// The same, kept for an hour.
        cache_write_1h: "USD" = "(twice the price of input)", "0.5";
        /// Output, what a model thinks included.
        output: "USD" = "(the catalog's)", "2";
        /// What long requests cost.
        long_context: "an object" = "(the catalog's)", "{above: 200000, input: 0.5, output: 3}";
    }
}

section! {
    /// Prices of requests with more input than `above`.
    LONG_CONTEXT "models[].price.long_context" {
        /// Tokens of input.
        above: "a whole number" = "(the catalog's)", "200000";
        /// USD per million tokens of input.
        input: "USD" = "(the catalog's)", "0.5";
        /// USD per million tokens of cached input.
        cached_input: "USD" = "(the catalog's; else as input)", "0.05";
        /// USD per million tokens of output.
        output: "USD" = "(the catalog's)", "3";
    }
}

section! {
    /// How many tokens fit.
    CONTEXT "models[].context" {
        /// Of input, at most.
        input: "a whole number" = "(the catalog's)", "272000";
        /// Of output, at most.
        output: "a whole number" = "(the catalog's)", "128000";
        /// Of both together, where that is less than their sum.
        window: "a whole number" = "(the catalog's; else no bound)", "400000";
    }
}

section! {
    /// What the model can take. A request that needs what it cannot goes to others.
    CAPABILITIES "models[].capabilities" {
        /// Images in messages.
        images: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "true";
        /// Functions.
        tools: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "true";
        /// Answers by a JSON schema.
        json_schema: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "true";
        /// Answers in JSON of any form.
        json_object: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "true";
        /// Documents in messages.
        files: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "false";
        /// A `tool_choice` that demands a call.
        forced_tools: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "true";
        /// A last message of the assistant, which the model continues (Messages API).
        prefill: "`true` or `false`" = "(the catalog's; else unknown, and allowed)", "false";
    }
}

section! {
    /// How long the model can be asked to think.
    REASONING "models[].reasoning" {
        /// The efforts that it takes; others become the nearest of them.
        accepts: "`none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`" = "(the catalog's)", "[minimal, low, medium, high]";
        /// What it does when nothing is said.
        default: "one of them" = "(the catalog's)", "medium";
    }
}

section! {
    /// What the API refuses or calls otherwise. Lists replace those of the catalog.
    PARAMETERS "models[].parameters" {
        /// Parameters that are left out, and those inside of lists: `messages.name`, `messages.reasoning_content`,
        /// `messages.thinking_blocks`, `cache_control`, `tools.function.strict`.
        drop: "names" = "(the catalog's)", "[logit_bias]";
        /// Left out unless the effort is `none`.
        drop_when_reasoning: "names" = "(the catalog's)", "[temperature, top_p]";
        /// What a parameter is called there.
        rename: "old names and new ones" = "(the catalog's)", "{max_completion_tokens: max_tokens}";
        /// What an effort is called there; `disabled` is sent as `thinking: {type: disabled}`.
        efforts: "efforts and their names" = "(the catalog's)", "{minimal: low, none: disabled}";
        /// The role `developer` becomes `system`.
        no_developer: "`true` or `false`" = "(the catalog's)", "true";
        /// Earlier reasoning must come back with the calls that it led to.
        wants_reasoning: "`true` or `false`" = "(the catalog's)", "false";
    }
}

section! {
    /// What a Claude takes in the Messages API.
    MESSAGES "models[].messages" {
        /// How it is asked to think: by a budget of tokens, by itself (`adaptive`), in either way, or not at all.
        thinking: "`none`, `budget`, `adaptive`, `either`" = "(the catalog's)", "budget";
        /// The efforts that it takes.
        efforts: "names of efforts" = "(the catalog's)", "[low, medium, high]";
        /// Parameters that are left out.
        drop: "names" = "(the catalog's)", "[temperature]";
    }
}

/// A price in USD per million tokens.
pub(super) fn amount(node: &Node<'_>) -> Option<f64> {
    node.number("an amount of USD that is not negative", |amount| amount >= 0.0)
}

fn score(node: &Node<'_>) -> Option<f64> {
    node.number("a score from 0 to 100", |score| (0.0..=100.0).contains(&score))
}

/// The field's value where it is given, else what is known already; an error where neither exists.
fn either<'a, T>(
    fields: &Fields<'a>,
    name: &str,
    known: Option<T>,
    read: impl Fn(&Node<'a>) -> Option<T>,
) -> Option<T> {
    match (fields.get(name), known) {
        (Some(node), _) => read(&node),
        (None, Some(known)) => Some(known),
        (None, None) => {
            fields.require(name);
            None
        }
    }
}

pub(super) fn price(node: &Node<'_>, known: Option<&Price>) -> Option<Price> {
    let fields = node.object(&PRICE)?;
    let given = |name: &str| fields.get(name).and_then(|field| amount(&field));
    let input = either(&fields, "input", known.map(|price| price.input), amount);
    let cached_input = given("cached_input").or(known.and_then(|price| price.cached_input));
    let cache_write = given("cache_write").or(known.and_then(|price| price.cache_write));
    let cache_write_1h = given("cache_write_1h").or(known.and_then(|price| price.cache_write_1h));
    let output = either(&fields, "output", known.map(|price| price.output), amount);
    let known_long = known.and_then(|price| price.long_context.as_ref());
    let long_context = match fields.get("long_context") {
        Some(field) => long_context(&field, known_long),
        None => known_long.cloned(),
    };
    let price = Price { input: input?, cached_input, cache_write, cache_write_1h, output: output?, long_context };
    // Most likely the input price is overridden and the catalog's price of cached input forgotten.
    if let Some(cached) = price.cached_input.filter(|cached| *cached > price.input) {
        let what = format!("cached input ({cached}) costs more than uncached input ({})", price.input);
        node.notes.warn(&node.path, what);
    }
    Some(price)
}

fn long_context(node: &Node<'_>, known: Option<&LongContextPrice>) -> Option<LongContextPrice> {
    let fields = node.object(&LONG_CONTEXT)?;
    let above = either(&fields, "above", known.map(|price| price.above), |field| field.whole(1, u32::MAX));
    let input = either(&fields, "input", known.map(|price| price.input), amount);
    let given = fields.get("cached_input").and_then(|field| amount(&field));
    let cached_input = given.or(known.and_then(|price| price.cached_input));
    let output = either(&fields, "output", known.map(|price| price.output), amount);
    Some(LongContextPrice { above: above?, input: input?, cached_input, output: output? })
}

pub(super) fn context(node: &Node<'_>, known: Option<Context>) -> Option<Context> {
    let fields = node.object(&CONTEXT)?;
    let tokens = |field: &Node<'_>| field.whole(1, u32::MAX);
    let input = either(&fields, "input", known.map(|context| context.input), tokens);
    let output = either(&fields, "output", known.map(|context| context.output), tokens);
    let given = fields.get("window").and_then(|field| tokens(&field));
    let window = given.or(known.and_then(|context| context.window));
    Some(Context { input: input?, output: output?, window })
}

pub(super) fn capabilities(node: &Node<'_>, known: Capabilities) -> Capabilities {
    let Some(fields) = node.object(&CAPABILITIES) else { return known };
    let flag = |name: &str, known: Option<bool>| fields.get(name).and_then(|field| field.flag()).or(known);
    Capabilities {
        images: flag("images", known.images),
        tools: flag("tools", known.tools),
        json_schema: flag("json_schema", known.json_schema),
        json_object: flag("json_object", known.json_object),
        files: flag("files", known.files),
        forced_tools: flag("forced_tools", known.forced_tools),
        prefill: flag("prefill", known.prefill),
    }
}

pub(super) fn reasoning(node: &Node<'_>, known: Option<&Efforts>) -> Option<Efforts> {
    let fields = node.object(&REASONING)?;
    let effort = |field: &Node<'_>| field.choice(&Effort::NAMES);
    let accepts =
        either(&fields, "accepts", known.map(|efforts| efforts.accepts.clone()), |field| Some(efforts(field)));
    let default = either(&fields, "default", known.map(|efforts| efforts.default), effort);
    Some(Efforts { accepts: accepts?, default: default? })
}

/// A list of efforts, each once.
fn efforts(node: &Node<'_>) -> Vec<Effort> {
    let mut list = Vec::new();
    for item in node.items().unwrap_or_default() {
        match item.choice(&Effort::NAMES) {
            Some(effort) if list.contains(&effort) => item.fail("is in the list already"),
            Some(effort) => list.push(effort),
            None => {}
        }
    }
    list
}

pub(super) fn parameters(node: &Node<'_>, known: Parameters) -> Parameters {
    let Some(fields) = node.object(&PARAMETERS) else { return known };
    let list = |name: &str, known: Vec<String>| fields.get(name).map_or(known, |field| labels(&field));
    let flag = |name: &str, known: bool| fields.get(name).and_then(|field| field.flag()).unwrap_or(known);
    let pairs = |name: &str, known| fields.get(name).map_or(known, |field| renames(&field));
    Parameters {
        drop: list("drop", known.drop),
        drop_when_reasoning: list("drop_when_reasoning", known.drop_when_reasoning),
        rename: pairs("rename", known.rename),
        efforts: pairs("efforts", known.efforts),
        no_developer: flag("no_developer", known.no_developer),
        wants_reasoning: flag("wants_reasoning", known.wants_reasoning),
    }
}

/// What a model takes in the Messages API.
pub(super) fn messages(node: &Node<'_>, known: MessagesRules) -> MessagesRules {
    let Some(fields) = node.object(&MESSAGES) else { return known };
    const STYLES: [(&str, Option<Thinking>); 4] = [
        ("none", None),
        ("budget", Some(Thinking::Budget)),
        ("adaptive", Some(Thinking::Adaptive)),
        ("either", Some(Thinking::Either)),
    ];
    let thinking = fields.get("thinking").and_then(|field| field.choice(&STYLES));
    let efforts = fields.get("efforts").map(|field| efforts(&field));
    MessagesRules {
        efforts: efforts.unwrap_or(known.efforts),
        thinking: thinking.unwrap_or(known.thinking),
        drop: fields.get("drop").map_or(known.drop, |field| labels(&field)),
        ..known
    }
}

fn labels(node: &Node<'_>) -> Vec<String> {
    let items = node.items().unwrap_or_default();
    items.iter().filter_map(|item| item.label().map(str::to_owned)).collect()
}

fn renames(node: &Node<'_>) -> Vec<(String, String)> {
    let Some(fields) = node.any_object("an object of old names to new ones") else { return Vec::new() };
    let pair = |from: &str| Some((from.to_owned(), fields.require(from)?.label()?.to_owned()));
    fields.names().filter_map(pair).collect()
}

/// A score, or scores by effort with a `default`; each score one number or an object of scores by task.
pub(super) fn abilities(node: &Node<'_>) -> Option<Abilities> {
    let by_effort = node.value.as_object().is_some_and(|fields| !fields.contains_key(Skill::GENERAL));
    if !by_effort {
        return Some(Abilities { default: skill(node)?, by_effort: Vec::new() });
    }
    let efforts = Effort::NAMES.iter().map(|(name, _)| *name);
    let fields = node.object_of(std::iter::once("default").chain(efforts))?;
    let default = fields.require("default").and_then(|field| skill(&field));
    let mut by_effort = Vec::new();
    for (name, effort) in Effort::NAMES {
        if let Some(skill) = fields.get(name).and_then(|field| skill(&field)) {
            by_effort.push((effort, skill));
        }
    }
    Some(Abilities { default: default?, by_effort })
}

fn skill(node: &Node<'_>) -> Option<Skill> {
    if !node.value.is_object() {
        return score(node).map(Skill::general);
    }
    let tasks = Task::NAMES.iter().map(|(name, _)| *name);
    let fields = node.object_of(std::iter::once(Skill::GENERAL).chain(tasks))?;
    let mut skill = fields.require(Skill::GENERAL).and_then(|field| score(&field)).map(Skill::general)?;
    for (name, task) in Task::NAMES {
        if let Some(score) = fields.get(name).and_then(|field| score(&field)) {
            skill = skill.with(task, score);
        }
    }
    Some(skill)
}
