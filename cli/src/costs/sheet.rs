//! The groups as CSV, for a spreadsheet.
//!
//! Owns its columns. Amounts are exact.

use super::report::Report;
use super::sums::Sums;
use std::path::Path;

/// A column: its name, and what stands in it.
type Column = (&'static str, fn(&Sums) -> String);

const COLUMNS: [Column; 15] = [
    ("requests", |sums| sums.requests.to_string()),
    ("priced", |sums| sums.priced.to_string()),
    ("compared", |sums| sums.compared.to_string()),
    ("failed", |sums| sums.failed.to_string()),
    ("no_usage", |sums| sums.no_usage.to_string()),
    ("no_price", |sums| sums.no_price.to_string()),
    ("kept", |sums| sums.kept.to_string()),
    ("input_tokens", |sums| sums.input.to_string()),
    ("cached_input_tokens", |sums| sums.cached.to_string()),
    ("cache_write_tokens", |sums| sums.cache_write.to_string()),
    ("output_tokens", |sums| sums.output.to_string()),
    ("reasoning_tokens", |sums| sums.reasoning.to_string()),
    ("cost_usd", |sums| sums.cost.exact()),
    ("baseline_usd", |sums| sums.baseline.exact()),
    ("savings_usd", |sums| sums.savings.exact()),
];

/// Writes a row for each combination of names.
pub fn write(report: &Report, path: &Path) -> Result<(), csv::Error> {
    let mut file = csv::Writer::from_path(path)?;
    let names = report.finest.by.0.iter().map(|dimension| dimension.name());
    file.write_record(names.chain(COLUMNS.map(|(name, _)| name)))?;
    for row in &report.finest.rows {
        let figures = COLUMNS.iter().map(|(_, figure)| figure(&row.sums));
        file.write_record(row.names.iter().cloned().chain(figures))?;
    }
    Ok(file.flush()?)
}
