//! Tables in Markdown.

use crate::learn::metrics::spread;

/// A table with its heading and what a reader must know.
pub struct Table {
    /// Heading.
    pub title: String,
    /// How it was measured.
    pub note: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(title: &str, note: &str, head: &[&str]) -> Table {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Table { title: title.to_owned(), note: note.to_owned(), head, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("### {}\n\n{}\n\n", self.title, self.note);
        text.push_str(&line(&self.head));
        text.push_str(&format!("|{}\n", "---|".repeat(self.head.len())));
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text.push('\n');
        text
    }
}

/// Mean over runs with the half-width of its 95 % confidence interval: `0.712 ± 0.004`.
pub fn cell(runs: &[f64]) -> String {
    let (mean, deviation) = spread(runs);
    // Student's t for n − 1 degrees of freedom.
    let t = match runs.len() {
        0 | 1 => return format!("{mean:.3}"),
        2 => 12.71,
        3 => 4.30,
        4 => 3.18,
        5 => 2.78,
        6 => 2.57,
        7 => 2.45,
        _ => 2.1,
    };
    format!("{mean:.3} ± {:.3}", t * deviation / (runs.len() as f64).sqrt())
}

/// `text` with what stands between the first two lines `mark` replaced.
pub fn between(text: &str, mark: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(mark)?;
    let (_, after) = rest.split_once(mark)?;
    Some(format!("{before}{mark}\n\n{new}{mark}{after}"))
}
