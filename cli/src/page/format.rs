//! Figures as people read them, the same in tables, charts and the page.

use std::fmt::Display;

/// What stands for a figure that there is not.
pub const NONE: &str = "–";

/// A share as `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share).replace('-', "−")
}

/// A share as `12 %`, for where space is short; `<1 %` and `>99 %` where it is not quite nothing or all.
pub fn whole_percent(share: f64) -> String {
    match (100.0 * share).round() as i64 {
        0 if share > 0.0 => "<1 %".into(),
        100 if share < 1.0 => ">99 %".into(),
        percent => format!("{percent} %"),
    }
}

/// USD with about three digits that count.
pub fn usd(amount: f64) -> String {
    let decimals = match amount {
        amount if amount >= 100.0 => 0,
        amount if amount >= 10.0 => 1,
        amount if amount >= 1.0 => 2,
        amount if amount >= 0.1 || amount == 0.0 => 3,
        _ => 4,
    };
    format!("${amount:.decimals$}")
}

/// A predicted quality, 0..=1.
pub fn quality(quality: f64) -> String {
    format!("{quality:.3}")
}

/// A whole number with commas: `12,345`.
pub fn count(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure that there may not be.
pub fn maybe(figure: Option<f64>, show: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| NONE.to_owned(), show)
}

/// The name of a task for people: `factual_qa` as `factual qa`.
pub fn task(name: &str) -> String {
    match name {
        "extraction_classification" => "extraction".to_owned(),
        "factual_qa" => "factual QA".to_owned(),
        name => name.replace('_', " "),
    }
}
