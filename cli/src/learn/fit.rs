//! Trains the model.
//!
//! Owns the recipe: difficulties from outcomes ([`super::irt`]), two views of them from text (words, trees), a common
//! scale on which abilities are fitted, tasks, and the length of answers. The same seed and data give the same model.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::objective::ObjectiveType;
use forust_ml::{GradientBooster, Matrix};
use model_router::catalog::{TASKS, Task, sigmoid};
use model_router::predict::features::{HAND, STEM};
use model_router::predict::trees::{LEAF, Node, Trees};
use rayon::prelude::*;

use super::ability::{self, Scaled};
use super::corpus::{Corpus, OWN, labelled};
use super::irt;
use super::ridge::{self, Linear, Penalty, Text};

/// Share of the words' view in the raw difficulty; the rest is the trees'.
pub const LINEAR: f64 = 0.5;
/// What a standard deviation in the logarithm of the question's length adds to the raw difficulty: longer questions are
/// harder on most sources that were left out, where the rest of the model knows little.
pub const LENGTH: f64 = 0.5;
/// Steepness of the softmax over the tasks' columns, chosen by cross-validation on the training prompts.
pub const STEEPNESS: f64 = 6.0;

/// A trained model, before it is packed into a weights file.
pub struct Fitted {
    /// Words' view of the difficulty.
    pub linear: Linear,
    /// Trees' view of it.
    pub trees: Trees,
    /// For each task how much a prompt looks like it.
    pub tasks: Vec<Linear>,
    /// Logarithm of the answer's tokens.
    pub tokens: Linear,
    /// From raw difficulty to log odds, and the abilities of the models of the data.
    pub scaled: Scaled,
}

/// What a model says of one text.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// Log odds.
    pub difficulty: f64,
    /// Probabilities.
    pub tasks: [f64; TASKS],
}

impl Fitted {
    /// Reads one text.
    pub fn read(&self, text: &Text, hand: &[f32; HAND]) -> Read {
        let raw = raw(&self.linear, &self.trees, text, hand);
        Read { difficulty: self.scaled.difficulty(raw), tasks: tasks(&self.tasks, text) }
    }

    /// Probability that a model of these abilities answers well.
    pub fn quality(read: &Read, ability: &[f64; TASKS]) -> f64 {
        let skill: f64 = ability.iter().zip(&read.tasks).map(|(ability, share)| ability * share).sum();
        sigmoid(skill - read.difficulty)
    }
}

fn raw(linear: &Linear, trees: &Trees, text: &Text, hand: &[f32; HAND]) -> f64 {
    LINEAR * linear.answer(text) + (1.0 - LINEAR) * f64::from(trees.sum(hand)) + LENGTH * f64::from(text.scaled[STEM])
}

/// Probabilities of the tasks.
pub fn tasks(columns: &[Linear], text: &Text) -> [f64; TASKS] {
    let mut shares = [0.0; TASKS];
    for (share, column) in shares.iter_mut().zip(columns) {
        *share = (STEEPNESS * column.answer(text)).exp();
    }
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}

/// Trains on the prompts that `used` marks.
///
/// # Errors
/// When the trees' library fails.
pub fn fit(corpus: &Corpus, used: &[bool], seed: u64) -> Result<Fitted> {
    let targets = Targets::of(corpus, used);
    let rows: Vec<usize> = targets.rows();
    let (linear, trees) = views(corpus, &targets, &rows, seed)?;
    let tasks = fit_tasks(corpus, used);
    let tokens = fit_tokens(corpus, used);
    // Abilities are fitted on difficulties of prompts that the model did not see, or they would come out too sure.
    let fold = |row: usize| (hash(row as u64 ^ seed.rotate_left(17)) % 2) as usize;
    let mut unseen = vec![0.0; corpus.texts.len()];
    for side in 0..2 {
        let (own, other): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| fold(**row) == side);
        let (linear, trees) = views(corpus, &targets, &own, seed)?;
        for row in other {
            unseen[row] = raw(&linear, &trees, &corpus.texts[row], &corpus.hand[row]);
        }
    }
    // By the label where there is one: a little of a task on every prompt would give abilities to tasks without outcomes.
    let share = |(text, label): (&Text, &Option<Task>)| match label {
        Some(task) => core::array::from_fn(|at| f64::from(u8::from(at == *task as usize))),
        None => self::tasks(&tasks, text),
    };
    let shares: Vec<[f64; TASKS]> = corpus.texts.par_iter().zip(&corpus.data.tasks).map(share).collect();
    let scaled = ability::fit(&corpus.data, used, &unseen, &shares);
    Ok(Fitted { linear, trees, tasks, tokens, scaled })
}

/// A number that looks random, from another one.
pub fn hash(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Difficulty and weight of each prompt; weight 0 where nothing is known.
struct Targets {
    difficulty: Vec<f64>,
    weight: Vec<f64>,
}

impl Targets {
    fn of(corpus: &Corpus, used: &[bool]) -> Targets {
        let data = &corpus.data;
        let scale = irt::fit(data, used);
        let mut targets = Targets { difficulty: scale.difficulty, weight: vec![0.0; data.prompts.len()] };
        for (at, prompt) in data.prompts.iter().enumerate().filter(|(at, _)| used[*at]) {
            let information = scale.information[at];
            if information > 0.0 {
                targets.weight[at] = information / (information + 1.0);
            } else if let Some((difficulty, weight)) = labelled(prompt) {
                (targets.difficulty[at], targets.weight[at]) = (difficulty, weight);
            }
        }
        targets.balance(corpus);
        targets
    }

    /// Divides weights by the root of the source's size, so that no source drowns the others.
    fn balance(&mut self, corpus: &Corpus) {
        let mut sizes: HashMap<&str, f64> = HashMap::new();
        let weighted = |(_, weight): &(_, &f64)| **weight > 0.0;
        for (prompt, _) in corpus.data.prompts.iter().zip(&self.weight).filter(weighted) {
            *sizes.entry(&prompt.source).or_default() += 1.0;
        }
        for (prompt, weight) in corpus.data.prompts.iter().zip(&mut self.weight) {
            *weight /= sizes.get(prompt.source.as_str()).copied().unwrap_or(1.0).sqrt();
        }
    }

    fn rows(&self) -> Vec<usize> {
        (0..self.weight.len()).filter(|row| self.weight[*row] > 0.0).collect()
    }
}

/// Both views of the difficulty, trained on these rows.
fn views(corpus: &Corpus, targets: &Targets, rows: &[usize], seed: u64) -> Result<(Linear, Trees)> {
    let pick = |values: &[f64]| rows.iter().map(|row| values[*row]).collect::<Vec<f64>>();
    let (difficulty, weight) = (pick(&targets.difficulty), pick(&targets.weight));
    let texts: Vec<&Text> = rows.iter().map(|row| &corpus.texts[*row]).collect();
    let hand: Vec<&[f32; HAND]> = rows.iter().map(|row| &corpus.hand[*row]).collect();
    let (linear, trees) = rayon::join(
        || ridge::fit(&texts, &difficulty, &weight, Penalty { words: 2.0, hand: None }),
        || fit_trees(&hand, &difficulty, &weight, seed),
    );
    Ok((linear, trees?))
}

fn fit_trees(hand: &[&[f32; HAND]], target: &[f64], weight: &[f64], seed: u64) -> Result<Trees> {
    let columns: Vec<f64> = (0..HAND).flat_map(|at| hand.iter().map(move |row| f64::from(row[at]))).collect();
    let mean = weight.iter().sum::<f64>() / weight.len().max(1) as f64;
    let weight: Vec<f64> = weight.iter().map(|weight| weight / mean).collect();
    let mut booster = GradientBooster::default()
        .set_objective_type(ObjectiveType::SquaredLoss)
        .set_iterations(300)
        .set_learning_rate(0.04)
        .set_max_leaves(16)
        .set_max_depth(7)
        .set_min_leaf_weight(40.0)
        .set_l2(5.0)
        .set_subsample(0.7)
        .set_colsample_bytree(0.5)
        .set_nbins(64)
        .set_base_score(0.0)
        .set_initialize_base_score(true)
        .set_monotone_constraints(Some(ConstraintMap::from([(STEM, Constraint::Positive)])))
        .set_seed(seed)
        .set_parallel(false);
    booster
        .fit(&Matrix::new(&columns, hand.len(), HAND), target, &weight, None)
        .map_err(|error| anyhow!("training the trees: {error}"))?;
    pack(&booster)
}

/// The library's trees in the form of the filter. The base score becomes a tree of one leaf.
fn pack(booster: &GradientBooster) -> Result<Trees> {
    let leaf = Node { threshold: 0.0, value: booster.base_score as f32, left: 0, right: 0, feature: LEAF, root: 1 };
    let mut nodes = vec![leaf];
    for tree in &booster.trees {
        // Breadth first, so that children stand behind their parents.
        let start = nodes.len();
        let mut order = vec![0];
        let mut next = 0;
        while let Some(node) = order.get(next).and_then(|at| tree.nodes.get(*at)) {
            next += 1;
            let value = node.weight_value;
            if node.is_leaf {
                nodes.push(Node { threshold: 0.0, value, left: 0, right: 0, feature: LEAF, root: 0 });
                continue;
            }
            let place = |at: usize| u16::try_from(start + at).context("too many nodes");
            let (left, right) = (place(order.len())?, place(order.len() + 1)?);
            order.extend([node.left_child, node.right_child]);
            let (threshold, feature) = (node.split_value as f32, node.split_feature as u16);
            nodes.push(Node { threshold, value, left, right, feature, root: 0 });
        }
        if let Some(root) = nodes.get_mut(start) {
            root.root = 1;
        }
    }
    Trees::new(nodes).map_err(anyhow::Error::msg)
}

/// Prompts of one source that teach its task: more of the same kind teach no more, but drown the others.
const LIKE: usize = 100;
/// Sources whose prompts are as varied as those of users, with what one of them is worth beside any other. Those of
/// Arena-Hard are worth less than the project's own: their labels know three tasks only.
const VARIED: [(&str, f64); 2] = [(OWN, 6.0), ("arenahard_v2", 2.0)];

/// One column for each task, against all others.
pub fn fit_tasks(corpus: &Corpus, used: &[bool]) -> Vec<Linear> {
    let mut rows: Vec<(usize, Task)> = Vec::new();
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let mut order: Vec<usize> = (0..used.len()).filter(|row| used[*row]).collect();
    order.sort_by_key(|row| hash(*row as u64));
    for row in order {
        let Some(task) = corpus.data.tasks[row] else { continue };
        let source = corpus.data.prompts[row].source.as_str();
        let count = taken.entry(source).or_default();
        if VARIED.iter().any(|(known, _)| *known == source) || *count < LIKE {
            *count += 1;
            rows.push((row, task));
        }
    }
    let mut sizes = [0.0f64; TASKS];
    rows.iter().for_each(|(_, task)| sizes[*task as usize] += 1.0);
    let weight = |(row, task): &(usize, Task)| {
        let source = corpus.data.prompts[*row].source.as_str();
        let worth = VARIED.iter().find(|(known, _)| *known == source).map_or(1.0, |(_, worth)| *worth);
        worth / sizes[*task as usize].powf(0.25)
    };
    let weights: Vec<f64> = rows.iter().map(weight).collect();
    let texts: Vec<&Text> = rows.iter().map(|(row, _)| &corpus.texts[*row]).collect();
    let column = |(_, task): &(&str, Task)| {
        let target: Vec<f64> = rows.iter().map(|(_, label)| f64::from(u8::from(label == task))).collect();
        ridge::fit(&texts, &target, &weights, Penalty { words: 0.7, hand: Some(1000.0) })
    };
    Task::NAMES.par_iter().map(column).collect()
}

/// Tokens of ordinary answers to the tasks that no outcome measures, set by hand; the others are measured.
const ANSWERS: [(Task, f64); 5] = [
    (Task::Chat, 120.0),
    (Task::Writing, 450.0),
    (Task::Reading, 160.0),
    (Task::ExtractionClassification, 150.0),
    (Task::Code, 450.0),
];

fn fit_tokens(corpus: &Corpus, used: &[bool]) -> Linear {
    let mut sums: HashMap<usize, (f64, f64)> = HashMap::new();
    // A handful of tokens is an answer without the reasoning that users ask for.
    let measured = |outcome: &&super::data::Outcome| outcome.tokens >= 16 && used[outcome.prompt as usize];
    for outcome in corpus.data.outcomes.iter().filter(measured) {
        let (sum, count) = sums.entry(outcome.prompt as usize).or_default();
        *sum += f64::from(outcome.tokens).ln();
        *count += 1.0;
    }
    let mut rows: Vec<(usize, f64, f64)> =
        sums.into_iter().map(|(row, (sum, count))| (row, sum / count, 1.0)).collect();
    for (row, prompt) in corpus.data.prompts.iter().enumerate().filter(|(row, _)| used[*row]) {
        let own = (prompt.source == OWN).then_some(corpus.data.tasks[row]).flatten();
        let ordinary = own.and_then(|task| ANSWERS.iter().find(|(known, _)| *known == task));
        if let Some((_, tokens)) = ordinary {
            let harder = 0.25 * (prompt.difficulty.unwrap_or(1.0) - 1.0);
            rows.push((row, tokens.ln() + harder, 1.0));
        }
    }
    rows.sort_by_key(|(row, ..)| *row);
    let texts: Vec<&Text> = rows.iter().map(|(row, ..)| &corpus.texts[*row]).collect();
    let target: Vec<f64> = rows.iter().map(|(_, target, _)| *target).collect();
    let weight: Vec<f64> = rows.iter().map(|(.., weight)| *weight).collect();
    ridge::fit(&texts, &target, &weight, Penalty { words: 2.0, hand: Some(100.0) })
}
