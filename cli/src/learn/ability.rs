//! Abilities of models on the scale of the difficulties that the text model predicts.
//!
//! Owns the fit of `log odds of a good answer = ability(model, task) − slope · raw difficulty`, for the models of the
//! data and for a new one from a few graded prompts. A model's abilities are drawn toward their mean where a task has
//! little evidence, so that no task is left without one.

use model_router::catalog::{TASKS, sigmoid};

use super::data::Data;

/// The common scale and the models on it.
#[derive(Clone, Debug)]
pub struct Scaled {
    /// Log odds for one step of raw difficulty.
    pub slope: f64,
    /// Raw difficulty that counts as 0.
    pub zero: f64,
    /// For each model of the data its abilities by task.
    pub abilities: Vec<[f64; TASKS]>,
}

impl Scaled {
    /// Log odds of a raw difficulty.
    pub fn difficulty(&self, raw: f64) -> f64 {
        self.slope * (raw - self.zero)
    }
}

/// One graded answer to a prompt of known difficulty.
#[derive(Clone, Copy, Debug)]
pub struct Graded {
    /// Log odds.
    pub difficulty: f64,
    /// Probabilities of the tasks.
    pub tasks: [f64; TASKS],
    /// 0..=1.
    pub score: f64,
}

/// Variance of a task's ability around the model's mean.
const TASK_VARIANCE: f64 = 0.3;
/// Variance of a model's mean.
const MODEL_VARIANCE: f64 = 9.0;
const STEPS: usize = 40;
/// Prompts with a given score that a new model's abilities are fitted on, at least.
pub const FEWEST: usize = 20;

/// The model of the training data whose abilities a model has: its own name, or the next release's where the model has
/// no outcomes itself.
pub fn with_outcomes(model: &str) -> &str {
    match model {
        "gpt-4-1106-preview" => "gpt-4-turbo-2024-04-09",
        _ => model,
    }
}

/// Abilities of one model from graded answers.
pub fn of_graded(answers: &[Graded]) -> [f64; TASKS] {
    let mut mean = 0.0;
    let mut own = [0.0; TASKS];
    for _ in 0..STEPS {
        step(answers, &mut mean, &mut own);
    }
    own.map(|own| mean + own)
}

/// One round of Newton steps: the mean, then each task's distance from it.
fn step(answers: &[Graded], mean: &mut f64, own: &mut [f64; TASKS]) {
    let (mut slope, mut weight) = (0.0, 0.0);
    for answer in answers {
        let p = expected(answer, *mean, own);
        slope += answer.score - p;
        weight += p * (1.0 - p);
    }
    *mean += ((slope - *mean / MODEL_VARIANCE) / (weight + 1.0 / MODEL_VARIANCE)).clamp(-0.7, 0.7);
    let (mut slopes, mut weights) = ([0.0; TASKS], [0.0; TASKS]);
    for answer in answers {
        let p = expected(answer, *mean, own);
        for ((slope, weight), share) in slopes.iter_mut().zip(&mut weights).zip(&answer.tasks) {
            *slope += share * (answer.score - p);
            *weight += share * p * (1.0 - p);
        }
    }
    for ((own, slope), weight) in own.iter_mut().zip(slopes).zip(weights) {
        *own += ((slope - *own / TASK_VARIANCE) / (weight + 1.0 / TASK_VARIANCE)).clamp(-0.5, 0.5);
    }
}

/// Probability that a model of these abilities gives a good answer.
pub fn expected_of(answer: &Graded, ability: &[f64; TASKS]) -> f64 {
    expected(answer, 0.0, ability)
}

fn expected(answer: &Graded, mean: f64, own: &[f64; TASKS]) -> f64 {
    let skill: f64 = own.iter().zip(&answer.tasks).map(|(own, share)| own * share).sum();
    sigmoid(mean + skill - answer.difficulty)
}

/// Fits the slope, and the abilities of all models, on the outcomes of the prompts that `used` marks.
///
/// `raw` are the raw difficulties of the prompts, `shares` their tasks.
pub fn fit(data: &Data, used: &[bool], raw: &[f64], shares: &[[f64; TASKS]]) -> Scaled {
    let counted = data.outcomes.iter().filter(|outcome| used[outcome.prompt as usize]);
    let zero = {
        let (sum, count) =
            counted.clone().fold((0.0, 0.0), |(sum, count), outcome| (sum + raw[outcome.prompt as usize], count + 1.0));
        sum / f64::max(count, 1.0)
    };
    let mut answers: Vec<Vec<(usize, f64)>> = vec![Vec::new(); data.models.len()];
    counted.for_each(|outcome| {
        answers[usize::from(outcome.model)].push((outcome.prompt as usize, f64::from(outcome.score)))
    });
    let mut means = vec![0.0; data.models.len()];
    let mut owns = vec![[0.0; TASKS]; data.models.len()];
    let mut slope = 1.0;
    for _ in 0..STEPS {
        let (mut gradient, mut weight) = (0.0, 0.0);
        for ((answers, mean), own) in answers.iter().zip(&mut means).zip(&mut owns) {
            let graded: Vec<Graded> = answers
                .iter()
                .map(|(prompt, score)| Graded {
                    difficulty: slope * (raw[*prompt] - zero),
                    tasks: shares[*prompt],
                    score: *score,
                })
                .collect();
            step(&graded, mean, own);
            for (answer, (prompt, _)) in graded.iter().zip(answers) {
                let p = expected(answer, *mean, own);
                let raw = raw[*prompt] - zero;
                gradient -= raw * (answer.score - p);
                weight += raw * raw * p * (1.0 - p);
            }
        }
        slope += (gradient / f64::max(weight, 1.0)).clamp(-0.2, 0.2);
    }
    let abilities = means.iter().zip(&owns).map(|(mean, own)| own.map(|own| mean + own)).collect();
    Scaled { slope, zero, abilities }
}
