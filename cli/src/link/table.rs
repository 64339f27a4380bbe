//! The table for review.
//!
//! Owns how the link is shown on the terminal. Computes nothing.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use model_router::catalog::{Catalog, Effort, TASKS, Task, sigmoid};

use super::fit::General;
use super::linked::Linked;
use super::rows::Measurements;

/// Models with their scores: general as log odds and as a score, then scores by task. `*`: the default effort; efforts
/// in brackets were not measured.
pub fn models(linked: &[Linked]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    let head = ["model", "effort", "odds", "score"].into_iter().chain(Task::NAMES.map(|(name, _)| short(name)));
    table.set_header(head.chain(["rows", "error", "thin"]));
    for model in linked {
        for (effort, skill) in &model.skills {
            let mark = if *effort == model.default { "*" } else { "" };
            let known = model.measured.contains(effort);
            let name = if known { name(*effort).to_owned() } else { format!("({})", name(*effort)) };
            let mean = skill.mean();
            let mut cells = vec![model.name.clone(), format!("{name}{mark}"), format!("{mean:.2}")];
            cells.push(format!("{:.1}", 100.0 * sigmoid(mean)));
            cells.extend(skill.scores().map(|score| format!("{score:.1}")));
            cells.extend([model.rows.to_string(), format!("{:.2}", model.error)]);
            cells.push(if model.thin { "thin".to_owned() } else { String::new() });
            table.add_row(cells);
        }
    }
    right(table, 2)
}

/// Sources with their lines.
pub fn sources(all: &Measurements, general: &General) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["source", "rows", "offset", "slope", "±", "residual"]);
    for line in &general.lines {
        let numbers = [line.offset, line.slope, line.error, line.residual].map(|number| format!("{number:.2}"));
        let name = all.sources[line.source].name.clone();
        table.add_row([name, line.rows.to_string()].into_iter().chain(numbers));
    }
    right(table, 1)
}

/// Anchors: what training says, what the link makes of it.
pub fn anchors(general: &General) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["anchor", "trained", "linked"]);
    for (anchor, linked) in &general.anchored {
        table.add_row([anchor.name.to_owned(), format!("{:.2}", anchor.ability), format!("{linked:.2}")]);
    }
    right(table, 1)
}

/// What is common to all models, in log odds.
pub fn rest(general: &General, levels: &[f64; TASKS]) -> String {
    let used = Effort::NAMES.iter().zip(general.steps).filter(|((_, effort), _)| *effort != Effort::Max);
    let steps = used.map(|((name, _), step)| format!("{name} {step:+.2}")).collect::<Vec<_>>().join(", ");
    let levels = Task::NAMES.iter().zip(levels).map(|((name, _), level)| format!("{} {level:+.2}", short(name)));
    let [models, own, step] = general.spreads;
    format!(
        "steps of effort: {steps}\nlevels of tasks: {}\nspreads: models {models:.2}, a model at an effort {own:.2}, \
         steps {step:.2}; common slopes: per cent {:.2}, Elo {:.2}; error of the scale: {:.0} %",
        levels.collect::<Vec<_>>().join(", "),
        general.common[0],
        general.common[1],
        100.0 * general.scale_error
    )
}

/// What whoever maintains the catalog must mend: models with scores and a relative, or with neither.
pub fn remarks(catalog: &Catalog, linked: &[Linked]) -> Vec<String> {
    let remark = |facts: &model_router::catalog::Facts| {
        let known = linked.iter().any(|model| model.name == facts.name);
        match (&facts.abilities_like, known) {
            (Some(like), true) => Some(format!("{}: has scores, so abilities_like {like} is not needed", facts.name)),
            (None, false) => Some(format!("{}: has neither scores nor abilities_like", facts.name)),
            _ => None,
        }
    };
    catalog.models().iter().filter_map(remark).collect()
}

fn right(mut table: Table, from: usize) -> Table {
    table.column_iter_mut().skip(from).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn short(task: &str) -> &str {
    match task {
        "factual_qa" => "facts",
        "extraction_classification" => "extract",
        other => other,
    }
}

fn name(effort: Effort) -> &'static str {
    Effort::NAMES[effort as usize].0
}
