//! Cells of the measurement, their rounds, and what is read off these.

use crate::calls::Call;
use crate::config::Side;
use crate::load::{Load, Seen, Until};
use crate::process::Servers;
use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
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
    /// Where it is measured. The first is what the others are compared with.
    sides: Vec<Side>,
    /// The first side is measured by the cell before, whose call is the same to it. That saves time, and what noise it
    /// brings is the same for both.
    pub shares_bare: bool,
    /// Of each side.
    rounds: BTreeMap<Side, Vec<Round>>,
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

    /// Of what was measured once.
    pub fn once(value: f64) -> Self {
        Spread { lowest: value, median: value, highest: value }
    }

    /// The medians' ratio, and the range of the rounds' ratios.
    fn of_ratios(ones: Vec<f64>, bases: Vec<f64>) -> Self {
        let each = ones.iter().zip(&bases).map(|(one, base)| one / base).collect();
        Spread { median: middle(ones) / middle(bases), ..Spread::of(each) }
    }
}

impl Cell {
    /// A cell without rounds, on bare Envoy and with the filter.
    pub fn new(name: impl Into<String>, connections: usize, call: Call) -> Self {
        let (sides, rounds) = (vec![Side::Bare, Side::Filter], BTreeMap::new());
        Cell { name: name.into(), call, connections, sides, shares_bare: false, rounds }
    }

    /// On these sides.
    pub fn on(self, sides: &[Side]) -> Self {
        Cell { sides: sides.into(), ..self }
    }

    /// Takes its rounds on bare Envoy from the cell before.
    pub fn shares_bare(self) -> Self {
        Cell { shares_bare: true, ..self }
    }

    /// Where it is measured.
    pub fn sides(&self) -> &[Side] {
        &self.sides
    }

    /// The rounds of a side.
    pub fn of(&self, side: Side) -> &[Round] {
        self.rounds.get(&side).map_or(&[], Vec::as_slice)
    }

    /// The rounds of the side that others are compared with.
    pub fn base(&self) -> &[Round] {
        self.sides.first().map_or(&[], |base| self.of(*base))
    }

    /// What a side added in each round.
    fn each_added(&self, side: Side, of: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.base().iter().zip(self.of(side)).map(|(base, round)| of(round) - of(base)).collect()
    }

    /// What the filter added, in the unit of `of`, over the pairs of a round.
    pub fn added(&self, of: impl Fn(&Round) -> f64) -> Spread {
        self.added_on(Side::Filter, of)
    }

    /// What a side added.
    pub fn added_on(&self, side: Side, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.each_added(side, of))
    }

    /// What the filter added by that added in `base`.
    pub fn added_by(&self, base: &Cell, of: impl Fn(&Round) -> f64 + Copy) -> Spread {
        Spread::of_ratios(self.each_added(Side::Filter, of), base.each_added(Side::Filter, of))
    }

    /// What the filter added by what another side added.
    pub fn added_beside(&self, other: Side, of: impl Fn(&Round) -> f64 + Copy) -> Spread {
        Spread::of_ratios(self.each_added(Side::Filter, of), self.each_added(other, of))
    }

    /// What the filter added by what there was without it.
    pub fn added_to_base(&self, of: impl Fn(&Round) -> f64 + Copy) -> Spread {
        Spread::of_ratios(self.each_added(Side::Filter, of), self.base().iter().map(of).collect())
    }

    /// What there was with the filter by what there was without it.
    pub fn by_base(&self, of: impl Fn(&Round) -> f64 + Copy) -> Spread {
        Spread::of_ratios(self.of(Side::Filter).iter().map(of).collect(), self.base().iter().map(of).collect())
    }

    async fn measure(&mut self, servers: &Servers, side: Side, until: Until) -> anyhow::Result<()> {
        let process = servers.of(side)?;
        let before = process.cpu()?;
        let seen = load(servers, side, &self.call, self.connections, until).await?;
        let round = Round { seen, cpu: process.cpu()?.saturating_sub(before) };
        self.rounds.entry(side).or_default().push(round);
        Ok(())
    }
}

/// Measures every cell on all its sides, `time` each, in an order that is reversed each round.
pub async fn rounds(servers: &Servers, cells: &mut [Cell], rounds: usize, time: Duration) -> anyhow::Result<()> {
    for round in 0..rounds {
        let mut order: Vec<(usize, Side)> = Vec::new();
        for (index, cell) in cells.iter().enumerate() {
            order.extend(cell.sides.iter().skip(usize::from(cell.shares_bare)).map(|side| (index, *side)));
        }
        if round % 2 == 1 {
            order.reverse();
        }
        for (index, side) in order {
            let cell = cells.get_mut(index).context("no such cell")?;
            cell.measure(servers, side, Until::Elapsed(time)).await.with_context(|| cell.name.clone())?;
        }
    }
    let mut bare: Vec<Round> = Vec::new();
    for cell in cells.iter_mut() {
        let base = *cell.sides.first().context("a cell without a side")?;
        match cell.shares_bare {
            true => drop(cell.rounds.insert(base, bare.clone())),
            false => bare = cell.base().to_vec(),
        }
    }
    Ok(())
}

/// Loads one side.
pub async fn load(
    servers: &Servers,
    side: Side,
    call: &Call,
    connections: usize,
    until: Until,
) -> anyhow::Result<Seen> {
    let load = Load { port: servers.of(side)?.port, calls: [call.clone()].into(), connections, until };
    let seen = load.run().await.with_context(|| format!("under load, {side:?}"))?;
    ensure!(seen.requests > 0, "{side:?} answered nothing");
    Ok(seen)
}

/// Microseconds of the side's CPU per request.
pub fn cpu_per_request(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.requests as f64
}

/// Microseconds of Envoy's CPU per event of a stream.
pub fn cpu_per_event(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.events.max(1) as f64
}

/// Microseconds within which such a part of the answers was complete.
pub fn quantile(round: &Round, quantile: f64) -> f64 {
    round.seen.latency.value_at_quantile(quantile) as f64
}

/// Microseconds within which half of the answers were complete.
pub fn p50(round: &Round) -> f64 {
    quantile(round, 0.5)
}

/// So many per second.
pub fn rate(count: u64, round: &Round) -> f64 {
    count as f64 / round.seen.elapsed.as_secs_f64()
}

/// Answers per second.
pub fn requests_per_second(round: &Round) -> f64 {
    rate(round.seen.requests, round)
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
