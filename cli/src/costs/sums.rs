//! Sums over the entries of a log.
//!
//! Owns the groups. Every sum is of whole numbers, so none depends on the order of the lines, and nothing is lost.

use super::entry::{self, Names};
use super::money::Amount;
use super::report::Dimension;
use std::collections::HashMap;
use std::ops::AddAssign;

/// What is known of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Requests.
    pub requests: u64,
    /// Those that were answered and whose cost is known.
    pub priced: u64,
    /// Those of them whose router has a baseline.
    pub compared: u64,
    /// Requests that failed, or whose client left.
    pub failed: u64,
    /// Answers without usage.
    pub no_usage: u64,
    /// Answers of models without a price.
    pub no_price: u64,
    /// Requests for what a provider keeps.
    pub kept: u64,
    /// All input tokens.
    pub input: u64,
    /// Input tokens from a cache.
    pub cached: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// All output tokens.
    pub output: u64,
    /// Those of them spent on reasoning.
    pub reasoning: u64,
    /// What [`Sums::priced`] cost.
    pub cost: Amount,
    /// What the baseline would have cost in [`Sums::compared`].
    pub baseline: Amount,
    /// That less what they did cost.
    pub savings: Amount,
}

impl Sums {
    /// Requests whose cost is not known.
    pub fn without_cost(&self) -> u64 {
        self.requests - self.priced
    }

    /// Savings as a share of what the baseline would have cost.
    pub fn saved(&self) -> Option<f64> {
        (self.baseline > Amount::default()).then(|| self.savings.usd() / self.baseline.usd())
    }

    /// What was spent where there is nothing to compare with.
    pub fn not_compared(&self) -> Amount {
        self.cost + self.savings - self.baseline
    }
}

impl AddAssign<&Sums> for Sums {
    fn add_assign(&mut self, other: &Sums) {
        self.requests += other.requests;
        self.priced += other.priced;
        self.compared += other.compared;
        self.failed += other.failed;
        self.no_usage += other.no_usage;
        self.no_price += other.no_price;
        self.kept += other.kept;
        self.input += other.input;
        self.cached += other.cached;
        self.cache_write += other.cache_write;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.cost = self.cost + other.cost;
        self.baseline = self.baseline + other.baseline;
        self.savings = self.savings + other.savings;
    }
}

/// A group's names, in the order of [`Tally::dimensions`].
pub type Key = Vec<String>;

/// The groups of a log.
pub struct Tally {
    /// What the groups are by.
    pub dimensions: Vec<Dimension>,
    /// Sums of each group.
    pub groups: HashMap<Key, Sums>,
    /// Lines that have been taken, those included that are no entries.
    pub lines: u64,
    /// Entries that are no requests to a model.
    pub aside: u64,
    key: Key,
}

impl Tally {
    /// Without a line.
    pub fn new(dimensions: Vec<Dimension>) -> Tally {
        Tally { dimensions, groups: HashMap::new(), lines: 0, aside: 0, key: Key::new() }
    }

    /// Adds a line; `None` is one that is too long to be read.
    ///
    /// # Errors
    /// The rule that the line breaks; then nothing of it is counted.
    pub fn take(&mut self, line: Option<&[u8]>) -> Result<(), String> {
        let line = line.map(<[u8]>::trim_ascii);
        if line.is_some_and(<[u8]>::is_empty) {
            return Ok(());
        }
        self.lines += 1;
        match entry::read(line.ok_or("is too long")?)? {
            None => self.aside += 1,
            Some((names, sums)) => self.add(names, &sums),
        }
        Ok(())
    }

    fn add(&mut self, mut names: Names, sums: &Sums) {
        self.key.clear();
        self.key.extend(self.dimensions.iter().map(|dimension| std::mem::take(names.of(*dimension))));
        match self.groups.get_mut(&self.key) {
            Some(group) => *group += sums,
            None => _ = self.groups.insert(self.key.clone(), *sums),
        }
    }
}
