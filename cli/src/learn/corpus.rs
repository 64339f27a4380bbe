//! Everything that training needs of the data, computed once.
//!
//! Owns features of all prompts and what labels without outcomes say about difficulty. Never looks at outcomes.

use std::path::Path;

use anyhow::{Result, ensure};
use model_router::predict::Prompt as View;
use model_router::predict::cues::Cues;
use model_router::predict::features::{self, HAND};
use rayon::prelude::*;

use super::data::{Data, Prompt};
use super::ridge::Text;

/// The name of the source that the project wrote itself.
pub const OWN: &str = "own";

/// Prompts with their features.
#[derive(Clone)]
pub struct Corpus {
    /// Prompts, labels, outcomes.
    pub data: Data,
    /// For each prompt what the linear part sees.
    pub texts: Vec<Text>,
    /// For each prompt its numbers, unscaled.
    pub hand: Vec<[f32; HAND]>,
    /// Means and standard deviations of the numbers.
    pub mean: Vec<f32>,
    /// The same.
    pub deviation: Vec<f32>,
}

impl Corpus {
    /// Reads data and computes features. `own` is a file of prompts with task and difficulty (0..=3).
    ///
    /// # Errors
    /// Names file, line and rule.
    pub fn read(path: &Path, own: Option<&Path>) -> Result<Corpus> {
        let mut data = Data::read(path)?;
        if let Some(own) = own {
            data.read_prompts(own)?;
        }
        ensure!(!data.outcomes.is_empty(), "{}: there are no outcomes", path.display());
        drop_bad_runs(&mut data);
        // Their tasks are measured, see `evaluate-model`, so they must not train them.
        for (prompt, task) in data.prompts.iter().zip(&mut data.tasks) {
            if matches!(prompt.source.as_str(), "arenahard_v01" | "selfinstruct") {
                *task = None;
            }
        }
        let hand_and_buckets = features(&data.prompts);
        let (mean, deviation) = moments(hand_and_buckets.iter().map(|(_, hand)| hand));
        let scale = |buckets: &Vec<u16>, hand: &[f32; HAND]| Text {
            buckets: buckets.clone(),
            scaled: scaled(hand, &mean, &deviation),
        };
        let texts = hand_and_buckets.iter().map(|(buckets, hand)| scale(buckets, hand)).collect();
        let hand = hand_and_buckets.into_iter().map(|(_, hand)| hand).collect();
        Ok(Corpus { data, texts, hand, mean, deviation })
    }

    /// The same prompts with other outcomes.
    pub fn with_outcomes(&self, outcomes: Vec<super::data::Outcome>) -> Corpus {
        Corpus { data: Data { outcomes, ..self.data.clone() }, ..self.clone() }
    }

    /// What the linear part sees of other prompts, by this corpus' scales.
    pub fn texts_of(&self, prompts: &[Prompt]) -> Vec<(Text, [f32; HAND])> {
        let scale = |(buckets, hand): (Vec<u16>, [f32; HAND])| {
            (Text { buckets, scaled: scaled(&hand, &self.mean, &self.deviation) }, hand)
        };
        features(prompts).into_iter().map(scale).collect()
    }
}

/// Runs known to be broken: this one lies 26 points below the published accuracy.
const BAD_RUNS: [(&str, &str); 1] = [("zeroeval_math-l5", "llama-3.1-70b-instruct")];

fn drop_bad_runs(data: &mut Data) {
    let Data { prompts, models, outcomes, .. } = data;
    outcomes.retain(|outcome| {
        let (source, model) = (&prompts[outcome.prompt as usize].source, &models[usize::from(outcome.model)]);
        !BAD_RUNS.iter().any(|(bad, run)| bad == source && run == model)
    });
}

/// Difficulty in log odds that a label stands for, with the weight of that word beside outcomes; `None`: no label.
///
/// The scales are set by hand so that they meet the outcomes of like prompts: questions like GSM8K's lie around −1.5
/// and spread by 1, competition mathematics rises from −1.6 (level 1) to 1.3 (level 5), the level that outcomes give.
pub fn labelled(prompt: &Prompt) -> Option<(f64, f64)> {
    let label = prompt.difficulty?;
    Some(match prompt.source.as_str() {
        "gsm8k_train" => (-1.5 + (label.min(8.0) - 3.1) / 1.45, 0.35),
        "math_levels" => (-1.6 + 0.72 * (label - 1.0), 0.35),
        "clinc150" => (TRIVIAL, 0.5),
        OWN => (own(prompt, label), 1.5),
        _ => (1.5, 0.2),
    })
}

/// Log odds where a model of ability 0, about an 8B model of 2024, is right in 99 of 100 cases.
const TRIVIAL: f64 = -4.6;

/// Log odds of the project's own difficulties, by what they mean to such a model: 0 trivial; 1 easy, right in 92 of 100
/// cases; 2 moderate, in half; 3 hard, in 12. Lower where an answer has no right or wrong: graders accept most answers
/// of weaker models there.
fn own(prompt: &Prompt, label: f64) -> f64 {
    let open = matches!(prompt.task_type.as_deref(), Some("chat" | "writing"));
    let steps = if open { [TRIVIAL, -3.0, -1.2, 0.0] } else { [TRIVIAL, -2.5, 0.0, 2.0] };
    steps.get(label as usize).copied().unwrap_or(0.0)
}

/// Features of prompts, through the very code of the filter. Needs no weights, so that a change of the features can be
/// trained.
fn features(prompts: &[Prompt]) -> Vec<(Vec<u16>, [f32; HAND])> {
    let cues = Cues::embedded();
    let one = |prompt: &Prompt| {
        let features = features::features(&cues, &View::question(&prompt.prompt).question);
        (features.buckets, features.hand)
    };
    prompts.par_iter().map(one).collect()
}

fn moments<'a>(rows: impl Iterator<Item = &'a [f32; HAND]> + Clone) -> (Vec<f32>, Vec<f32>) {
    let count = rows.clone().count().max(1) as f64;
    let mut mean = vec![0.0f64; HAND];
    let mut square = vec![0.0f64; HAND];
    for row in rows {
        for ((mean, square), number) in mean.iter_mut().zip(&mut square).zip(row) {
            *mean += f64::from(*number) / count;
            *square += f64::from(*number) * f64::from(*number) / count;
        }
    }
    let deviation =
        mean.iter().zip(&square).map(|(mean, square)| (square - mean * mean).max(0.0).sqrt().max(1e-3) as f32);
    let deviation = deviation.collect();
    (mean.into_iter().map(|mean| mean as f32).collect(), deviation)
}

fn scaled(hand: &[f32; HAND], mean: &[f32], deviation: &[f32]) -> [f32; HAND] {
    let mut scaled = [0.0; HAND];
    for (at, place) in scaled.iter_mut().enumerate() {
        *place = ((hand[at] - mean[at]) / deviation[at]).clamp(-4.0, 4.0);
    }
    scaled
}
