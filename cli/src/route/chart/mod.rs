//! The charts of the page, as SVG.
//!
//! Owns their sizes: each chart is drawn twice, for wide and for narrow screens, so that letters are readable on both.

mod bars;
mod canvas;
mod difficulty;
mod heat;
mod labels;
mod scale;
pub mod theme;
mod tradeoff;

use super::report::Report;
use serde::Serialize;

/// Width of the drawing for wide screens, in pixels.
const WIDE: i32 = 920;
/// Width of the drawing for narrow screens.
const NARROW: i32 = 360;

/// A chart in both widths.
#[derive(Debug, Serialize)]
pub struct Chart {
    wide: String,
    narrow: String,
}

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

fn chart(draw: impl Fn(i32) -> anyhow::Result<String>) -> anyhow::Result<Chart> {
    Ok(Chart { wide: draw(WIDE)?, narrow: draw(NARROW)? })
}

/// Whether a drawing is for narrow screens.
fn is_narrow(width: i32) -> bool {
    width < WIDE / 2
}
