//! The unknowns of the fit in one vector.
//!
//! Owns their order: base of each model, step of each effort, own part of each node, offset and slope of each source,
//! mean of each publisher and of all, common slopes, votes for each publisher. Computes nothing with them.

use super::benchmarks::Kind;
use super::rows::Measurements;

/// How many efforts there are.
pub const EFFORTS: usize = 7;
/// The effort whose step is 0.
pub const MEDIUM: usize = 3;

/// Where the unknowns are.
pub struct Layout {
    /// How many models; their bases come first.
    pub models: usize,
    /// How many nodes.
    pub nodes: usize,
    /// How many sources.
    pub sources: usize,
    /// Publishers by name.
    pub publishers: Vec<String>,
    /// Unknown of each effort's step; efforts of one group share one.
    pub steps: [usize; EFFORTS],
}

impl Layout {
    /// The unknowns of these measurements, where efforts fall into `groups`.
    pub fn of(all: &Measurements, groups: &[usize; EFFORTS]) -> Layout {
        let mut publishers: Vec<String> = all.models.iter().map(|model| model.publisher.clone()).collect();
        publishers.sort();
        publishers.dedup();
        let models = all.models.len();
        let steps = groups.map(|group| models + group);
        Layout { models, nodes: all.nodes.len(), sources: all.sources.len(), publishers, steps }
    }

    /// A node's own part.
    pub fn node(&self, at: usize) -> usize {
        self.models + EFFORTS + at
    }

    /// Offset of a source.
    pub fn offset(&self, at: usize) -> usize {
        self.node(self.nodes) + at
    }

    /// Logarithm of a source's slope: a prior on slopes themselves would draw all to be alike and small.
    pub fn slope(&self, at: usize) -> usize {
        self.offset(self.sources) + at
    }

    /// Mean of a publisher's models.
    pub fn publisher(&self, at: usize) -> usize {
        self.slope(self.sources) + at
    }

    /// Mean of all publishers.
    pub fn mean(&self) -> usize {
        self.publisher(self.publishers.len())
    }

    /// Logarithm of the common slope of scores in per cent, or of ratings.
    pub fn common(&self, kind: Kind) -> usize {
        self.mean() + if kind == Kind::Elo { 2 } else { 1 }
    }

    /// What votes give a publisher beside its models' abilities.
    pub fn votes(&self, publisher: usize) -> usize {
        self.mean() + 3 + publisher
    }

    /// How many unknowns there are.
    pub fn size(&self) -> usize {
        self.votes(self.publishers.len())
    }
}
