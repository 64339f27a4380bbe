//! How well each model would answer, and how many tokens it would take.
//!
//! Owns the way from a prompt to a [`Reading`] (difficulty, task, length of the answer) and from that to a
//! [`Prediction`] for a model: quality = σ(ability(model, effort, task) − difficulty). Never looks at prices and never
//! decides. How the weights were made, and what they are good and bad at, is told in `docs/ROUTING.md`.

mod asides;
pub mod cues;
pub mod features;
mod prompt;
pub mod tokens;
pub mod trees;
pub mod weights;
pub mod words;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use crate::catalog::{Effort, Efforts, TASKS, Task, sigmoid};
use crate::policy::Model;
use crate::request::Request;
use cues::Cues;
use features::{Features, HAND, STEM, features};
pub use prompt::{Prompt, QUESTION_CAP};
use weights::{COLUMNS, DIFFICULTY, TASK, TOKENS, Weights};

/// What is expected of one model on one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Probability that the answer is good, 0..=1.
    pub quality: f64,
    /// Output tokens, reasoning included.
    pub output_tokens: u32,
}

/// What a prompt asks for, whoever answers it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Log odds that a model of score 50 fails on it.
    pub difficulty: f64,
    /// Probability of each task, in the order of [`Task::NAMES`]; they add up to 1.
    pub tasks: [f64; TASKS],
    /// Tokens of the answer, without reasoning.
    pub answer_tokens: f64,
}

impl Reading {
    /// The most likely task.
    pub fn task(&self) -> Task {
        let mut best = (0, f64::MIN);
        for (index, share) in self.tasks.iter().enumerate() {
            if *share > best.1 {
                best = (index, *share);
            }
        }
        Task::at(best.0)
    }
}

/// One reason of a difficulty.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The name of a number about the text, `words` or `conversation`.
    pub feature: String,
    /// By how much it raised the difficulty, in log odds.
    pub raised: f64,
}

/// Difficulties beyond these occur in no training prompt.
const HARDEST: f64 = 6.0;
/// How much the words of the system prompt count for the task, beside the question's. Set by hand: the training data
/// has no system prompts.
const SYSTEM_SHARE: f64 = 0.3;

/// The trained model, ready to use.
#[derive(Clone, Debug)]
pub struct Predictor {
    cues: Cues,
    weights: Weights,
}

impl Predictor {
    /// The model with these weights.
    pub fn new(weights: Weights) -> Predictor {
        Predictor { cues: Cues::embedded(), weights }
    }

    /// The model that is compiled in; its tables are built once.
    ///
    /// # Errors
    /// When the weights are broken, which the tests rule out for the committed ones.
    pub fn embedded() -> Result<&'static Predictor, &'static str> {
        static EMBEDDED: OnceLock<Result<Predictor, String>> = OnceLock::new();
        EMBEDDED.get_or_init(|| Weights::embedded().map(Predictor::new)).as_ref().map_err(String::as_str)
    }

    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The features of a text, as training sees them.
    pub fn features(&self, text: &[u8]) -> Features {
        features(&self.cues, text)
    }

    /// Reads a request.
    pub fn read(&self, request: &Request) -> Reading {
        self.read_prompt(&Prompt::of(request))
    }

    /// Reads a prompt.
    pub fn read_prompt(&self, prompt: &Prompt) -> Reading {
        let question = self.features(&prompt.question);
        let mut columns = self.columns(&question);
        if !prompt.system.is_empty() {
            let system = self.columns(&self.features(&prompt.system));
            for (column, system) in columns.iter_mut().zip(system).skip(TASK).take(TASKS) {
                *column += SYSTEM_SHARE * system;
            }
        }
        let difficulty = self.difficulty(&question, columns.get(DIFFICULTY)) + prompt.context_difficulty();
        let tokens = columns.get(TOKENS).copied().unwrap_or(0.0);
        Reading {
            difficulty: difficulty.clamp(-HARDEST, HARDEST),
            tasks: softmax(columns.iter().skip(TASK)),
            answer_tokens: tokens.clamp(0.0, 9.0).exp(),
        }
    }

    /// What made a prompt as difficult as it is, the strongest reasons first.
    pub fn causes(&self, prompt: &Prompt) -> Vec<Cause> {
        let question = self.features(&prompt.question);
        let blend = &self.weights.head.difficulty;
        let (mut moved, _) = self.weights.trees.contributions(&question.hand);
        moved.iter_mut().for_each(|moved| *moved *= blend.trees);
        if let (Some(moved), Some(scaled)) = (moved.get_mut(STEM), self.scaled(&question).nth(STEM)) {
            *moved += blend.length * scaled;
        }
        let words = self.columns(&question).get(DIFFICULTY).copied().unwrap_or(0.0);
        let bias = self.weights.head.columns.get(DIFFICULTY).map_or(0.0, |column| f64::from(column.bias));
        let numbers = moved.iter().enumerate();
        let mut causes: Vec<Cause> = numbers
            .map(|(index, moved)| Cause { feature: features::hand_name(index), raised: f64::from(*moved) })
            .chain([
                Cause { feature: "words".to_owned(), raised: f64::from(blend.linear) * (words - bias) },
                Cause { feature: "conversation".to_owned(), raised: prompt.context_difficulty() },
            ])
            .filter(|cause| cause.raised.abs() >= 0.01)
            .collect();
        causes.sort_by(|a, b| b.raised.abs().total_cmp(&a.raised.abs()));
        causes
    }

    fn difficulty(&self, question: &Features, linear: Option<&f64>) -> f64 {
        let blend = &self.weights.head.difficulty;
        let length = self.scaled(question).nth(STEM).unwrap_or(0.0);
        let trees = self.weights.trees.sum(&question.hand);
        f64::from(blend.offset + blend.trees * trees + blend.length * length)
            + f64::from(blend.linear) * linear.copied().unwrap_or(0.0)
    }

    /// The numbers of a text by mean and deviation, kept within what training saw.
    fn scaled<'a>(&'a self, features: &'a Features) -> impl Iterator<Item = f32> + 'a {
        let head = &self.weights.head;
        let scales = head.mean.iter().zip(&head.deviation);
        features
            .hand
            .iter()
            .zip(scales)
            .map(|(number, (mean, deviation))| ((number - mean) / deviation).clamp(-4.0, 4.0))
    }

    /// The linear part.
    fn columns(&self, features: &Features) -> [f64; COLUMNS] {
        let mut sums = [0i32; COLUMNS];
        let (rows, _) = self.weights.table.as_chunks::<COLUMNS>();
        for row in features.buckets.iter().filter_map(|bucket| rows.get(usize::from(*bucket))) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += i32::from(*weight as i8);
            }
        }
        let share = 1.0 / (features.buckets.len().max(1) as f32).sqrt();
        let mut scaled = [0.0; HAND];
        scaled.iter_mut().zip(self.scaled(features)).for_each(|(place, number)| *place = number);
        let mut answers = [0.0; COLUMNS];
        for ((answer, sum), column) in answers.iter_mut().zip(sums).zip(&self.weights.head.columns) {
            let hand: f32 = column.hand.iter().zip(&scaled).map(|(weight, number)| weight * number).sum();
            *answer = f64::from(column.bias + column.scale * sum as f32 * share + hand);
        }
        answers
    }
}

/// Predicts the outcome on `model` of a request that was read. A model without known abilities counts as hopeless.
pub fn predict(reading: &Reading, request: &Request, model: &Model) -> Prediction {
    let effort = model.reasoning.as_ref().map(|efforts| effective_effort(efforts, request.effort.as_deref()));
    let skill = model.abilities.as_ref().map(|abilities| abilities.at(effort).over(&reading.tasks));
    let reasoning = effort.map_or(0.0, |effort| reasoning_tokens(effort, reading.difficulty));
    let answer = (reading.answer_tokens + reasoning).ceil() as u32;
    let limit = request.max_output.or(model.context.map(|context| context.output)).unwrap_or(u32::MAX);
    Prediction {
        quality: skill.map_or(0.0, |skill| rounded(sigmoid(skill - reading.difficulty))),
        output_tokens: answer.clamp(1, limit.max(1)),
    }
}

/// A quality in steps of half a per cent: finer differences are noise, and models that differ by less are tied.
pub fn rounded(quality: f64) -> f64 {
    (200.0 * quality).round() / 200.0
}

/// The effort at which a model works: what was asked for where its API takes that, else its default.
pub fn effective_effort(efforts: &Efforts, asked: Option<&str>) -> Effort {
    asked.and_then(Effort::from_name).filter(|effort| efforts.accepts.contains(effort)).unwrap_or(efforts.default)
}

/// Tokens that a model spends on reasoning before it answers a prompt of this difficulty: more for harder ones. Set by
/// hand in steps of about three between the efforts: no public data gives them by prompt.
fn reasoning_tokens(effort: Effort, difficulty: f64) -> f64 {
    let ordinary = match effort {
        Effort::None => 0.0,
        Effort::Minimal => 50.0,
        Effort::Low => 300.0,
        Effort::Medium => 900.0,
        Effort::High => 2500.0,
        Effort::Xhigh | Effort::Max => 6000.0,
    };
    ordinary * (0.35 * difficulty).exp().clamp(0.25, 4.0)
}

/// Probabilities of the tasks from their logits.
fn softmax<'a>(logits: impl Iterator<Item = &'a f64> + Clone) -> [f64; TASKS] {
    let highest = logits.clone().take(TASKS).copied().fold(f64::MIN, f64::max);
    let mut shares = [0.0; TASKS];
    for (share, logit) in shares.iter_mut().zip(logits) {
        *share = (logit - highest).exp();
    }
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}
