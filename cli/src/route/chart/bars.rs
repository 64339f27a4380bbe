//! Shares of the models, a bar for each case.

use crate::page::canvas::{Area, Point, fill, line, look, svg, text_width, write};
use crate::page::format::whole_percent;
use crate::page::is_narrow;
use crate::page::theme::{GRID, INK, MUTED, ON_COLOR, Paint, SURFACE};
use crate::route::report::{CaseReport, Report};

const TEXT: i32 = 13;
/// Height of the numbers below the bars.
const AXIS: i32 = 26;
/// Space between two subsets.
const GAP: i32 = 14;

/// Where things stand.
struct Layout {
    /// Left and right end of the bars.
    from: i32,
    to: i32,
    /// Height of a bar, and of a row with its name where that is above the bar.
    bar: i32,
    row: i32,
    narrow: bool,
}

impl Layout {
    fn new(report: &Report, width: i32) -> Layout {
        if is_narrow(width) {
            return Layout { from: 4, to: width - 18, bar: 24, row: 56, narrow: true };
        }
        let names = report.cases.iter().map(|case| text_width(&name(report, case), TEXT)).max().unwrap_or_default();
        Layout { from: names + 14, to: width - 22, bar: 30, row: 44, narrow: false }
    }

    fn x(&self, share: f64) -> i32 {
        self.from + (share * f64::from(self.to - self.from)).round() as i32
    }
}

/// The chart.
pub fn draw(report: &Report, width: i32) -> anyhow::Result<String> {
    let layout = Layout::new(report, width);
    let gaps = report.subsets.len().saturating_sub(1) as i32;
    let bottom = layout.row * report.cases.len() as i32 + GAP * gaps;
    svg((width, bottom + AXIS), |area| {
        axis(area, &layout, bottom)?;
        for (index, case) in report.cases.iter().enumerate() {
            let top = layout.row * index as i32 + GAP * case.subset as i32;
            row(area, report, case, &layout, top)?;
        }
        Ok(())
    })
}

/// What stands beside a bar.
fn name(report: &Report, case: &CaseReport) -> String {
    match report.subsets.get(case.subset) {
        Some(subset) if report.subsets.len() > 1 => format!("{} · {}", case.mode, subset.name),
        _ => case.mode.clone(),
    }
}

fn axis(area: &Area<'_>, layout: &Layout, bottom: i32) -> anyhow::Result<()> {
    for quarter in 0..=4 {
        let x = layout.x(f64::from(quarter) / 4.0);
        line(area, &[(x, 0), (x, bottom + 4)], GRID, 1)?;
        let text = format!("{} %", 25 * quarter);
        let look = look(12, MUTED);
        match quarter {
            0 => write(area, &text, (x, bottom + 16), look)?,
            _ => write(area, &text, (x, bottom + 16), look.centred())?,
        }
    }
    Ok(())
}

fn row(area: &Area<'_>, report: &Report, case: &CaseReport, layout: &Layout, top: i32) -> anyhow::Result<()> {
    let bar = match layout.narrow {
        true => top + layout.row - layout.bar - 4,
        false => top + (layout.row - layout.bar) / 2,
    };
    let name = name(report, case);
    match layout.narrow {
        true => {
            // The grid must not run through the letters.
            fill(area, (layout.from, top + 4), (layout.from + text_width(&name, TEXT), bar - 4), SURFACE, 1.0)?;
            write(area, &name, (layout.from, bar - 13), look(TEXT, INK))?;
        }
        false => write(area, &name, (layout.from - 12, top + layout.row / 2), look(TEXT, INK).ending())?,
    }
    if case.decided == 0 {
        let at = (layout.from + 8, bar + layout.bar / 2);
        return write(area, "every prompt is refused", at, look(TEXT, MUTED));
    }
    let mut before = 0.0;
    for model in case.models.iter().filter(|model| model.prompts > 0) {
        let (from, to) = (layout.x(before), layout.x(before + model.share));
        let place = report.always.iter().position(|always| always.model == model.model).unwrap_or_default();
        segment(area, (from, bar), (to, bar + layout.bar), Paint::of_model(place), model.share)?;
        before += model.share;
    }
    Ok(())
}

/// A part of a bar, with its share where that fits.
fn segment(area: &Area<'_>, from: Point, to: Point, paint: Paint, share: f64) -> anyhow::Result<()> {
    fill(area, from, to, paint, 1.0)?;
    if to.0 - from.0 > 3 {
        line(area, &[(to.0, from.1), to], SURFACE, 1)?;
    }
    let text = whole_percent(share);
    if text_width(&text, 12) + 6 > to.0 - from.0 {
        return Ok(());
    }
    let middle = ((from.0 + to.0) / 2, (from.1 + to.1) / 2);
    write(area, &text, middle, look(12, ON_COLOR).centred())
}
