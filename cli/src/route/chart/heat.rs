//! Where the prompts of each task go: a panel for each mode, models down, tasks across.

use crate::page::canvas::{Area, Point, dot, fill, fitted, look, svg, text_width, write};
use crate::page::format::task;
use crate::page::is_narrow;
use crate::page::theme::{ACCENT, GRID, INK, MUTED, ON_COLOR, Paint};
use crate::route::report::{CaseReport, Report, TaskRow};

const TEXT: i32 = 12;
const CELL: i32 = 28;
/// Panels beside each other on wide screens, at most.
const COLUMNS: usize = 3;
const GAP: i32 = 22;
/// Height of a panel's name.
const TITLE: i32 = 26;
/// Width of a column, at most.
const WIDEST: i32 = 72;
/// From this share on, letters need the other colour.
const STRONG: f64 = 0.65;

/// Where things stand.
struct Layout {
    /// Width of the models' names, left of the panels.
    names: i32,
    /// Height of the tasks' names, above the cells.
    tasks: i32,
    /// Panels in a row.
    columns: usize,
    /// Size of a panel with its titles.
    panel: (i32, i32),
}

impl Layout {
    fn new(cases: &[&CaseReport], models: &[&str], width: i32) -> Layout {
        let narrow = is_narrow(width);
        let names = models.iter().map(|model| text_width(model, TEXT) + 24);
        let names = names.max().unwrap_or_default().min(if narrow { 150 } else { 240 });
        let tasks = cases.iter().flat_map(|case| &case.tasks).map(|row| text_width(&task_name(row), TEXT));
        let tasks = tasks.max().unwrap_or_default() + 8;
        // Four panels look better in two rows of two than in three and one.
        let columns = if narrow { 1 } else { cases.len().div_ceil(cases.len().div_ceil(COLUMNS).max(1)).max(1) };
        let across = (width - names - GAP * (columns as i32 - 1)) / columns as i32;
        let down = TITLE + tasks + CELL * models.len() as i32;
        Layout { names, tasks, columns, panel: (across, down) }
    }

    /// The left upper corner of a panel.
    fn corner(&self, index: usize) -> Point {
        let (column, row) = ((index % self.columns) as i32, (index / self.columns) as i32);
        (self.names + column * (self.panel.0 + GAP), row * (self.panel.1 + GAP))
    }
}

/// The chart for the cases of one subset.
pub fn draw(report: &Report, subset: usize, width: i32) -> anyhow::Result<String> {
    let cases: Vec<&CaseReport> = report.cases.iter().filter(|case| case.subset == subset).collect();
    let models = models(&cases);
    let layout = Layout::new(&cases, &models, width);
    let rows = cases.len().div_ceil(layout.columns) as i32;
    svg((width, rows * (layout.panel.1 + GAP) - GAP + 2), |area| {
        for (index, case) in cases.iter().enumerate() {
            let corner = layout.corner(index);
            if index % layout.columns == 0 {
                names(area, report, &models, &layout, corner.1)?;
            }
            panel(area, case, &models, &layout, corner)?;
        }
        Ok(())
    })
}

/// The models that get a prompt in some case, in the report's order.
fn models<'a>(cases: &[&'a CaseReport]) -> Vec<&'a str> {
    let rows = cases.first().map(|case| case.models.as_slice()).unwrap_or_default();
    let is_chosen = |name: &str| {
        let mut all = cases.iter().flat_map(|case| &case.models);
        all.any(|row| row.model == name && row.prompts > 0)
    };
    rows.iter().map(|row| row.model.as_str()).filter(|name| is_chosen(name)).collect()
}

fn task_name(row: &TaskRow) -> String {
    format!("{} ({})", task(row.task), row.prompts)
}

/// The models, each with its colour.
fn names(area: &Area<'_>, report: &Report, models: &[&str], layout: &Layout, top: i32) -> anyhow::Result<()> {
    for (index, model) in models.iter().enumerate() {
        let y = top + TITLE + layout.tasks + CELL * index as i32 + CELL / 2;
        let place = report.always.iter().position(|always| always.model == *model).unwrap_or_default();
        dot(area, (5, y), 5, Paint::of_model(place))?;
        write(area, &fitted(model, TEXT, layout.names - 24), (16, y), look(TEXT, INK))?;
    }
    Ok(())
}

fn panel(
    area: &Area<'_>,
    case: &CaseReport,
    models: &[&str],
    layout: &Layout,
    (left, top): Point,
) -> anyhow::Result<()> {
    write(area, &case.mode, (left, top + 10), look(14, INK).bold())?;
    // One mode's columns are as wide as the next one's, whatever tasks occur.
    let columns = case.tasks.len().max(1) as i32;
    for (index, row) in case.tasks.iter().enumerate() {
        let (from, to) = (edge(layout, index as i32, columns), edge(layout, index as i32 + 1, columns));
        let bottom = top + TITLE + layout.tasks;
        let middle = left + (from + to) / 2;
        write(area, &task_name(row), (middle, bottom - 6), look(TEXT, MUTED).upright())?;
        let shares = row.models.iter().filter(|share| models.contains(&share.model.as_str()));
        for (place, model) in shares.enumerate() {
            let y = bottom + CELL * place as i32;
            cell(area, (left + from, y), (left + to - 2, y + CELL - 2), model.share)?;
        }
    }
    Ok(())
}

/// Where a column of a panel starts.
fn edge(layout: &Layout, index: i32, columns: i32) -> i32 {
    index * layout.panel.0.min(columns * WIDEST) / columns
}

/// A share in per cent, on a colour as strong as the share.
fn cell(area: &Area<'_>, from: Point, to: Point, share: f64) -> anyhow::Result<()> {
    fill(area, from, to, GRID, 0.5)?;
    if share <= 0.0 {
        return Ok(());
    }
    fill(area, from, to, ACCENT, share)?;
    let paint = if share < STRONG { INK } else { ON_COLOR };
    let text = match (100.0 * share).round() as i32 {
        0 => "<1".to_owned(),
        percent => percent.to_string(),
    };
    let middle = ((from.0 + to.0) / 2, (from.1 + to.1) / 2);
    write(area, &text, middle, look(11, paint).centred())
}
