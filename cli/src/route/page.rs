//! The report as one page that needs nothing else.
//!
//! Owns what the template sees; `page.html` owns the look. Figures and names only: no text of a prompt gets here.

use super::chart;
use super::report::Report;
use crate::page::{self, format, theme};
use minijinja::{context, value::Serde};
use serde::Serialize;

/// A model with its colour.
#[derive(Serialize)]
struct Colored<'a> {
    name: &'a str,
    color: String,
}

/// The page.
///
/// # Errors
/// Where the template is broken, which the tests rule out.
pub fn render(report: &Report) -> anyhow::Result<String> {
    let mut environment = page::environment()?;
    environment.add_filter("quality", |figure: Option<f64>| format::maybe(figure, format::quality));
    environment.add_filter("task", |name: String| format::task(&name));
    environment.add_template("page.html", include_str!("page.html"))?;
    let seen = context! {
        report => Serde(report),
        charts => Serde(chart::charts(report)?),
        legend => Serde(legend(report)),
        colors => Serde(theme::all()),
    };
    Ok(environment.get_template("page.html")?.render(seen)?)
}

/// The models that get a prompt in some case.
fn legend(report: &Report) -> Vec<Colored<'_>> {
    let is_chosen =
        |name: &str| report.cases.iter().flat_map(|case| &case.models).any(|row| row.model == name && row.prompts > 0);
    let models = report.always.iter().enumerate().filter(|(_, always)| is_chosen(&always.model));
    models
        .map(|(place, always)| Colored {
            name: &always.model,
            color: theme::Css::from(theme::Paint::of_model(place)).light,
        })
        .collect()
}
