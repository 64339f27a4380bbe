//! Pages that need nothing else: what those of `route` and `costs` share.
//!
//! Owns the look (`base.html`), the two widths of charts, and how figures are written. Knows nothing of any report.

pub mod canvas;
pub mod format;
pub mod scale;
pub mod theme;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

/// Width of the drawing for wide screens, in pixels.
const WIDE: i32 = 920;
/// Width of the drawing for narrow screens.
const NARROW: i32 = 360;

/// A chart, drawn for wide and for narrow screens, so that letters are readable on both.
#[derive(Debug, Serialize)]
pub struct Chart {
    wide: String,
    narrow: String,
}

/// Draws a chart in both widths.
pub fn chart(draw: impl Fn(i32) -> anyhow::Result<String>) -> anyhow::Result<Chart> {
    Ok(Chart { wide: draw(WIDE)?, narrow: draw(NARROW)? })
}

/// Whether a drawing is for narrow screens.
pub fn is_narrow(width: i32) -> bool {
    width < WIDE / 2
}

/// Templates that may extend `base.html`, which wants the `colors` of [`theme::all`].
///
/// # Errors
/// Where a template is broken, which the tests rule out.
pub fn environment() -> anyhow::Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("percent", |figure: Option<f64>| format::maybe(figure, format::percent));
    environment.add_filter("usd", |figure: Option<f64>| format::maybe(figure, format::usd));
    environment.add_filter("count", |number: usize| format::count(number));
    environment.add_template("base.html", include_str!("base.html"))?;
    environment.add_template("chart.html", include_str!("chart.html"))?;
    Ok(environment)
}
