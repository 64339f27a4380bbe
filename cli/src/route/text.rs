//! The report on a terminal.

use super::report::{CaseReport, Report};
use crate::page::format::{count, maybe, percent, quality, usd};
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};

/// The report as tables.
pub fn show(report: &Report) -> String {
    let mut text = format!("{} prompts, router {} of {}\n", count(report.prompts), report.router, report.policy);
    for case in &report.cases {
        text += &format!("\n{}\n{}\n{}\n", title(report, case), models(case), summary(case));
        text += &format!("By task:\n{}\n", tasks(case));
    }
    text
}

fn title(report: &Report, case: &CaseReport) -> String {
    let mut title = format!("Mode {} (band {})", case.mode, percent(case.band));
    if let (Some(subset), true) = (report.subsets.get(case.subset), report.subsets.len() > 1) {
        title += &format!(", {}", subset.name);
        if subset.models.len() > 1 {
            title += &format!(": {}", subset.models.join(", "));
        }
    }
    title
}

/// A table whose columns but the first are numbers.
fn table(head: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(head);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn models(case: &CaseReport) -> Table {
    let mut table = table(["model", "share", "prompts", "quality", "USD per 1,000"].map(str::to_owned));
    for row in &case.models {
        table.add_row([
            row.model.clone(),
            percent(row.share),
            count(row.prompts),
            maybe(row.quality, quality),
            maybe(row.cost_per_1000, usd),
        ]);
    }
    table
}

fn summary(case: &CaseReport) -> String {
    let mut text = format!(
        "Quality {} ({} of always-best), {} per 1,000 prompts ({} of always-best), refused {}",
        maybe(case.quality, quality),
        maybe(case.relative_quality, percent),
        maybe(case.cost_per_1000, usd),
        maybe(case.relative_cost, percent),
        count(case.refused.iter().map(|refused| refused.prompts).sum::<usize>()),
    );
    for refused in &case.refused {
        text += &format!(
            "\n  refused: {} because of {} (first: line {})",
            count(refused.prompts),
            refused.reason,
            refused.first_line
        );
    }
    text
}

fn tasks(case: &CaseReport) -> Table {
    // Models without a prompt would only make the table too wide for a terminal.
    let is_chosen = |index: usize| case.models.get(index).is_some_and(|row| row.prompts > 0);
    let models = case.models.iter().filter(|row| row.prompts > 0).map(|row| row.model.clone());
    let mut table = table(["task".to_owned(), "prompts".to_owned()].into_iter().chain(models));
    for row in &case.tasks {
        let shares = row.models.iter().enumerate().filter(|(index, _)| is_chosen(*index));
        let shares = shares.map(|(_, model)| percent(model.share));
        table.add_row([row.task.to_owned(), count(row.prompts)].into_iter().chain(shares));
    }
    table
}
