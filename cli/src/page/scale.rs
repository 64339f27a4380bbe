//! Axes: round numbers, and where a number stands.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, about `count` of them.
fn linear(low: f64, high: f64, count: usize) -> Vec<f64> {
    let span = high - low;
    if span <= 0.0 || !span.is_finite() {
        return vec![low];
    }
    let raw = span / count.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= raw);
    let step = step.unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|at| at as f64 * step).collect()
}

/// Round numbers from `low` to `high` for a logarithmic axis, at most `count` of them where that is possible.
fn logarithmic(low: f64, high: f64, count: usize) -> Vec<f64> {
    let ticks = |factors: &[f64]| -> Vec<f64> {
        let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
        all.filter(|tick| (low..=high).contains(tick)).collect()
    };
    let choices = [ticks(&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]), ticks(&[1.0, 2.0, 5.0]), ticks(&[1.0, 3.0]), ticks(&[1.0])];
    let fitting = choices.iter().find(|ticks| ticks.len() <= count);
    fitting.or(choices.last()).cloned().unwrap_or_default()
}

/// Whether this many decimals are enough to write a number.
fn is_round(value: f64, decimals: i32) -> bool {
    let scaled = value * 10f64.powi(decimals);
    (scaled - scaled.round()).abs() < 1e-6
}

/// An axis with round numbers.
pub struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
    /// Stands before each number.
    unit: &'static str,
}

impl Axis {
    /// From `low` to `high` with about `count` numbers.
    pub fn linear(low: f64, high: f64, count: usize) -> Axis {
        Axis::at(low, high, linear(low, high, count))
    }

    /// From `low` to `high` with these numbers.
    pub fn at(low: f64, high: f64, ticks: Vec<f64>) -> Axis {
        Axis { low, high, logarithmic: false, ticks, unit: "" }
    }

    /// From 0 to a little more than `most`, with whole numbers.
    pub fn counts(most: usize) -> Axis {
        let most = most.max(1);
        Axis { ticks: linear(0.0, most as f64, most.min(4)), ..Axis::linear(0.0, most as f64 * 1.06, 1) }
    }

    /// From `low` to `high` with at most about `count` numbers, logarithmic; `low` must be more than 0.
    pub fn logarithmic(low: f64, high: f64, count: usize) -> Axis {
        Axis { low, high, logarithmic: true, ticks: logarithmic(low, high, count), unit: "" }
    }

    /// The same with `$` before each number.
    pub fn in_usd(self) -> Axis {
        Axis { unit: "$", ..self }
    }

    /// Whether it is logarithmic.
    pub fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// As many decimals as the numbers need, the same for all of a linear axis.
    fn decimals(&self, value: f64) -> usize {
        let of = |value: f64| (0..6).find(|decimals| is_round(value, *decimals)).unwrap_or(6) as usize;
        let decimals = match self.logarithmic {
            true => of(value),
            false => self.ticks.iter().map(|tick| of(*tick)).max().unwrap_or_default(),
        };
        // Money has two decimals or none.
        if decimals == 1 && !self.unit.is_empty() { 2 } else { decimals }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let place = |value: f64| if self.logarithmic { value.log10() } else { value };
        let share = (place(*value) - place(self.low)) / (place(self.high) - place(self.low));
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // plotters asks for the lines between the numbers too, and none are wanted.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let decimals = self.decimals(*value);
        let text = format!("{}{:.decimals$}", self.unit, value.abs());
        if *value < -1e-9 { format!("−{text}") } else { text }
    }
}
