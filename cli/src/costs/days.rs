//! Cost and savings by day, a column for each.

use super::bars::LIGHT;
use super::report::Table;
use super::sums::Sums;
use crate::page::canvas::{look, svg};
use crate::page::is_narrow;
use crate::page::scale::Axis;
use crate::page::theme::{ACCENT, GRID, MUTED, SURFACE};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use plotters::prelude::*;

/// Days are counted from this one.
const FIRST: Date = date(1970, 1, 1);

/// The chart; days without requests are empty places.
pub fn draw(table: &Table, width: i32) -> anyhow::Result<String> {
    let columns: Vec<(f64, &Sums)> =
        table.rows.iter().filter_map(|row| Some((place(row.names.first()?)?, &row.sums))).collect();
    let (first, last) = (columns.first().map_or(0.0, |(day, _)| *day), columns.last().map_or(0.0, |(day, _)| *day));
    let end = |sums: &Sums| sums.cost.usd() + sums.savings.usd().max(0.0);
    let most = columns.iter().map(|(_, sums)| end(sums)).fold(1e-6, f64::max);
    // Few days would be very wide columns.
    let space = (10.0 - (last - first)).max(0.0) / 2.0 + 0.6;
    let named = if is_narrow(width) { 4.0 } else { 9.0 };
    let step = ((last - first + 1.0) / named).ceil();
    let ticks = (0..9).map(|tick| first + step * f64::from(tick)).filter(|day| *day <= last).collect();
    let days = Axis::at(first - space, last + space, ticks);
    svg((width, 260), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(10)
            .margin_right(14)
            .x_label_area_size(28)
            .y_label_area_size(72)
            .build_cartesian_2d(days, Axis::linear(0.0, 1.06 * most, 4).in_usd())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.color())
            .axis_style(GRID.color())
            .label_style(look(12, MUTED).style())
            .x_label_formatter(&|day| label(*day))
            .draw()?;
        for (day, sums) in &columns {
            let (cost, end) = (sums.cost.usd(), end(sums));
            let part = |from, to| [(day - 0.4, from), (day + 0.4, to)];
            // The grid must not shine through.
            let parts = [
                Rectangle::new(part(0.0, end), SURFACE.color().filled()),
                Rectangle::new(part(cost, end), ACCENT.color().mix(LIGHT).filled()),
                Rectangle::new(part(0.0, cost), ACCENT.color().filled()),
            ];
            chart.draw_series(parts)?;
            if sums.savings.usd() < 0.0 {
                let baseline = cost + sums.savings.usd();
                let line = PathElement::new(part(baseline, baseline), SURFACE.color().stroke_width(2));
                chart.draw_series([line])?;
            }
        }
        Ok(())
    })
}

/// The number of a day.
fn place(name: &str) -> Option<f64> {
    let day: Date = name.parse().ok()?;
    Some(f64::from((day - FIRST).get_days()))
}

/// The day of a number.
fn label(place: f64) -> String {
    let day = FIRST.checked_add((place as i64).days());
    day.map(|day| day.strftime("%b %-d").to_string()).unwrap_or_default()
}
