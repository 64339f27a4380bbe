//! Linear regression with an L2 penalty over hashed words and numbers.
//!
//! Owns the solver (conjugate gradients on the normal equations). Deterministic: no randomness, sums in a fixed order.

use model_router::predict::features::{BUCKETS, HAND};

/// What one text is to the linear part: its buckets, each worth `1/√buckets`, and its scaled numbers.
#[derive(Clone, Debug)]
pub struct Text {
    /// Buckets, each once.
    pub buckets: Vec<u16>,
    /// Numbers by mean and deviation, within ±4.
    pub scaled: [f32; HAND],
}

/// A column: `bias + Σ words[bucket] / √buckets + Σ hand · scaled`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Added.
    pub bias: f64,
    /// Weight of each bucket.
    pub words: Vec<f32>,
    /// Weights of the numbers; empty where they are not used.
    pub hand: Vec<f32>,
}

impl Linear {
    /// The answer for one text.
    pub fn answer(&self, text: &Text) -> f64 {
        let sum: f32 = text.buckets.iter().map(|bucket| self.words[usize::from(*bucket)]).sum();
        let hand: f32 = self.hand.iter().zip(&text.scaled).map(|(weight, number)| weight * number).sum();
        self.bias + f64::from(sum * share(text) + hand)
    }
}

fn share(text: &Text) -> f32 {
    1.0 / (text.buckets.len().max(1) as f32).sqrt()
}

/// How strongly weights are held back: for words, and for numbers (`None`: numbers are not used).
#[derive(Clone, Copy, Debug)]
pub struct Penalty {
    /// On the weight of each bucket.
    pub words: f64,
    /// On the weight of each number.
    pub hand: Option<f64>,
}

const ITERATIONS: usize = 60;
/// The residual, relative to the first, at which the solver stops.
const TOLERANCE: f64 = 1e-3;

/// Minimises `Σ weight · (answer − target)² + penalty · |w|²`; weights are scaled to mean 1. Without rows, everything
/// is 0.
pub fn fit(texts: &[&Text], target: &[f64], weight: &[f64], penalty: Penalty) -> Linear {
    if texts.is_empty() {
        let hand = vec![0.0; if penalty.hand.is_some() { HAND } else { 0 }];
        return Linear { bias: 0.0, words: vec![0.0; BUCKETS], hand };
    }
    let mean_weight = weight.iter().sum::<f64>() / weight.len().max(1) as f64;
    let weight: Vec<f32> = weight.iter().map(|weight| (weight / mean_weight) as f32).collect();
    let total: f64 = weight.iter().map(|weight| f64::from(*weight)).sum();
    let bias = target.iter().zip(&weight).map(|(target, weight)| target * f64::from(*weight)).sum::<f64>() / total;
    let hand = if penalty.hand.is_some() { HAND } else { 0 };
    let size = BUCKETS + hand;
    let product = |vector: &[f32], into: &mut Vec<f32>| {
        into.clear();
        into.extend(texts.iter().map(|text| {
            let sum: f32 = text.buckets.iter().map(|bucket| vector[usize::from(*bucket)]).sum();
            let numbers: f32 = vector[BUCKETS..].iter().zip(&text.scaled).map(|(weight, number)| weight * number).sum();
            sum * share(text) + numbers
        }));
    };
    let transposed = |rows: &[f32], into: &mut [f32]| {
        into.fill(0.0);
        for ((text, row), weight) in texts.iter().zip(rows).zip(&weight) {
            let step = row * weight * share(text);
            text.buckets.iter().for_each(|bucket| into[usize::from(*bucket)] += step);
            for (place, number) in into[BUCKETS..].iter_mut().zip(&text.scaled) {
                *place += row * weight * number;
            }
        }
    };
    let held = |at: usize| if at < BUCKETS { penalty.words as f32 } else { penalty.hand.unwrap_or(0.0) as f32 };
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();

    let centred: Vec<f32> = target.iter().map(|target| (target - bias) as f32).collect();
    let mut residual = vec![0.0; size];
    transposed(&centred, &mut residual);
    let mut solution = vec![0.0f32; size];
    let mut direction = residual.clone();
    let (mut rows, mut image) = (Vec::with_capacity(texts.len()), vec![0.0; size]);
    let first = dot(&residual, &residual);
    let mut length = first;
    for _ in 0..ITERATIONS {
        if length <= first * TOLERANCE * TOLERANCE {
            break;
        }
        product(&direction, &mut rows);
        transposed(&rows, &mut image);
        image.iter_mut().zip(&direction).enumerate().for_each(|(at, (image, part))| *image += held(at) * part);
        let step = (length / dot(&direction, &image)) as f32;
        solution.iter_mut().zip(&direction).for_each(|(value, part)| *value += step * part);
        residual.iter_mut().zip(&image).for_each(|(value, part)| *value -= step * part);
        let next = dot(&residual, &residual);
        let keep = (next / length) as f32;
        direction.iter_mut().zip(&residual).for_each(|(part, rest)| *part = rest + keep * *part);
        length = next;
    }
    let numbers = solution.split_off(BUCKETS);
    Linear { bias, words: solution, hand: numbers }
}
