//! Reads the file of public scores.
//!
//! Owns its form: `scores` maps a model to its rows. Never judges a row.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// One published score.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Row {
    /// Benchmark, in the spelling of its publisher.
    pub benchmark: String,
    /// Release of the benchmark: scores of different releases cannot be compared.
    #[serde(default)]
    pub release: Option<String>,
    /// How it was measured; often names the effort.
    #[serde(default)]
    pub variant: Option<String>,
    /// Name of the row in the publisher's table.
    #[serde(default)]
    pub row: Option<String>,
    /// Per cent, or Elo.
    pub score: f64,
    /// `2025-11` or `2025-11-06`.
    #[serde(default)]
    pub date: Option<String>,
    /// By the model's own vendor.
    #[serde(default)]
    pub self_reported: bool,
    /// A warning.
    #[serde(default)]
    pub caveat: Option<String>,
    /// Scores by category, in per cent.
    #[serde(default)]
    pub category_scores: BTreeMap<String, f64>,
    /// Arena's rating for code.
    #[serde(default)]
    pub coding_elo: Option<f64>,
}

impl Row {
    /// Everything that was said of how it was measured, in small letters.
    pub fn text(&self) -> String {
        let parts = [&self.variant, &self.row, &self.caveat];
        parts.into_iter().flatten().map(|part| part.to_lowercase()).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Deserialize)]
struct File {
    scores: BTreeMap<String, Vec<Row>>,
}

/// Reads the rows by model, in the order of the models' names.
///
/// # Errors
/// When the file cannot be read or has another form.
pub fn read(path: &Path) -> Result<BTreeMap<String, Vec<Row>>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let file: File = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(file.scores)
}
