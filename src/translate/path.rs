//! Where in a request something stands, written out only when it is wrong.

use crate::request::ReadError;
use crate::request::json::JsonError;
use core::fmt;

/// The way to a member: `input[2].content`.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Member(&'static str),
    Item(usize),
}

impl<'p> Path<'p> {
    /// A member of the body.
    pub fn root(name: &'static str) -> Self {
        Path { parent: None, step: Step::Member(name) }
    }

    /// A member of what is here.
    pub fn member(&'p self, name: &'static str) -> Path<'p> {
        Path { parent: Some(self), step: Step::Member(name) }
    }

    /// An item of what is here.
    pub fn item(&'p self, index: usize) -> Path<'p> {
        Path { parent: Some(self), step: Step::Item(index) }
    }

    /// What is here breaks a rule.
    pub fn invalid<T>(&self, rule: &'static str) -> Result<T, Stop> {
        Err(Stop::Read(ReadError::Invalid { param: self.to_string(), rule }))
    }

    /// What is here cannot be expressed in the other API.
    pub fn obstacle<T>(&self) -> Result<T, Stop> {
        Err(Stop::Obstacle(self.to_string()))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Member(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Member(name) => f.write_str(name),
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

/// Why a request is not translated.
#[derive(Debug)]
pub enum Stop {
    /// It is wrong in itself.
    Read(ReadError),
    /// It is right, but the other API has no words for what stands here.
    Obstacle(String),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Stop::Read(error)
    }
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Stop::Read(error.into())
    }
}
