//! Prompts by difficulty.

use crate::page::canvas::{look, svg, write};
use crate::page::is_narrow;
use crate::page::scale::Axis;
use crate::page::theme::{ACCENT, GRID, MUTED};
use crate::route::report::Report;
use plotters::prelude::*;

/// The chart.
pub fn draw(report: &Report, width: i32) -> anyhow::Result<String> {
    let bins = &report.difficulty;
    let (low, high) = (bins.first().map_or(0.0, |bin| bin.from), bins.last().map_or(1.0, |bin| bin.to));
    let most = bins.iter().map(|bin| bin.prompts).max().unwrap_or_default();
    let ticks = if is_narrow(width) { 6 } else { 14 };
    svg((width, 290), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(26)
            .margin_right(14)
            .x_label_area_size(48)
            .y_label_area_size(44)
            .build_cartesian_2d(Axis::linear(low, high, ticks), Axis::counts(most))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.color())
            .axis_style(GRID.color())
            .label_style(look(12, MUTED).style())
            .draw()?;
        chart.draw_series(bins.iter().map(|bin| {
            let gap = 0.03 * (bin.to - bin.from);
            let corners = [(bin.from + gap, 0.0), (bin.to - gap, bin.prompts as f64)];
            Rectangle::new(corners, ACCENT.color().filled())
        }))?;
        write(area, "prompts", (6, 10), look(12, MUTED))?;
        write(area, "← easier", (44, 280), look(12, MUTED))?;
        write(area, "harder →", (width - 14, 280), look(12, MUTED).ending())
    })
}
