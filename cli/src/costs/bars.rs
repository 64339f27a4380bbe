//! Cost and savings of groups, a bar for each.

use super::report::{Row, Table};
use super::sums::Sums;
use super::text::names_of;
use crate::page::canvas::{Area, fill, fitted, line, look, svg, text_width, write};
use crate::page::format::percent;
use crate::page::is_narrow;
use crate::page::theme::{ACCENT, INK, MUTED, SURFACE};

/// How strong the colour of savings is.
pub const LIGHT: f64 = 0.3;
/// Bars, at most; what is left shares one more.
const MOST: usize = 20;
const TEXT: i32 = 13;

/// A group as it is drawn.
struct Bar {
    name: String,
    cost: f64,
    savings: f64,
    label: String,
}

impl Bar {
    fn new(name: String, sums: &Sums, decimals: u32) -> Bar {
        let cost = sums.cost.show(decimals);
        let label = match sums.saved() {
            Some(saved) if saved < 0.0 => format!("{cost}, {} more", percent(-saved)),
            Some(saved) => format!("{cost}, {} saved", percent(saved)),
            None => cost,
        };
        Bar { name, cost: sums.cost.usd(), savings: sums.savings.usd(), label }
    }

    fn end(&self) -> f64 {
        self.cost + self.savings.max(0.0)
    }
}

/// The chart.
pub fn draw(table: &Table, decimals: u32, width: i32) -> anyhow::Result<String> {
    let bars = bars(table, decimals);
    let most = bars.iter().map(Bar::end).fold(0.0, f64::max);
    let narrow = is_narrow(width);
    let names = bars.iter().map(|bar| text_width(&bar.name, TEXT)).max().unwrap_or_default().min(340);
    let labels = bars.iter().map(|bar| text_width(&bar.label, TEXT)).max().unwrap_or_default();
    // On narrow screens name and label stand above their bar.
    let (from, to) = if narrow { (0, width) } else { (names + 12, width - labels - 10) };
    let (row, height) = if narrow { (46, 18) } else { (32, 22) };
    let x = |usd: f64| from + if most > 0.0 { (usd / most * f64::from(to - from)).round() as i32 } else { 0 };
    svg((width, row * bars.len() as i32), |area| {
        for (index, bar) in bars.iter().enumerate() {
            let top = row * index as i32 + if narrow { row - height - 4 } else { (row - height) / 2 };
            let ends = [bar.cost, bar.end(), bar.cost + bar.savings].map(x);
            shape(area, from, ends, (top, top + height))?;
            let middle = top + height / 2;
            match narrow {
                true => {
                    let space = width - text_width(&bar.label, TEXT) - 8;
                    write(area, &fitted(&bar.name, TEXT, space), (0, top - 11), look(TEXT, INK))?;
                    write(area, &bar.label, (width, top - 11), look(TEXT, MUTED).ending())?;
                }
                false => {
                    write(area, &fitted(&bar.name, TEXT, names), (from - 12, middle), look(TEXT, INK).ending())?;
                    write(area, &bar.label, (ends[1] + 8, middle), look(TEXT, MUTED))?;
                }
            }
        }
        Ok(())
    })
}

fn bars(table: &Table, decimals: u32) -> Vec<Bar> {
    let shown = if table.rows.len() > MOST + 1 { MOST } else { table.rows.len() };
    let (first, rest) = table.rows.split_at(shown);
    let bar = |row: &Row| Bar::new(names_of(row).join(", "), &row.sums, decimals);
    let mut bars: Vec<Bar> = first.iter().map(bar).collect();
    if !rest.is_empty() {
        let mut sums = Sums::default();
        rest.iter().for_each(|row| sums += &row.sums);
        bars.push(Bar::new(format!("{} others", rest.len()), &sums, decimals));
    }
    bars
}

/// A bar with the ends of cost, of all, and of the baseline's cost.
fn shape(area: &Area<'_>, from: i32, [cost, all, baseline]: [i32; 3], (top, bottom): (i32, i32)) -> anyhow::Result<()> {
    fill(area, (from, top), (cost.max(from + 1), bottom), ACCENT, 1.0)?;
    if all > cost {
        fill(area, (cost, top), (all, bottom), ACCENT, LIGHT)?;
    }
    if baseline < cost {
        line(area, &[(baseline, top), (baseline, bottom)], SURFACE, 2)?;
    }
    Ok(())
}
