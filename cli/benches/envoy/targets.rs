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
    /// What would be good.
    aim: f64,
}

impl Target {
    /// Less is better.
    pub fn at_most(what: impl Into<String>, measured: Spread, reach: f64, aim: f64) -> Self {
        Target { what: what.into(), measured, unit: "", decimals: 2, more_is_better: false, reach, aim }
    }

    /// Less is better, and nothing more is aimed at.
    pub fn limit(what: impl Into<String>, measured: Spread, limit: f64) -> Self {
        Self::at_most(what, measured, limit, limit)
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
        match (self.keeps(self.aim), self.keeps(self.reach)) {
            (true, _) => "met",
            (false, true) => "reach met",
            (false, false) => "**missed**",
        }
    }

    fn row(&self) -> String {
        let Target { what, measured: Spread { lowest, median, highest }, unit, decimals, reach, aim, .. } = self;
        let aim = if reach == aim { String::new() } else { format!("{aim:.decimals$}{unit}") };
        let bounds = format!("{reach:.decimals$}{unit} | {aim}");
        let range =
            if lowest == highest { String::new() } else { format!(" ({lowest:.decimals$}–{highest:.decimals$})") };
        let measured = format!("{median:.decimals$}{unit}{range}");
        format!("| {what} | {bounds} | {measured} | {} |", self.verdict())
    }
}

/// The table.
pub fn print(targets: &[Target]) {
    println!("\n### Targets\n");
    println!("| target | reach | aim | measured (lowest–highest round) | |");
    println!("|---|---|---|---|---|");
    targets.iter().for_each(|target| println!("{}", target.row()));
}
