//! A trained model as a weights file.
//!
//! Owns rounding: words' weights become signed bytes, one scale for each column.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use model_router::catalog::TASKS;
use model_router::predict::features::BUCKETS;
use model_router::predict::weights::{Blend, COLUMNS, Column, Head, Weights};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::corpus::Corpus;
use super::fit::{Fitted, LENGTH, LINEAR, STEEPNESS};
use super::ridge::Linear;

/// What is known of weights: kept in the file, beside them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// Sources with their licences and how many prompts and outcomes of each were used.
    pub data: Vec<Source>,
    /// Seed of the training.
    pub seed: u64,
    /// What was measured on prompts that were held out.
    #[serde(default)]
    pub metrics: Value,
    /// Abilities of the models of the data, in log odds by task.
    pub pool: BTreeMap<String, [f64; TASKS]>,
}

/// A source of training data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Name, as in the prompts file.
    pub name: String,
    /// Licence, where it is known.
    pub licence: Option<String>,
    /// Prompts.
    pub prompts: usize,
    /// Outcomes.
    pub outcomes: usize,
}

/// Packs a model.
///
/// # Errors
/// When a number is none.
pub fn pack(corpus: &Corpus, fitted: &Fitted, version: &str, about: &About) -> Result<Weights> {
    let scaled = &fitted.scaled;
    let factors = [1.0].into_iter().chain([STEEPNESS; TASKS]).chain([1.0]);
    let parts = [&fitted.linear].into_iter().chain(&fitted.tasks).chain([&fitted.tokens]);
    let (columns, bytes): (Vec<Column>, Vec<Vec<i8>>) =
        parts.zip(factors).map(|(part, factor)| column(part, factor)).unzip();
    let mut table = vec![0u8; BUCKETS * COLUMNS];
    for (at, column) in bytes.iter().enumerate() {
        column.iter().zip(table.chunks_exact_mut(COLUMNS)).for_each(|(weight, row)| row[at] = *weight as u8);
    }
    let head = Head {
        version: version.to_owned(),
        mean: corpus.mean.clone(),
        deviation: corpus.deviation.clone(),
        columns,
        difficulty: Blend {
            offset: (-scaled.slope * scaled.zero) as f32,
            linear: (scaled.slope * LINEAR) as f32,
            trees: (scaled.slope * (1.0 - LINEAR)) as f32,
            length: (scaled.slope * LENGTH) as f32,
        },
    };
    let about = serde_json::to_vec(about).context("about the weights")?;
    Weights::new(head, table.into(), fitted.trees.clone(), about.into()).map_err(anyhow::Error::msg)
}

/// A column in bytes. The few largest weights are cut off, so that the many small ones keep their differences.
fn column(linear: &Linear, factor: f64) -> (Column, Vec<i8>) {
    let mut sizes: Vec<f32> = linear.words.iter().map(|weight| weight.abs()).filter(|size| *size > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let largest = sizes.get(sizes.len().saturating_sub(1 + sizes.len() / 1000)).copied().unwrap_or(1.0);
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let bytes = linear.words.iter().map(|weight| (weight / scale).round().clamp(-127.0, 127.0) as i8).collect();
    let factor = factor as f32;
    let hand = linear.hand.iter().map(|weight| weight * factor).collect();
    (Column { bias: linear.bias as f32 * factor, scale: scale * factor, hand }, bytes)
}
