//! What the measurements are held against: a target's bounds, and whether they are kept. Never measures.

use crate::cells::Spread;

/// Something measured that has to stay on one side of a bound.
pub struct Target {
    what: String,
    measured: Spread,
    unit: &'static str,
    decimals: usize,
    more_is_better: bool,
    /// What is good enough.
    reach: f64,
    /// What would be good, if that is more.
    aim: Option<f64>,
}

impl Target {
    /// Less is better.
    pub fn at_most(what: impl Into<String>, measured: Spread, reach: f64, aim: f64) -> Self {
        Target { aim: Some(aim), ..Self::limit(what, measured, reach) }
    }

    /// Less is better, and nothing more is aimed at.
    pub fn limit(what: impl Into<String>, measured: Spread, limit: f64) -> Self {
        let (what, reach) = (what.into(), limit);
        Target { what, measured, unit: "", decimals: 2, more_is_better: false, reach, aim: None }
    }

    /// More is better.
    pub fn at_least(what: impl Into<String>, measured: Spread, reach: f64, aim: f64) -> Self {
        Target { more_is_better: true, ..Self::at_most(what, measured, reach, aim) }
    }

    /// Printed with this unit and so many decimals; without, with two.
    pub fn with(self, unit: &'static str, decimals: usize) -> Self {
        Target { unit, decimals, ..self }
    }

    fn keeps(&self, bound: f64) -> bool {
        if self.more_is_better { self.measured.median >= bound } else { self.measured.median <= bound }
    }

    fn verdict(&self) -> &'static str {
        match (self.aim.is_none_or(|aim| self.keeps(aim)), self.keeps(self.reach)) {
            (true, true) => "met",
            (false, true) => "reach met",
            (_, false) => "**missed**",
        }
    }

    fn row(&self) -> String {
        let Target { what, measured: Spread { lowest, median, highest }, unit, decimals, reach, aim, .. } = self;
        let aim = aim.map_or_else(String::new, |aim| format!(" {aim:.decimals$}{unit} |"));
        let range =
            if lowest == highest { String::new() } else { format!(" ({lowest:.decimals$}–{highest:.decimals$})") };
        format!("| {what} | {reach:.decimals$}{unit} |{aim} {median:.decimals$}{unit}{range} | {} |", self.verdict())
    }
}

/// The tables: of what has an aim, and of mere limits.
pub fn print(targets: &[Target]) {
    let (aims, limits): (Vec<_>, Vec<_>) = targets.iter().partition(|target| target.aim.is_some());
    if !aims.is_empty() {
        println!("\n### Targets\n");
        println!("| | reach | aim | measured (lowest–highest round) | |");
        println!("|---|---|---|---|---|");
        aims.iter().for_each(|target| println!("{}", target.row()));
    }
    if !limits.is_empty() {
        println!("\n### Limits of single features\n");
        println!("| | at most | measured (lowest–highest round) | |");
        println!("|---|---|---|---|");
        limits.iter().for_each(|target| println!("{}", target.row()));
    }
}
