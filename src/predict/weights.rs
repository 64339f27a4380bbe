//! The weights file: what training leaves behind.
//!
//! Owns its form: the four bytes `MRW1`, four lengths (u32, little-endian), then head (JSON), table (one byte for each
//! bucket and column), trees, and what is known of the weights (JSON). Never computes with them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::features::{BUCKETS, HAND};
use super::trees::{NODE_BYTES, Trees};
use crate::catalog::TASKS;

/// What the linear part answers: difficulty, a logit for each task, the logarithm of the answer's tokens.
pub const COLUMNS: usize = TASKS + 2;
/// Column of the difficulty.
pub const DIFFICULTY: usize = 0;
/// First column of the tasks.
pub const TASK: usize = 1;
/// Column of the answer's tokens.
pub const TOKENS: usize = TASKS + 1;

const MAGIC: &[u8; 4] = b"MRW1";

/// A column of the linear part: `bias + scale · Σ table / √buckets + Σ hand · z`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Added.
    pub bias: f32,
    /// What one step of the table is worth.
    pub scale: f32,
    /// Weights of the [`HAND`] numbers, scaled by mean and deviation; empty: all zero.
    pub hand: Vec<f32>,
}

/// The numbers of the model that are no tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of these weights, shown by `explain`.
    pub version: String,
    /// Means of the [`HAND`] numbers over the training prompts.
    pub mean: Vec<f32>,
    /// Their standard deviations, none zero.
    pub deviation: Vec<f32>,
    /// The [`COLUMNS`].
    pub columns: Vec<Column>,
    /// Difficulty = offset + linear · column + trees · trees + length · log bytes of the question.
    pub difficulty: Blend,
}

/// How the parts of the difficulty are added up, in log odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Blend {
    pub offset: f32,
    pub linear: f32,
    pub trees: f32,
    pub length: f32,
}

/// Weights, read and checked.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The numbers.
    pub head: Head,
    /// [`BUCKETS`] rows of [`COLUMNS`] signed bytes.
    pub table: Cow<'static, [u8]>,
    /// The trees.
    pub trees: Trees,
    /// What is known of them, as JSON text: data, licences, seed, metrics, abilities of the models of the data.
    about: Cow<'static, [u8]>,
}

impl Weights {
    /// The weights that are compiled in: `src/predict/weights.bin`, or the file that `MODEL_ROUTER_WEIGHTS` named when
    /// this was built.
    ///
    /// # Errors
    /// When the file is broken.
    pub fn embedded() -> Result<Weights, String> {
        Weights::read(include_bytes!(env!("MODEL_ROUTER_WEIGHTS_FILE")))
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(bytes: &'static [u8]) -> Result<Weights, String> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or("this is no weights file of version 1")?;
        let mut lengths = [0; 4];
        for length in &mut lengths {
            let (word, behind) = rest.split_first_chunk::<4>().ok_or("the weights file ends in its lengths")?;
            *length = u32::from_le_bytes(*word) as usize;
            rest = behind;
        }
        let mut part = |length: usize| -> Result<&'static [u8], String> {
            let (part, behind) = rest.split_at_checked(length).ok_or("the weights file ends too early")?;
            rest = behind;
            Ok(part)
        };
        let [head, table, trees, about] = lengths;
        let (head, table, trees, about) = (part(head)?, part(table)?, part(trees)?, part(about)?);
        let head: Head = serde_json::from_slice(head).map_err(|error| format!("head of the weights: {error}"))?;
        Weights::new(head, Cow::Borrowed(table), Trees::read(trees)?, Cow::Borrowed(about))
    }

    /// Puts weights together.
    ///
    /// # Errors
    /// Says which size is wrong or which number is none.
    pub fn new(
        head: Head,
        table: Cow<'static, [u8]>,
        trees: Trees,
        about: Cow<'static, [u8]>,
    ) -> Result<Weights, String> {
        if head.mean.len() != HAND || head.deviation.len() != HAND || head.columns.len() != COLUMNS {
            return Err("the head of the weights does not fit this version of the features".into());
        }
        if table.len() != BUCKETS * COLUMNS {
            return Err(format!("the table of the weights has {} bytes, not {}", table.len(), BUCKETS * COLUMNS));
        }
        let columns = head.columns.iter().flat_map(|column| column.hand.iter().chain([&column.bias, &column.scale]));
        let numbers = columns.chain(&head.mean).chain(&head.deviation);
        if !numbers.copied().all(f32::is_finite) || head.deviation.contains(&0.0) {
            return Err("a number of the weights is none".into());
        }
        if head.columns.iter().any(|column| !matches!(column.hand.len(), 0 | HAND)) {
            return Err("a column of the weights has the wrong length".into());
        }
        Ok(Weights { head, table, trees, about })
    }

    /// The form of the file.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let head = serde_json::to_vec(&self.head).map_err(|error| error.to_string())?;
        let trees = self.trees.bytes();
        let parts: [&[u8]; 4] = [&head, &self.table, &trees, &self.about];
        let mut bytes = MAGIC.to_vec();
        for part in parts {
            bytes.extend((part.len() as u32).to_le_bytes());
        }
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        Ok(bytes)
    }

    /// What is known of these weights.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn about(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.about).map_err(|error| format!("about the weights: {error}"))
    }

    /// Bytes of the trees in the file.
    pub fn tree_bytes(&self) -> usize {
        self.trees.len() * NODE_BYTES
    }
}
