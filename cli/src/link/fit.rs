//! General abilities of models at efforts, on the trained scale.
//!
//! Owns the fit of `score = offset(source) + slope(source) · θ(model, effort)` with
//! `θ = base(model) + step(effort) + own(model, effort)`; in ratings from votes, a publisher has an offset of its own
//! beside. Knows nothing of tasks.
//!
//! Everything is one nonlinear least-squares problem with normal priors, solved by Gauss-Newton steps; rows far from
//! their line lose weight as under a t distribution with four degrees of freedom. Slopes are fitted to the distribution
//! of abilities rather than to their best values, as expectation-maximisation does: the joint maximum draws abilities
//! together and makes all slopes too steep. The spreads of models, of their own parts and of steps are fitted too: held
//! fixed in log odds of ability, they would set the scale instead of the anchors. Efforts whose steps would fall share
//! one step, and the fit is run again. Errors come from the curvature at the end, and from how uncertain the anchors
//! and the slopes' prior leave the scale.

use anyhow::{Result, bail};

use super::anchors::Anchor;
use super::benchmarks::Kind;
use super::rows::{Measurement, Measurements};
use super::solve::{Factored, Normal, dot};
use super::unknowns::{EFFORTS, Layout, MEDIUM};

/// Mean and standard deviation of a prior.
type Prior = (f64, f64);

/// All models' mean base (ability at medium effort): between o1-preview and a little more than it.
const MEAN: Prior = (3.0, 2.0);
/// Publishers lie around it by half of what models lie around their publisher.
const PUBLISHERS: f64 = 0.5;
/// What the scores say of how far models lie from their publisher, a model at an effort from its base and the effort's
/// step, and an effort's step from that of the effort before, is taken together with this much of one at this standard
/// deviation.
const SPREADS: [(f64, f64); 3] = [(0.1, 1.0), (0.1, 0.3), (0.1, 0.5)];
/// Common slope of scores in per cent, and the standard deviation of its logarithm. A share of right answers over
/// questions of unlike difficulty rises less than σ; but so do the outcomes behind the trained scale, of which the text
/// tells only a part of the difficulty. So the slope should be a little below 1.
const PERCENT_SLOPE: Prior = (0.85, 0.25);
/// Common slope of ratings: votes between two answers prefer the better one only slightly more often than not.
const ELO_SLOPE: Prior = (0.3, 0.5);
/// Standard deviations of slopes' logarithms around the common one: broad benchmarks, narrow ones, ratings.
const SLOPES: [f64; 3] = [0.2, 0.5, 0.3];
/// By how much people's votes like a publisher's manner better than its models' abilities would say, in log odds: about
/// 20 points of Elo.
const VOTES: f64 = 0.12;
/// Any offset is as likely.
const OFFSET: f64 = 20.0;
const FREEDOM: f64 = 4.0;
const ROUNDS: usize = 300;
/// Longest leap, in steps.
const LEAP: f64 = 50.0;
const CONVERGED: f64 = 1e-6;
/// Inverse variance of what is held fixed.
const FIXED: f64 = 1e8;

/// What is known of a source.
#[derive(Clone, Debug)]
pub struct Line {
    /// Place in [`Measurements::sources`].
    pub source: usize,
    /// Log odds of a score at ability 0.
    pub offset: f64,
    /// Log odds for one log odds of ability.
    pub slope: f64,
    /// Standard error of the slope.
    pub error: f64,
    /// Rows.
    pub rows: usize,
    /// Standard deviation of rows around the line, in log odds, by their weights.
    pub residual: f64,
}

/// The fit.
pub struct General {
    /// Ability of each node, in log odds.
    pub ability: Vec<f64>,
    /// Its standard error.
    pub error: Vec<f64>,
    /// Step of each effort from medium, in log odds; efforts that never occur have the prior's.
    pub steps: [f64; EFFORTS],
    /// Sources with general figures.
    pub lines: Vec<Line>,
    /// Common slopes of scores in per cent and of ratings.
    pub common: [f64; 2],
    /// Standard deviations of models around their publisher, of models at efforts, and of steps, in log odds.
    pub spreads: [f64; 3],
    /// Standard error of the scale, as a share: by how much distances from the anchors may be off.
    pub scale_error: f64,
    /// What the fit makes of each anchor.
    pub anchored: Vec<(Anchor, f64)>,
}

struct Problem<'a> {
    all: &'a Measurements,
    anchors: &'a [Anchor],
    layout: Layout,
    /// Standard deviations, as in [`SPREADS`].
    spreads: [f64; 3],
}

/// Fits.
///
/// # Errors
/// When it does not converge.
pub fn fit(all: &Measurements, anchors: &[Anchor]) -> Result<General> {
    let mut groups: [usize; EFFORTS] = std::array::from_fn(|effort| effort);
    loop {
        let spreads = SPREADS.map(|(_, deviation)| deviation);
        let mut problem = Problem { all, anchors, layout: Layout::of(all, &groups), spreads };
        let (unknowns, solved) = problem.solve()?;
        let step = |effort: usize| unknowns[problem.layout.steps[effort]];
        let Some(falls) = (1..EFFORTS).find(|effort| step(*effort) < step(effort - 1) - 1e-9) else {
            return Ok(problem.general(&unknowns, &solved));
        };
        let (from, to) = (groups[falls], groups[falls - 1]);
        groups.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
    }
}

impl Problem<'_> {
    /// Rounds from the start to where another one moves nothing. Plain rounds creep, so every third is a leap along the
    /// way of the last two (squared extrapolation, Varadhan and Roland 2008).
    fn solve(&mut self) -> Result<(Vec<f64>, Factored)> {
        let mut state = self.start();
        state.extend(self.spreads.map(f64::ln));
        for _ in 0..ROUNDS {
            let (first, _) = self.round(&state)?;
            let (second, solved) = self.round(&first)?;
            let gaps = first.iter().zip(&second).map(|(first, second)| (second - first).abs());
            if gaps.fold(0.0, f64::max) < CONVERGED {
                return Ok((second, solved));
            }
            let went: Vec<f64> = first.iter().zip(&state).map(|(first, state)| first - state).collect();
            let turns = second.iter().zip(&first).zip(&went);
            let turned: Vec<f64> = turns.map(|((second, first), went)| second - first - went).collect();
            let length = (dot(&went, &went) / dot(&turned, &turned)).sqrt().clamp(1.0, LEAP);
            for ((state, went), turned) in state.iter_mut().zip(&went).zip(&turned) {
                *state += 2.0 * length * went + length * length * turned;
            }
        }
        bail!("the fit of the abilities did not converge in {ROUNDS} rounds")
    }

    /// One round: unknowns and logarithms of the spreads → better ones.
    fn round(&mut self, state: &[f64]) -> Result<(Vec<f64>, Factored)> {
        let (unknowns, spreads) = state.split_at(self.layout.size());
        self.spreads = std::array::from_fn(|at| spreads[at].exp());
        let mut normal = self.normal(unknowns);
        let given = self.given(unknowns)?;
        self.slopes(unknowns, &given, &mut normal);
        let spreads = self.expected_spreads(unknowns, &given);
        let solved = normal.factor()?;
        let mut next = solved.solution();
        next.extend(spreads.map(f64::ln));
        Ok((next, solved))
    }

    fn start(&self) -> Vec<f64> {
        let layout = &self.layout;
        let mut unknowns = vec![0.0; layout.size()];
        unknowns[..layout.models].fill(MEAN.0);
        for (at, source) in self.all.sources.iter().enumerate() {
            let slope = common(source.kind).0;
            unknowns[layout.slope(at)] = slope.ln();
            let rows = self.all.general.iter().filter(|row| row.source == at);
            let (sum, count) = rows.fold((0.0, 0.0), |(sum, count), row| (sum + row.value, count + 1.0));
            unknowns[layout.offset(at)] = sum / f64::max(count, 1.0) - MEAN.0 * slope;
        }
        unknowns
    }

    /// The sum that is a node's ability.
    fn ability(&self, node: usize) -> [(usize, f64); 3] {
        let (model, effort) = self.all.nodes[node];
        [(model, 1.0), (self.layout.steps[effort as usize], 1.0), (self.layout.node(node), 1.0)]
    }

    /// The sum that is a row's score at ability 0.
    fn zero(&self, row: &Measurement) -> Vec<(usize, f64)> {
        let (model, _) = self.all.nodes[row.node];
        let votes = (self.layout.votes(self.publisher(model)), 1.0);
        let offset = [(self.layout.offset(row.source), 1.0)];
        let elo = self.all.sources[row.source].kind == Kind::Elo;
        offset.into_iter().chain(elo.then_some(votes)).collect()
    }

    /// A row's distance from its line.
    fn error(&self, row: &Measurement, unknowns: &[f64]) -> f64 {
        let slope = unknowns[self.layout.slope(row.source)].exp();
        row.value - value(&self.zero(row), unknowns) - slope * value(&self.ability(row.node), unknowns)
    }

    /// One linearised problem.
    fn normal(&self, unknowns: &[f64]) -> Normal {
        let mut normal = Normal::new(self.layout.size());
        self.priors(&mut normal);
        for (row, weight) in self.all.general.iter().zip(self.weights(unknowns)) {
            let at = self.layout.slope(row.source);
            let slope = unknowns[at].exp();
            let part = slope * value(&self.ability(row.node), unknowns);
            let mut terms = self.zero(row);
            terms.push((at, part));
            terms.extend(self.ability(row.node).map(|(at, one)| (at, one * slope)));
            normal.add(&terms, row.value + part * unknowns[at], weight);
        }
        for anchor in self.anchors {
            let terms = self.ability(anchor.node);
            let error = anchor.ability - value(&terms, unknowns);
            normal.add(&terms, anchor.ability, trust(error, anchor.error.powi(2)));
        }
        normal
    }

    /// The problem at given slopes.
    fn given(&self, unknowns: &[f64]) -> Result<Factored> {
        let mut given = self.normal(unknowns);
        let slopes = (0..self.layout.sources).map(|at| self.layout.slope(at));
        slopes.for_each(|slope| given.add(&[(slope, 1.0)], unknowns[slope], FIXED));
        given.factor()
    }

    /// Adds to the slopes' rows that abilities and offsets are not known exactly: with y − o − sθ squared comes
    /// s² var(θ) + 2 s cov(o, θ), both at given slopes; here its step in log s, as Gauss and Newton would take it.
    fn slopes(&self, unknowns: &[f64], given: &Factored, normal: &mut Normal) {
        for (row, weight) in self.all.general.iter().zip(self.weights(unknowns)) {
            let ability = given.image(&self.ability(row.node));
            let offset = given.image(&self.zero(row));
            let (variance, covariance) = (dot(&ability, &ability), dot(&ability, &offset));
            let at = self.layout.slope(row.source);
            let slope = unknowns[at].exp();
            let step = -1.0 - covariance / (slope * variance);
            normal.add(&[(at, 1.0)], unknowns[at] + step, weight * slope * slope * variance);
        }
    }

    /// Spreads that are expected.
    fn expected_spreads(&self, unknowns: &[f64], given: &Factored) -> [f64; SPREADS.len()] {
        let layout = &self.layout;
        let square = |terms: &[(usize, f64)]| value(terms, unknowns).powi(2) + given.variance(terms);
        let model = |at: usize| square(&[(at, 1.0), (layout.publisher(self.publisher(at)), -1.0)]);
        let node = |at: usize| square(&[(layout.node(at), 1.0)]);
        let step = |at: &usize| square(&[(layout.steps[*at], 1.0), (layout.steps[*at - 1], -1.0)]);
        let steps: Vec<usize> = (1..EFFORTS).filter(|at| layout.steps[*at] != layout.steps[*at - 1]).collect();
        let sums = [
            ((0..layout.models).map(model).sum::<f64>(), layout.models),
            ((0..layout.nodes).map(node).sum(), layout.nodes),
            (steps.iter().map(step).sum(), steps.len()),
        ];
        std::array::from_fn(|at| {
            let ((sum, count), (prior, deviation)) = (sums[at], SPREADS[at]);
            ((sum + prior * deviation * deviation) / (count as f64 + prior)).sqrt()
        })
    }

    /// Place of a model's publisher.
    fn publisher(&self, model: usize) -> usize {
        let publisher = &self.all.models[model].publisher;
        self.layout.publishers.iter().position(|known| known == publisher).unwrap_or_default()
    }

    /// Weights of the rows, outliers lowered.
    fn weights(&self, unknowns: &[f64]) -> Vec<f64> {
        let weight = |row: &Measurement| {
            let noise = self.all.sources[row.source].kind.noise().powi(2) + row.variance;
            row.weight * trust(self.error(row, unknowns), noise)
        };
        self.all.general.iter().map(weight).collect()
    }

    fn priors(&self, normal: &mut Normal) {
        let layout = &self.layout;
        let mut prior = |terms: &[(usize, f64)], (mean, deviation): Prior| normal.add(terms, mean, deviation.powi(-2));
        prior(&[(layout.mean(), 1.0)], MEAN);
        let publishers = (0..layout.publishers.len()).map(|at| layout.publisher(at));
        let [base, own, step] = self.spreads;
        publishers.for_each(|publisher| prior(&[(publisher, 1.0), (layout.mean(), -1.0)], (0.0, PUBLISHERS * base)));
        for model in 0..layout.models {
            prior(&[(model, 1.0), (layout.publisher(self.publisher(model)), -1.0)], (0.0, base));
        }
        for effort in 0..EFFORTS {
            // Unknowns that no effort uses any more need some value.
            prior(&[(layout.models + effort, 1.0)], (0.0, 10.0));
        }
        for effort in 1..EFFORTS {
            prior(&[(layout.steps[effort], 1.0), (layout.steps[effort - 1], -1.0)], (0.0, step));
        }
        prior(&[(layout.steps[MEDIUM], 1.0)], (0.0, 1e-3));
        (0..layout.publishers.len()).for_each(|at| prior(&[(layout.votes(at), 1.0)], (0.0, VOTES)));
        (0..layout.nodes).for_each(|node| prior(&[(layout.node(node), 1.0)], (0.0, own)));
        for kind in [Kind::Broad, Kind::Elo] {
            let (slope, deviation) = common(kind);
            prior(&[(layout.common(kind), 1.0)], (slope.ln(), deviation));
        }
        for (at, source) in self.all.sources.iter().enumerate() {
            prior(&[(layout.offset(at), 1.0)], (0.0, OFFSET));
            let own = SLOPES[source.kind as usize];
            prior(&[(layout.slope(at), 1.0), (layout.common(source.kind), -1.0)], (0.0, own));
        }
    }

    fn general(&self, unknowns: &[f64], solved: &Factored) -> General {
        let (middle, scale) = self.scale(unknowns);
        let nodes = || (0..self.layout.nodes).map(|node| self.ability(node));
        let error =
            |terms: [(usize, f64); 3]| solved.variance(&terms).sqrt().hypot(scale * (value(&terms, unknowns) - middle));
        let lines = (0..self.all.sources.len()).filter_map(|at| self.line(at, unknowns, solved, scale));
        let anchored = self.anchors.iter().map(|anchor| (anchor.clone(), value(&self.ability(anchor.node), unknowns)));
        General {
            ability: nodes().map(|terms| value(&terms, unknowns)).collect(),
            error: nodes().map(error).collect(),
            steps: self.layout.steps.map(|step| unknowns[step]),
            lines: lines.collect(),
            common: [Kind::Broad, Kind::Elo].map(|kind| unknowns[self.layout.common(kind)].exp()),
            spreads: self.spreads,
            scale_error: scale,
            anchored: anchored.collect(),
        }
    }

    /// Middle of the anchors' abilities and standard error of the scale around it. The curvature does not know it, for
    /// it takes the spreads as given, which are on that scale themselves.
    fn scale(&self, unknowns: &[f64]) -> (f64, f64) {
        let ability = |anchor: &Anchor| value(&self.ability(anchor.node), unknowns);
        let sum =
            |part: &dyn Fn(&Anchor) -> f64| self.anchors.iter().map(|at| part(at) / at.error.powi(2)).sum::<f64>();
        let middle = sum(&ability) / sum(&|_| 1.0);
        let known = sum(&|anchor| (ability(anchor) - middle).powi(2));
        (middle, (known + PERCENT_SLOPE.1.powi(-2)).sqrt().recip())
    }

    fn line(&self, source: usize, unknowns: &[f64], solved: &Factored, scale: f64) -> Option<Line> {
        let (offset, slope) = (unknowns[self.layout.offset(source)], unknowns[self.layout.slope(source)].exp());
        let rows = self.all.general.iter().filter(|row| row.source == source);
        let (mut squares, mut weights, mut count) = (0.0, 0.0, 0);
        for row in rows {
            let error = self.error(row, unknowns);
            (squares, weights, count) = (squares + row.weight * error * error, weights + row.weight, count + 1);
        }
        let error = slope * solved.variance(&[(self.layout.slope(source), 1.0)]).sqrt().hypot(scale);
        (count > 0).then(|| Line { source, offset, slope, error, rows: count, residual: (squares / weights).sqrt() })
    }
}

/// The common slope's prior.
fn common(kind: Kind) -> Prior {
    if kind == Kind::Elo { ELO_SLOPE } else { PERCENT_SLOPE }
}

fn value(terms: &[(usize, f64)], unknowns: &[f64]) -> f64 {
    terms.iter().map(|(at, factor)| factor * unknowns[*at]).sum()
}

/// Inverse variance of a row with this error.
fn trust(error: f64, variance: f64) -> f64 {
    (FREEDOM + 1.0) / (FREEDOM + error * error / variance) / variance
}
