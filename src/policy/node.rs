//! A value of the configuration that knows its path.
//!
//! Owns the reading of JSON values into Rust ones. A wrong value is noted with its path and then left out, so that one
//! run finds every error. Never knows what the values mean.

use std::cell::RefCell;
use std::fmt;

use serde_json::{Map, Value};

use super::error::{Error, quoted, suggestion};
use super::fields::Section;

/// What has been found wrong or odd so far.
#[derive(Default)]
pub(super) struct Notes {
    pub errors: RefCell<Vec<Error>>,
    pub warnings: RefCell<Vec<String>>,
}

impl Notes {
    pub fn fail(&self, path: impl Into<String>, rule: impl Into<String>) {
        self.errors.borrow_mut().push(Error { path: path.into(), rule: rule.into() });
    }

    pub fn warn(&self, path: impl fmt::Display, what: impl fmt::Display) {
        self.warnings.borrow_mut().push(format!("{path}: {what}"));
    }

    /// How many errors there are; a caller compares two counts to learn whether something in between went well.
    pub fn count(&self) -> usize {
        self.errors.borrow().len()
    }
}

/// A value, its path and the place for complaints.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub value: &'a Value,
    pub path: String,
    pub notes: &'a Notes,
}

impl<'a> Node<'a> {
    /// The whole configuration.
    pub fn root(value: &'a Value, notes: &'a Notes) -> Node<'a> {
        Node { value, path: String::new(), notes }
    }

    /// Notes that this value breaks a rule.
    pub fn fail(&self, rule: impl Into<String>) {
        self.notes.fail(self.path.clone(), rule);
    }

    fn expected(&self, what: impl fmt::Display) {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.fail(format!("expected {what}, found {found}"));
    }

    /// An object with no other fields than the section has.
    pub fn object(&self, section: &Section) -> Option<Fields<'a>> {
        self.object_of(section.names())
    }

    /// An object with no other fields than `known`.
    pub fn object_of(&self, known: impl Iterator<Item = &'static str> + Clone) -> Option<Fields<'a>> {
        let fields = self.any_object("an object")?;
        for name in fields.map.keys().filter(|name| !known.clone().any(|known| known == *name)) {
            let near = suggestion(name, known.clone());
            let all: Vec<&str> = known.clone().collect();
            let near = if near.is_empty() { format!("; known are {}", all.join(", ")) } else { near };
            self.fail(format!("unknown field {}{near}", quoted(name)));
        }
        Some(fields)
    }

    /// An object with any fields; `what` describes it.
    pub fn any_object(&self, what: &str) -> Option<Fields<'a>> {
        let map = self.value.as_object();
        if map.is_none() {
            self.expected(what);
        }
        map.map(|map| Fields { map, node: self.clone() })
    }

    /// The items of a list.
    pub fn items(&self) -> Option<Vec<Node<'a>>> {
        let Value::Array(items) = self.value else {
            self.expected("a list");
            return None;
        };
        let item = |(at, value)| Node { value, path: format!("{}[{at}]", self.path), notes: self.notes };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The items of a list that has at least one.
    pub fn some_items(&self, why: &str) -> Option<Vec<Node<'a>>> {
        let items = self.items()?;
        if items.is_empty() {
            self.fail(format!("must not be empty{why}"));
            return None;
        }
        Some(items)
    }

    pub fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.expected("a string");
        }
        text
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.expected("true or false");
        }
        flag
    }

    /// A number within bounds that `what` describes. A string that is a number counts as one.
    pub fn number(&self, what: &str, within: impl Fn(f64) -> bool) -> Option<f64> {
        let number = match self.value {
            Value::Number(number) => number.as_f64(),
            // Envoy turns a fraction in its YAML into a string when it makes a Struct of it.
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.expected(what);
            return None;
        };
        if number.is_finite() && within(number) {
            return Some(number);
        }
        // In full, a large double has hundreds of digits.
        let found = if number.abs() < 1e15 { number.to_string() } else { format!("{number:e}") };
        self.fail(format!("expected {what}, found {found}"));
        None
    }

    /// A whole number. A Struct carries all numbers as doubles, so `4.0` counts as one.
    pub fn whole(&self, least: u32, most: u32) -> Option<u32> {
        let range = f64::from(least)..=f64::from(most);
        let what = format!("a whole number from {least} to {most}");
        // The range keeps the cast exact.
        self.number(&what, |number| number.fract() == 0.0 && range.contains(&number)).map(|number| number as u32)
    }

    /// One of a set of names.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let what = format!("one of {}", names.join(", "));
        let Some(text) = self.value.as_str() else {
            self.expected(what);
            return None;
        };
        let chosen = choices.iter().find(|(name, _)| *name == text);
        if chosen.is_none() {
            self.fail(format!("expected {what}, found {}", quoted(text)));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A name: it becomes a metric's label and a header's value, so it is short and plain.
    pub fn label(&self) -> Option<&'a str> {
        self.plain(|c| c.is_ascii_graphic() && !matches!(c, ';' | ',' | '"'), "no spaces, `;`, `,` or `\"`")
    }

    /// Like a [label](Node::label), but with spaces inside.
    pub fn phrase(&self) -> Option<&'a str> {
        let inner = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, ';' | ',' | '"');
        let text = self.plain(inner, "no `;`, `,` or `\"`")?;
        if text.trim() != text {
            self.fail("must not begin or end with a space");
            return None;
        }
        Some(text)
    }

    fn plain(&self, allowed: impl Fn(char) -> bool, but: &str) -> Option<&'a str> {
        let text = self.text()?;
        if text.is_empty() {
            self.fail("must not be empty");
        } else if text.len() > 128 {
            self.fail(format!("must not be longer than 128 bytes, has {}", text.len()));
        } else if !text.chars().all(allowed) {
            self.fail(format!("must be visible ASCII with {but}, found {}", quoted(text)));
        } else {
            return Some(text);
        }
        None
    }
}

/// The fields of an object.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    pub node: Node<'a>,
}

impl<'a> Fields<'a> {
    /// The field of this name; `null` counts as absent.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(Node { value, path: self.path(name), notes: self.node.notes })
    }

    /// A field that must be there.
    pub fn require(&self, name: &str) -> Option<Node<'a>> {
        let field = self.get(name);
        if field.is_none() {
            self.node.notes.fail(self.path(name), "missing");
        }
        field
    }

    /// The names of all fields, in the order of the document.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.map.keys().map(String::as_str)
    }

    /// The path of a field, present or not.
    pub fn path(&self, name: &str) -> String {
        if self.node.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.node.path) }
    }
}
