//! Cells of the measurement, their rounds, and what is read off these.

use crate::calls::Call;
use crate::load::{Load, Seen, Until};
use crate::process::{Pair, Side};
use anyhow::{Context as _, ensure};
use std::time::Duration;

/// One measurement of one cell on one side.
#[derive(Clone)]
pub struct Round {
    /// By the client.
    pub seen: Seen,
    /// CPU time of Envoy.
    pub cpu: Duration,
}

/// What is measured: a call over a number of connections.
pub struct Cell {
    /// In the first column.
    pub name: String,
    /// Of each request.
    pub call: Call,
    /// At the same time.
    pub connections: usize,
    /// Bare Envoy is measured by the cell before, whose call is the same to it. That saves time, and what noise bare
    /// Envoy brings is the same for both.
    pub shares_bare: bool,
    /// Rounds on bare Envoy.
    pub bare: Vec<Round>,
    /// Rounds with the filter.
    pub filter: Vec<Round>,
}

/// Lowest, median and highest of the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// In any round.
    pub lowest: f64,
    /// Of all rounds.
    pub median: f64,
    /// In any round.
    pub highest: f64,
}

impl Spread {
    fn of(all: Vec<f64>) -> Self {
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Spread { lowest, median: middle(all), highest }
    }
}

impl Cell {
    /// A cell without rounds.
    pub fn new(name: impl Into<String>, connections: usize, call: Call) -> Self {
        let (bare, filter) = (Vec::new(), Vec::new());
        Cell { name: name.into(), call, connections, shares_bare: false, bare, filter }
    }

    /// Takes its rounds on bare Envoy from the cell before.
    pub fn shares_bare(self) -> Self {
        Cell { shares_bare: true, ..self }
    }

    /// What was added in each round.
    fn each_added(&self, of: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.bare.iter().zip(&self.filter).map(|(bare, filter)| of(filter) - of(bare)).collect()
    }

    /// What was added, in the unit of `of`, over the pairs of a round.
    pub fn added(&self, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.each_added(of))
    }

    /// What was added by that added in `base`: the medians' ratio, and the range of the rounds' ratios.
    pub fn added_by(&self, base: &Cell, of: impl Fn(&Round) -> f64 + Copy) -> Spread {
        let each = self.each_added(of).into_iter().zip(base.each_added(of));
        let median = self.added(of).median / base.added(of).median;
        Spread { median, ..Spread::of(each.map(|(one, base)| one / base).collect()) }
    }

    async fn measure(&mut self, pair: &Pair, side: Side, until: Until) -> anyhow::Result<()> {
        let process = &pair.of(side).process;
        let before = process.cpu()?;
        let seen = load(pair, side, &self.call, self.connections, until).await?;
        let round = Round { seen, cpu: process.cpu()?.saturating_sub(before) };
        match side {
            Side::Bare => self.bare.push(round),
            Side::Filter => self.filter.push(round),
        }
        Ok(())
    }
}

/// Measures every cell on both sides, `time` each, in an order that is reversed each round.
pub async fn rounds(pair: &Pair, cells: &mut [Cell], rounds: usize, time: Duration) -> anyhow::Result<()> {
    for round in 0..rounds {
        let mut order: Vec<(usize, Side)> = Vec::new();
        for (index, cell) in cells.iter().enumerate() {
            order.extend((!cell.shares_bare).then_some((index, Side::Bare)));
            order.push((index, Side::Filter));
        }
        if round % 2 == 1 {
            order.reverse();
        }
        for (index, side) in order {
            let cell = cells.get_mut(index).context("no such cell")?;
            cell.measure(pair, side, Until::Elapsed(time)).await.with_context(|| cell.name.clone())?;
        }
        let mut bare: Option<Round> = None;
        for cell in cells.iter_mut() {
            match cell.shares_bare {
                true => cell.bare.extend(bare.clone()),
                false => bare = cell.bare.last().cloned(),
            }
        }
    }
    Ok(())
}

/// Loads one of the Envoys.
pub async fn load(pair: &Pair, side: Side, call: &Call, connections: usize, until: Until) -> anyhow::Result<Seen> {
    let load = Load { port: pair.of(side).port, call: call.clone(), connections, until };
    let seen = load.run().await.with_context(|| format!("under load, Envoy {side:?}"))?;
    ensure!(seen.requests > 0, "Envoy {side:?} answered nothing");
    Ok(seen)
}

/// Microseconds of Envoy's CPU per request.
pub fn cpu_per_request(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.requests as f64
}

/// Microseconds of Envoy's CPU per event of a stream.
pub fn cpu_per_event(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.events.max(1) as f64
}

/// The median of the rounds.
pub fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    middle(rounds.iter().map(of).collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(upper) } else { (at(upper.wrapping_sub(1)) + at(upper)) / 2.0 }
}
