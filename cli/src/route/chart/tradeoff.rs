//! Expected cost against predicted quality: the cases, and each model for every prompt.

use super::labels::{Frame, place};
use crate::page::canvas::{Area, Point, dot, line, look, ring, svg, text_width, write};
use crate::page::is_narrow;
use crate::page::scale::Axis;
use crate::page::theme::{GRID, INK, MUTED, Paint, SURFACE};
use crate::route::report::{Always, CaseReport, Report};
use plotters::prelude::*;

const TEXT: i32 = 12;

/// A point of the chart.
struct Mark {
    name: String,
    cost: f64,
    quality: f64,
    paint: Paint,
    /// The subset of a case; `None`: one model for every prompt.
    case: Option<usize>,
}

/// The chart.
pub fn draw(report: &Report, width: i32) -> anyhow::Result<String> {
    let marks = marks(report);
    // Few points stand far enough apart on any height; many need more.
    let height = match is_narrow(width) {
        true => 280 + 14 * marks.len() as i32,
        false => 400 + 6 * marks.len() as i32,
    };
    if marks.is_empty() {
        return svg((width, 40), |area| write(area, "every prompt is refused", (6, 20), look(TEXT, MUTED)));
    }
    svg((width, height), |area| {
        let (cost, quality) = axes(&marks, is_narrow(width));
        let below = match cost.is_logarithmic() {
            true => "expected cost of 1,000 prompts, logarithmic",
            false => "expected cost of 1,000 prompts",
        };
        write(area, "predicted quality", (6, 9), look(TEXT, MUTED))?;
        write(area, below, (width - 12, height - 9), look(TEXT, MUTED).ending())?;
        let points = points(area, &marks, cost, quality)?;
        let paths = paths(report, &marks, &points);
        for path in &paths {
            line(area, path, MUTED, 1)?;
        }
        dots(area, &marks, &points)?;
        let mut taken: Vec<Frame> = points.iter().map(|point| Frame::around(*point, 9)).collect();
        taken.extend(paths.iter().flat_map(|path| Frame::along(path)));
        let bounds = Frame { from: (52, 22), to: (width - 6, height - 52) };
        names(area, &marks, &points, bounds, taken)
    })
}

/// The cases first: their names get the best places.
fn marks(report: &Report) -> Vec<Mark> {
    let model = |(index, model): (usize, &Always)| Mark {
        name: model.model.clone(),
        cost: model.cost_per_1000,
        quality: model.quality,
        paint: Paint::of_model(index),
        case: None,
    };
    let cases = (0..report.subsets.len()).flat_map(|subset| cases(report, subset));
    cases.chain(report.always.iter().enumerate().map(model)).collect()
}

/// The cases of a subset; those that come to the same share a mark.
fn cases(report: &Report, subset: usize) -> Vec<Mark> {
    let own: Vec<&CaseReport> = report.cases.iter().filter(|case| case.subset == subset).collect();
    let mut marks: Vec<(Mark, Vec<&str>)> = Vec::new();
    for case in &own {
        let (Some(cost), Some(quality)) = (case.cost_per_1000, case.quality) else { continue };
        match marks.iter_mut().find(|(mark, _)| (mark.cost, mark.quality) == (cost, quality)) {
            Some((_, modes)) => modes.push(&case.mode),
            None => {
                let mark = Mark { name: String::new(), cost, quality, paint: INK, case: Some(subset) };
                marks.push((mark, vec![&case.mode]));
            }
        }
    }
    let name = |modes: &[&str]| {
        let modes = if modes.len() == own.len() && modes.len() > 2 { "every mode".into() } else { modes.join(", ") };
        match report.subsets.get(subset) {
            Some(subset) if report.subsets.len() > 1 => format!("{modes} · {}", subset.name),
            _ => modes,
        }
    };
    marks.into_iter().map(|(mark, modes)| Mark { name: name(&modes), ..mark }).collect()
}

/// Lowest and highest, with some space around.
fn range(figures: impl Iterator<Item = f64>, space: f64) -> (f64, f64) {
    let (low, high) = figures.fold((f64::MAX, f64::MIN), |(low, high), figure| (low.min(figure), high.max(figure)));
    let space = if high > low { space * (high - low) } else { 0.05 };
    (low - space, high + space)
}

/// The axes of cost and of quality.
fn axes(marks: &[Mark], narrow: bool) -> (Axis, Axis) {
    let (low, high) = range(marks.iter().map(|mark| mark.quality), 0.1);
    let quality = Axis::linear(low.max(0.0), high.min(1.0), 6);
    let count = if narrow { 5 } else { 10 };
    // A model of one's own may cost nothing, which has no place on a logarithmic axis.
    if marks.iter().any(|mark| mark.cost <= 0.0) {
        let (_, high) = range(marks.iter().map(|mark| mark.cost), 0.1);
        return (Axis::linear(-0.05 * high, high, count).in_usd(), quality);
    }
    let (low, high) = range(marks.iter().map(|mark| mark.cost.log10()), 0.1);
    (Axis::logarithmic(10f64.powf(low), 10f64.powf(high), count).in_usd(), quality)
}

/// Draws the axes and tells where each mark stands.
fn points(area: &Area<'_>, marks: &[Mark], cost: Axis, quality: Axis) -> anyhow::Result<Vec<Point>> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(22)
        .margin_right(12)
        .x_label_area_size(46)
        .y_label_area_size(50)
        .build_cartesian_2d(cost, quality)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID.color())
        .axis_style(GRID.color())
        .label_style(look(TEXT, MUTED).style())
        .draw()?;
    Ok(marks.iter().map(|mark| chart.backend_coord(&(mark.cost, mark.quality))).collect())
}

/// Joins the cases of each subset, the cheapest first.
fn paths(report: &Report, marks: &[Mark], points: &[Point]) -> Vec<Vec<Point>> {
    let path = |subset: usize| {
        let own = marks.iter().zip(points).filter(|(mark, _)| mark.case == Some(subset));
        let mut path: Vec<Point> = own.map(|(_, point)| *point).collect();
        path.sort_unstable();
        path
    };
    (0..report.subsets.len()).map(path).filter(|path| path.len() > 1).collect()
}

/// Models as dots, cases as rings, so that both can be seen where they stand on each other.
fn dots(area: &Area<'_>, marks: &[Mark], points: &[Point]) -> anyhow::Result<()> {
    let is_case = |(mark, _): &(&Mark, &Point)| mark.case.is_some();
    let (cases, models): (Vec<_>, Vec<_>) = marks.iter().zip(points).partition(is_case);
    for (_, point) in &cases {
        dot(area, **point, 8, SURFACE)?;
    }
    for (mark, point) in &models {
        dot(area, **point, 5, mark.paint)?;
    }
    for (mark, point) in &cases {
        ring(area, **point, 8, mark.paint)?;
    }
    Ok(())
}

fn names(
    area: &Area<'_>,
    marks: &[Mark],
    points: &[Point],
    bounds: Frame,
    mut taken: Vec<Frame>,
) -> anyhow::Result<()> {
    for (mark, point) in marks.iter().zip(points) {
        let bold = mark.case.is_some();
        let width = text_width(&mark.name, TEXT) * if bold { 11 } else { 10 } / 10;
        let frame = place(*point, (width + 4, TEXT + 6), bounds, &taken);
        taken.push(frame);
        let near = frame.nearest(*point);
        if (near.0 - point.0).abs().max((near.1 - point.1).abs()) > 16 {
            line(area, &[*point, near], MUTED, 1)?;
            taken.extend(Frame::along(&[*point, near]));
        }
        let look = look(TEXT, if bold { INK } else { MUTED });
        let middle = ((frame.from.0 + frame.to.0) / 2, (frame.from.1 + frame.to.1) / 2);
        write(area, &mark.name, middle, if bold { look.bold() } else { look }.centred())?;
    }
    Ok(())
}
