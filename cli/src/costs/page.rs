//! The report as one page that needs nothing else.
//!
//! Owns what the template sees; `page.html` owns the look. Every figure gets there as people read it.

use super::report::{Report, Table};
use super::text::{HEAD, decimals, figures, names_of, notes};
use super::{bars, days};
use crate::page::format::{count, maybe, percent};
use crate::page::{Chart, chart, environment, theme};
use minijinja::{context, value::Serde};
use serde::Serialize;

/// A table and its chart.
#[derive(Serialize)]
struct Section {
    title: String,
    head: Vec<&'static str>,
    names: usize,
    rows: Vec<Vec<String>>,
    chart: Chart,
    /// Some group cost more than its baseline would have.
    dearer: bool,
}

/// The page.
///
/// # Errors
/// Where the template is broken, which the tests rule out.
pub fn render(report: &Report) -> anyhow::Result<String> {
    let mut environment = environment()?;
    environment.add_template("page.html", include_str!("page.html"))?;
    let decimals = decimals(report);
    let sections: Vec<Section> =
        report.tables.iter().map(|table| section(table, decimals)).collect::<anyhow::Result<_>>()?;
    let total = &report.total;
    let seen = context! {
        cost => total.cost.show(decimals),
        baseline => total.baseline.show(decimals),
        compared => total.compared > 0,
        compared_cost => (total.baseline - total.savings).show(decimals),
        savings => total.savings.show(decimals),
        saved => maybe(total.saved(), percent),
        requests => count(total.requests),
        without => count(total.without_cost()),
        notes => notes(report),
        sections => Serde(sections),
        light => bars::LIGHT,
        accent => theme::Css::from(theme::ACCENT).light,
        colors => Serde(theme::all()),
    };
    Ok(environment.get_template("page.html")?.render(seen)?)
}

fn section(table: &Table, decimals: u32) -> anyhow::Result<Section> {
    let row = |row| [names_of(row), figures(&row.sums, decimals).to_vec()].concat();
    Ok(Section {
        title: table.by.title(),
        head: table.by.0.iter().map(|dimension| dimension.name()).chain(HEAD).collect(),
        names: table.by.0.len(),
        rows: table.rows.iter().map(row).collect(),
        chart: match table.by.is_days() {
            true => chart(|width| days::draw(table, width))?,
            false => chart(|width| bars::draw(table, decimals, width))?,
        },
        dearer: table.rows.iter().any(|row| row.sums.savings.0 < 0),
    })
}
