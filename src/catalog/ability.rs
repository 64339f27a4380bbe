//! How good a model is: one score for each kind of task, at each reasoning effort.
//!
//! Owns the tasks and the scale. Never looks at a prompt.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Effort, Efforts};

/// Kinds of tasks, told by what the person mainly wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Small talk, advice, everyday commands.
    Chat,
    /// Prose, produced or reshaped; translation.
    Writing,
    /// Knowledge: facts, explanations, multiple choice on any subject.
    FactualQa,
    /// The answer is in a text that is given; summaries.
    Reading,
    /// Labels, fields, tables out of what is given.
    ExtractionClassification,
    /// Calculations and proofs.
    Math,
    /// Programs, queries, configuration.
    Code,
    /// Puzzles, deduction, planning under constraints.
    Reasoning,
}

/// How many tasks there are.
pub const TASKS: usize = 8;

impl Task {
    /// All tasks with their names, in the order of every array over tasks.
    pub const NAMES: [(&'static str, Task); TASKS] = [
        ("chat", Task::Chat),
        ("writing", Task::Writing),
        ("factual_qa", Task::FactualQa),
        ("reading", Task::Reading),
        ("extraction_classification", Task::ExtractionClassification),
        ("math", Task::Math),
        ("code", Task::Code),
        ("reasoning", Task::Reasoning),
    ];

    /// The task at this place in arrays over tasks; the last one beyond their end.
    pub fn at(index: usize) -> Task {
        Task::NAMES.get(index).map_or(Task::Reasoning, |(_, task)| *task)
    }

    /// The task of this name.
    pub fn from_name(name: &str) -> Option<Task> {
        Task::NAMES.iter().find(|(known, _)| *known == name).map(|(_, task)| *task)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        Task::NAMES.get(self as usize).map_or("", |(name, _)| name)
    }
}

/// What a model is able to do at one effort: log odds, for each task, that it answers a prompt of difficulty 0 well.
///
/// Written as a score from 0 to 100, which is that probability in per cent: one number for all tasks, or an object with
/// `general` and the tasks that differ from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skill(pub [f64; TASKS]);

impl Skill {
    /// The name of the score that holds for tasks without one of their own.
    pub const GENERAL: &'static str = "general";

    /// The same score, 0..=100, for all tasks.
    pub fn general(score: f64) -> Skill {
        Skill([log_odds(score); TASKS])
    }

    /// This skill with another score, 0..=100, for one task.
    pub fn with(mut self, task: Task, score: f64) -> Skill {
        if let Some(known) = self.0.get_mut(task as usize) {
            *known = log_odds(score);
        }
        self
    }

    /// Log odds expected over tasks of these probabilities.
    pub fn over(&self, tasks: &[f64; TASKS]) -> f64 {
        self.0.iter().zip(tasks).map(|(skill, share)| skill * share).sum()
    }

    /// Log odds, averaged over all tasks.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / TASKS as f64
    }

    /// As scores, in the order of [`Task::NAMES`].
    pub fn scores(&self) -> [f64; TASKS] {
        self.0.map(|odds| 100.0 * sigmoid(odds))
    }

    /// Reads a score or an object of scores.
    ///
    /// # Errors
    /// Names the member that is wrong and the rule.
    pub fn from_value(value: &Value) -> Result<Skill, String> {
        const RULE: &str = "expected a score from 0 to 100, or an object of scores by task with `general`";
        let score = |value: &Value| value.as_f64().filter(|score| (0.0..=100.0).contains(score)).ok_or(RULE);
        let Value::Object(scores) = value else { return Ok(Skill::general(score(value)?)) };
        let general = scores.get(Skill::GENERAL).ok_or("`general` is missing")?;
        let mut skill = Skill::general(score(general)?);
        for (name, value) in scores.iter().filter(|(name, _)| *name != Skill::GENERAL) {
            let task = Task::from_name(name).ok_or_else(|| format!("there is no task named `{name}`"))?;
            skill = skill.with(task, score(value).map_err(|rule| format!("{name}: {rule}"))?);
        }
        Ok(skill)
    }
}

impl Serialize for Skill {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Near the ends a tenth of a per cent is a large step of ability.
        let rounded = |odds: f64| {
            let steps = if odds.abs() > 3.0 { 100.0 } else { 10.0 };
            (steps * 100.0 * sigmoid(odds)).round() / steps
        };
        let general = rounded(self.mean());
        let mut scores = Map::new();
        scores.insert(Skill::GENERAL.to_owned(), general.into());
        for ((name, _), odds) in Task::NAMES.iter().zip(self.0) {
            if rounded(odds) != general {
                scores.insert((*name).to_owned(), rounded(odds).into());
            }
        }
        match scores.len() {
            1 => serializer.serialize_f64(general),
            _ => scores.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Skill {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Skill, D::Error> {
        Skill::from_value(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// How good a model is, by effort.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abilities {
    /// At the model's default effort.
    pub default: Skill,
    /// At other efforts, where it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_effort: Vec<(Effort, Skill)>,
}

impl Abilities {
    /// What the model is able to do at an effort; at the default one where that effort is not known.
    pub fn at(&self, effort: Option<Effort>) -> &Skill {
        let known = self.by_effort.iter().find(|(known, _)| Some(*known) == effort);
        known.map_or(&self.default, |(_, skill)| skill)
    }

    /// These abilities, of a model with the effort control `from`, as those of a model with the control `to`: the
    /// default becomes the skill at the default effort of `to`, where that is known.
    pub fn lent(&self, from: Option<&Efforts>, to: Option<&Efforts>) -> Abilities {
        let wanted = to.map_or(Effort::None, |efforts| efforts.default);
        let mut skills = self.by_effort.clone();
        if let Some(from) = from {
            skills.retain(|(effort, _)| *effort != from.default);
            skills.push((from.default, self.default));
            skills.sort_by_key(|(effort, _)| *effort);
        }
        let Some((_, default)) = skills.iter().find(|(effort, _)| *effort == wanted).copied() else {
            return self.clone();
        };
        skills.retain(|(effort, _)| *effort != wanted);
        Abilities { default, by_effort: skills }
    }
}

/// Log odds of a score 0..=100, kept finite at both ends.
pub fn log_odds(score: f64) -> f64 {
    let share = (score / 100.0).clamp(0.0005, 0.9995);
    (share / (1.0 - share)).ln()
}

/// The probability of log odds.
pub fn sigmoid(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}
