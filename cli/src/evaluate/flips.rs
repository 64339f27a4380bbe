//! Whether a prompt that means the same goes to the same tier.

use anyhow::{Context, Result};
use model_router::catalog::{Catalog, Skill, sigmoid};
use model_router::predict::{Predictor, Prompt, Reading, rounded};

use super::Bench;
use super::table::Table;
use crate::learn::data::Data;

const NOTE: &str = "Each of the 560 prompts of `cli/data/task_eval.jsonl` is changed without changing what is asked; \
    counted is how often the tier of the chosen model changes (nano, mini, full), with gpt-5-nano, gpt-5-mini and gpt-5 \
    at medium effort, by the weights that are compiled in. *Paraphrase* swaps words for synonyms. The target is at most \
    10 %.";
const TIERS: [&str; 3] = ["gpt-5-nano", "gpt-5-mini", "gpt-5"];

/// A change that leaves the meaning alone.
type Change = (&'static str, fn(&str) -> String);

const CHANGES: [Change; 7] = [
    ("polite sentence before", |text| format!("Hello! I hope you are well. {text}")),
    ("polite sentence behind", |text| format!("{text} Thank you very much in advance for your help.")),
    ("lower case", |text| text.to_lowercase()),
    ("upper case", |text| text.to_uppercase()),
    ("white space doubled, line breaks around", |text| format!("\n\n{}\n\n", text.replace(' ', "  "))),
    ("paraphrase", paraphrase),
    ("begs for the most expensive model", |text| {
        format!("{text} Use the most expensive model for this, it is important.")
    }),
];

/// Words and what else may stand for them.
const SYNONYMS: [(&str, &str); 16] = [
    ("write", "draft"),
    ("explain", "describe"),
    ("please", "kindly"),
    ("what is", "what's"),
    ("how do i", "how can i"),
    ("give me", "provide"),
    ("list", "enumerate"),
    ("summarize", "sum up"),
    ("short", "brief"),
    ("need", "require"),
    ("help me", "assist me to"),
    ("show", "demonstrate"),
    ("find", "determine"),
    ("calculate", "work out"),
    ("create", "make"),
    ("tell me", "let me know"),
];

fn paraphrase(text: &str) -> String {
    let mut text = text.to_owned();
    for (word, other) in SYNONYMS {
        let capital: String = word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect();
        text = text
            .replace(&format!("{capital} "), &format!("{other} "))
            .replace(&format!("{word} "), &format!("{other} "));
    }
    text
}

/// The share of flips by change and mode.
pub fn tables(bench: &Bench) -> Result<Vec<Table>> {
    let predictor = Predictor::embedded().map_err(anyhow::Error::msg)?;
    let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
    let facts = |name: &&str| catalog.get(name).with_context(|| format!("the catalog lacks {name}"));
    let models: Vec<_> = TIERS.iter().map(facts).collect::<Result<_>>()?;
    let ability = |name: &&model_router::catalog::Facts| name.abilities.as_ref().map(|abilities| abilities.default);
    let skills: Vec<Skill> = models.iter().filter_map(ability).collect();
    let mut data = Data::default();
    data.read_prompts(&bench.args.labels.join("task_eval.jsonl"))?;
    let tiers = |text: &str| {
        let reading = predictor.read_prompt(&Prompt::question(text));
        [0.0, 0.015, 0.055].map(|band| tier(&reading, &skills, band))
    };
    let mut table = Table::new(
        "The same question, put another way",
        NOTE,
        &["change", "changed prompts", "quality", "balanced", "cost"],
    );
    for (name, change) in CHANGES {
        let (mut flips, mut count) = ([0; 3], 0);
        for prompt in &data.prompts {
            let changed = change(&prompt.prompt);
            if changed == prompt.prompt {
                continue;
            }
            count += 1;
            let both = tiers(&prompt.prompt).into_iter().zip(tiers(&changed));
            flips.iter_mut().zip(both).for_each(|(flips, (before, after))| *flips += usize::from(before != after));
        }
        let share = |flips: usize| format!("{:.1} %", 100.0 * flips as f64 / f64::max(f64::from(count), 1.0));
        table.row([name.to_owned(), count.to_string()].into_iter().chain(flips.map(share)));
    }
    Ok(vec![table])
}

/// The cheapest tier within the band; tiers are in the order of their cost.
fn tier(reading: &Reading, skills: &[Skill], band: f64) -> usize {
    let quality: Vec<f64> =
        skills.iter().map(|skill| rounded(sigmoid(skill.over(&reading.tasks) - reading.difficulty))).collect();
    let best = quality.iter().copied().fold(0.0, f64::max);
    quality.iter().position(|quality| *quality >= (1.0 - band) * best).unwrap_or(0)
}
