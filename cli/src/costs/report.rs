//! What is shown: the groups of a log, as tables.
//!
//! Owns what a table is by, and the order of its rows. Never formats.

use super::sums::{Sums, Tally};
use std::cmp::Reverse;
use std::collections::HashMap;

/// What requests are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The router; `direct` for models asked for by name.
    Router,
    /// The model that answered, or failed last.
    Model,
    /// On whose behalf it came.
    Consumer,
    /// When it began, in UTC.
    Day,
}

impl Dimension {
    const ALL: [Dimension; 4] = [Dimension::Router, Dimension::Model, Dimension::Consumer, Dimension::Day];

    /// Its name in arguments and tables.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::Router => "router",
            Dimension::Model => "model",
            Dimension::Consumer => "consumer",
            Dimension::Day => "day",
        }
    }
}

/// What a table is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By(pub Vec<Dimension>);

impl By {
    /// Reads `router` or `router,day`.
    pub fn parse(text: &str) -> Result<By, String> {
        let mut by = Vec::new();
        for name in text.split(',').map(str::trim) {
            let dimension = Dimension::ALL.into_iter().find(|dimension| dimension.name() == name);
            let dimension = dimension.ok_or("expected router, model, consumer or day, with commas between several")?;
            if by.contains(&dimension) {
                return Err(format!("{name} stands there twice"));
            }
            by.push(dimension);
        }
        Ok(By(by))
    }

    /// A table by each.
    pub fn each() -> Vec<By> {
        Dimension::ALL.into_iter().map(|dimension| By(vec![dimension])).collect()
    }

    /// `router, day`
    pub fn title(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|dimension| dimension.name()).collect();
        names.join(", ")
    }

    /// Whether its rows are days in their order.
    pub fn is_days(&self) -> bool {
        self.0 == [Dimension::Day]
    }
}

/// All that some table is by.
pub fn dimensions(tables: &[By]) -> Vec<Dimension> {
    Dimension::ALL.into_iter().filter(|dimension| tables.iter().any(|by| by.0.contains(dimension))).collect()
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its names, in the order of the table's dimensions; empty for requests that have none.
    pub names: Vec<String>,
    /// Its sums.
    pub sums: Sums,
}

/// A table.
pub struct Table {
    /// What it is by.
    pub by: By,
    /// Its groups: by day where that comes first, the most expensive first.
    pub rows: Vec<Row>,
}

/// All that is known of a log.
pub struct Report {
    /// The tables, in the order of the arguments.
    pub tables: Vec<Table>,
    /// Everything by all that some table is by.
    pub finest: Table,
    /// Of all requests.
    pub total: Sums,
    /// Lines that are no entries.
    pub skipped: u64,
    /// Entries that are no requests to a model.
    pub aside: u64,
}

impl Report {
    /// Makes tables of the groups.
    pub fn new(tables: &[By], tally: Tally, skipped: u64) -> Report {
        let mut total = Sums::default();
        tally.groups.values().for_each(|sums| total += sums);
        let finest = table(&By(tally.dimensions.clone()), &tally);
        let tables = tables.iter().map(|by| table(by, &tally)).collect();
        Report { tables, finest, total, skipped, aside: tally.aside }
    }
}

fn table(by: &By, tally: &Tally) -> Table {
    let place = |dimension: &Dimension| tally.dimensions.iter().position(|known| known == dimension);
    let places: Vec<usize> = by.0.iter().filter_map(place).collect();
    let mut groups: HashMap<Vec<&str>, Sums> = HashMap::new();
    for (key, sums) in &tally.groups {
        let names = places.iter().filter_map(|place| key.get(*place)).map(String::as_str).collect();
        *groups.entry(names).or_default() += sums;
    }
    let row = |(names, sums): (Vec<&str>, Sums)| Row { names: names.into_iter().map(str::to_owned).collect(), sums };
    let mut rows: Vec<Row> = groups.into_iter().map(row).collect();
    let by_day = by.0.first() == Some(&Dimension::Day);
    let day = |row: &Row| if by_day { row.names.first().cloned() } else { None };
    rows.sort_by_cached_key(|row| (day(row), Reverse(row.sums.cost), row.names.clone()));
    Table { by: by.clone(), rows }
}
