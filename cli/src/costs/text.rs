//! The report on a terminal, and the sentences that the page has too.

use super::report::{Report, Row, Table};
use super::sums::Sums;
use crate::page::format::{NONE, count, maybe, percent};
use comfy_table::{CellAlignment, Table as Grid, presets::UTF8_BORDERS_ONLY};

/// Columns of figures.
pub const HEAD: [&str; 8] =
    ["requests", "without cost", "input tokens", "output tokens", "cost", "baseline", "savings", "saved"];

/// The report as tables.
pub fn show(report: &Report) -> String {
    let decimals = decimals(report);
    let mut text = String::new();
    for table in &report.tables {
        text += &format!("By {}\n{}\n\n", table.by.title(), grid(table, &report.total, decimals));
    }
    notes(report).iter().for_each(|note| text += &format!("{note}\n"));
    text
}

fn grid(table: &Table, total: &Sums, decimals: u32) -> Grid {
    let mut grid = Grid::new();
    let names = table.by.0.iter().map(|dimension| dimension.name());
    grid.load_preset(UTF8_BORDERS_ONLY).set_header(names.chain(HEAD));
    for column in grid.column_iter_mut().skip(table.by.0.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in &table.rows {
        grid.add_row(names_of(row).into_iter().chain(figures(&row.sums, decimals)));
    }
    if table.rows.len() != 1 {
        let blank = table.by.0.iter().skip(1).map(|_| String::new());
        grid.add_row(["total".to_owned()].into_iter().chain(blank).chain(figures(total, decimals)));
    }
    grid
}

/// A row's names as people read them.
pub fn names_of(row: &Row) -> Vec<String> {
    row.names.iter().map(|name| if name.is_empty() { "(none)".to_owned() } else { name.clone() }).collect()
}

/// The decimals of all amounts of a report.
pub fn decimals(report: &Report) -> u32 {
    report.total.cost.max(report.total.baseline).decimals()
}

/// What stands below [`HEAD`].
pub fn figures(sums: &Sums, decimals: u32) -> [String; 8] {
    let compared = |text: String| if sums.compared > 0 { text } else { NONE.to_owned() };
    [
        count(sums.requests),
        count(sums.without_cost()),
        count(sums.input),
        count(sums.output),
        sums.cost.show(decimals),
        compared(sums.baseline.show(decimals)),
        compared(sums.savings.show(decimals)),
        maybe(sums.saved(), percent),
    ]
}

/// What is not in the money, and why; one sentence each.
pub fn notes(report: &Report) -> Vec<String> {
    let Sums { requests, priced, compared, failed, no_usage, no_price, kept, .. } = report.total;
    let why = [
        (failed, "failed or were left by their clients"),
        (no_usage, "were answered without usage (which their provider left out, or background responses)"),
        (no_price, "were answered by models without a price"),
        (kept, "were for what a provider keeps"),
    ];
    let why: Vec<String> = some(why).map(|(requests, why)| format!("{} {why}", count(requests))).collect();
    let mut notes = vec![format!("{} of {} requests have a known cost.", count(priced), count(requests))];
    if !why.is_empty() {
        notes.push(format!("Not in the money: {}.", why.join("; ")));
    }
    if compared < priced {
        notes.push(format!(
            "{} of those with a cost, {} in all, have no baseline and count for no savings.",
            count(priced - compared),
            report.total.not_compared().show(decimals(report)),
        ));
    }
    let other = [
        (report.aside, "entries are no requests to a model: answered or refused by the filter, or passed by"),
        (report.skipped, "lines are no entries and were skipped"),
    ];
    notes.extend(some(other).map(|(lines, what)| format!("{} {what}.", count(lines))));
    notes
}

fn some<const N: usize>(counts: [(u64, &str); N]) -> impl Iterator<Item = (u64, &str)> {
    counts.into_iter().filter(|(count, _)| *count > 0)
}
