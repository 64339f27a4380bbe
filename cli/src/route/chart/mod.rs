//! The charts of the page, as SVG.
//!
//! Owns which ones there are.

mod bars;
mod difficulty;
mod heat;
mod labels;
mod tradeoff;

use super::report::Report;
use crate::page::{Chart, chart};
use serde::Serialize;

/// All charts of a report.
#[derive(Debug, Serialize)]
pub struct Charts {
    /// Shares of the models in each case.
    pub shares: Chart,
    /// Cost against quality.
    pub tradeoff: Chart,
    /// Task by model, one for each subset.
    pub tasks: Vec<Chart>,
    /// Prompts by difficulty.
    pub difficulty: Chart,
}

/// Draws all charts.
pub fn charts(report: &Report) -> anyhow::Result<Charts> {
    let tasks = (0..report.subsets.len()).map(|subset| chart(|width| heat::draw(report, subset, width)));
    Ok(Charts {
        shares: chart(|width| bars::draw(report, width))?,
        tradeoff: chart(|width| tradeoff::draw(report, width))?,
        tasks: tasks.collect::<anyhow::Result<_>>()?,
        difficulty: chart(|width| difficulty::draw(report, width))?,
    })
}
