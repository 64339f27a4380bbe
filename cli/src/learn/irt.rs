//! How difficult each prompt was for the models that answered it.
//!
//! Owns the item response model `log odds of a good answer = ability(model) + fit(model, group) − level(group) −
//! difficulty(prompt)`, all of them with normal priors around 0, fitted by coordinate-wise Newton steps. `fit` takes
//! up what a group's format or scoring does to single models, so that it does not look like difficulty.

use std::collections::HashMap;

use super::data::{Data, Prompt};

/// Difficulties on one scale over all groups.
#[derive(Clone, Debug)]
pub struct Scale {
    /// For each prompt its difficulty, level included; 0 without outcomes.
    pub difficulty: Vec<f64>,
    /// For each prompt how much its outcomes tell: the sum of p · (1 − p); 0 without outcomes.
    pub information: Vec<f64>,
}

const STEPS: usize = 60;
/// Variances of the priors.
const ABILITY: f64 = 2.25;
const FIT: f64 = 0.49;
const LEVEL: f64 = 2.25;
const DIFFICULTY: f64 = 4.0;

/// How much of a group's level counts as difficulty: the rest is taken to be its format and its scoring.
const TRUST: f64 = 0.7;

/// Fits the model to the outcomes of the prompts that `used` marks.
pub fn fit(data: &Data, used: &[bool]) -> Scale {
    let groups = groups(data);
    let group_count = groups.iter().max().map_or(0, |last| last + 1);
    let models = data.models.len();
    let rows: Vec<Row> = data
        .outcomes
        .iter()
        .filter(|outcome| used[outcome.prompt as usize])
        .map(|outcome| {
            let (prompt, model) = (outcome.prompt as usize, usize::from(outcome.model));
            Row { prompt, model, group: groups[prompt], score: f64::from(outcome.score) }
        })
        .collect();
    let mut ability = Block::new(models, ABILITY, 0.5);
    let mut fit = Block::new(models * group_count, FIT, 0.5);
    let mut level = Block::new(group_count, LEVEL, 0.5);
    let mut prompt = Block::new(data.prompts.len(), DIFFICULTY, 1.0);
    for _ in 0..STEPS {
        for turn in 0..4 {
            for row in &rows {
                let cell = row.model * group_count + row.group;
                let odds =
                    ability.value[row.model] + fit.value[cell] - level.value[row.group] - prompt.value[row.prompt];
                let p = 1.0 / (1.0 + (-odds).exp());
                match turn {
                    0 => prompt.add(row.prompt, p - row.score, p),
                    1 => ability.add(row.model, row.score - p, p),
                    2 => fit.add(cell, row.score - p, p),
                    _ => level.add(row.group, p - row.score, p),
                }
            }
            match turn {
                0 => prompt.step(),
                1 => ability.step(),
                2 => fit.step(),
                _ => level.step(),
            }
        }
    }
    let mut information = vec![0.0; data.prompts.len()];
    for row in &rows {
        let cell = row.model * group_count + row.group;
        let odds = ability.value[row.model] + fit.value[cell] - level.value[row.group] - prompt.value[row.prompt];
        let p = 1.0 / (1.0 + (-odds).exp());
        information[row.prompt] += p * (1.0 - p);
    }
    let difficulty = prompt.value.iter().zip(&groups).map(|(own, group)| own + TRUST * level.value[*group]).collect();
    Scale { difficulty, information }
}

struct Row {
    prompt: usize,
    model: usize,
    group: usize,
    score: f64,
}

/// For each prompt the number of its group: source and subject.
fn groups(data: &Data) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let mut number = |prompt: &'_ Prompt| {
        let next = numbers.len();
        *numbers.entry((prompt.source.clone(), prompt.group.clone())).or_insert(next)
    };
    data.prompts.iter().map(&mut number).collect()
}

/// Values of one kind with what a Newton step needs.
struct Block {
    value: Vec<f64>,
    slope: Vec<f64>,
    weight: Vec<f64>,
    variance: f64,
    longest: f64,
}

impl Block {
    fn new(count: usize, variance: f64, longest: f64) -> Block {
        Block { value: vec![0.0; count], slope: vec![0.0; count], weight: vec![0.0; count], variance, longest }
    }

    fn add(&mut self, at: usize, slope: f64, p: f64) {
        self.slope[at] += slope;
        self.weight[at] += p * (1.0 - p);
    }

    fn step(&mut self) {
        for ((value, slope), weight) in self.value.iter_mut().zip(&mut self.slope).zip(&mut self.weight) {
            let gradient = *slope - *value / self.variance;
            let step = gradient / (*weight + 1.0 / self.variance);
            *value += step.clamp(-self.longest, self.longest);
            (*slope, *weight) = (0.0, 0.0);
        }
    }
}
