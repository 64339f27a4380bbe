//! Training and evaluation data.
//!
//! Owns the files' shapes: a directory with `prompts.jsonl.gz` and `outcomes.csv.gz`, or one file of outcomes
//! (`prompt,model,score`, CSV or JSON lines), plain or gzipped. What is wrong is an error that names file, line and
//! rule; nothing is skipped in silence.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use model_router::catalog::Task;
use serde::Deserialize;

/// A prompt, as the files give it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Unique name.
    pub id: String,
    /// Data set that it comes from.
    pub source: String,
    /// Text.
    pub prompt: String,
    /// Label, where the source gives one.
    #[serde(default)]
    pub task_type: Option<String>,
    /// Subject or part of the source.
    #[serde(default)]
    pub group: Option<String>,
    /// Benchmarks that hold the same text.
    #[serde(default)]
    pub overlaps: Vec<String>,
    /// Label of sources without outcomes, on a scale of their own.
    #[serde(default)]
    pub difficulty: Option<f64>,
    /// Evaluation prompts that models may have been trained on.
    #[serde(default)]
    pub contaminated_with_arena: bool,
    /// Language, where it is known.
    #[serde(default)]
    pub lang: Option<String>,
}

/// How good one model's answer to one prompt was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Index into [`Data::prompts`].
    pub prompt: u32,
    /// Index into [`Data::models`].
    pub model: u16,
    /// 0..=1.
    pub score: f32,
    /// Tokens of the answer; 0 where unknown.
    pub tokens: u32,
}

/// Prompts and outcomes.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Prompts, in the order of the file.
    pub prompts: Vec<Prompt>,
    /// For each prompt its task, where the label is known.
    pub tasks: Vec<Option<Task>>,
    /// Names of models, sorted.
    pub models: Vec<String>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
}

/// A row of the outcomes file.
#[derive(Deserialize)]
struct Row {
    prompt_id: String,
    model: String,
    score: String,
    #[serde(default)]
    out_tokens_est: Option<String>,
}

/// A row of a single file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Graded {
    prompt: String,
    /// May be missing where all rows are of one model.
    #[serde(default = "one_model")]
    model: String,
    score: Score,
}

fn one_model() -> String {
    "model".to_owned()
}

/// A score as CSV (text) or JSON (number) gives it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Score {
    Number(f64),
    Text(String),
}

impl Data {
    /// Reads a directory or a single file.
    ///
    /// # Errors
    /// Names file, line and rule.
    pub fn read(path: &Path) -> Result<Data> {
        if !path.is_dir() {
            return graded(path);
        }
        let mut data = Data::default();
        data.read_prompts(&path.join("prompts.jsonl.gz"))?;
        data.read_outcomes(&path.join("outcomes.csv.gz"))?;
        Ok(data)
    }

    /// Adds the prompts of a file of JSON lines.
    pub fn read_prompts(&mut self, path: &Path) -> Result<()> {
        let mut known: HashMap<String, usize> = HashMap::new();
        for (number, line) in lines(path)? {
            let at = || format!("{}:{number}", path.display());
            let prompt: Prompt = serde_json::from_str(&line?).with_context(at)?;
            let task = match prompt.task_type.as_deref() {
                None => None,
                Some(name) => {
                    Some(Task::from_name(name).with_context(|| format!("{}: no task is named {name}", at()))?)
                }
            };
            if let Some(first) = known.insert(prompt.id.clone(), number) {
                bail!("{}: the id {} is there twice, first in line {first}", at(), prompt.id);
            }
            self.prompts.push(prompt);
            self.tasks.push(task);
        }
        Ok(())
    }

    fn read_outcomes(&mut self, path: &Path) -> Result<()> {
        let ids: HashMap<&str, u32> = self.prompts.iter().map(|prompt| prompt.id.as_str()).zip(0..).collect();
        let mut rows = Rows::default();
        let mut reader = csv::Reader::from_reader(open(path)?);
        for row in reader.deserialize() {
            let row: Row = row.with_context(|| path.display().to_string())?;
            rows.line += 1;
            let at = format!("{}:{}", path.display(), rows.line + 1);
            let Some(prompt) = ids.get(row.prompt_id.as_str()) else {
                bail!("{at}: no prompt has the id {}", row.prompt_id);
            };
            let tokens = match row.out_tokens_est.as_deref().map(str::trim) {
                None | Some("") => 0,
                Some(text) => text.parse().with_context(|| format!("{at}: out_tokens_est must be a whole number"))?,
            };
            rows.add(&at, *prompt, &row.model, score(&row.score), tokens)?;
        }
        (self.models, self.outcomes) = rows.sorted();
        Ok(())
    }
}

/// Outcomes while they are read.
#[derive(Default)]
struct Rows {
    line: usize,
    models: BTreeMap<String, u16>,
    outcomes: Vec<Outcome>,
    seen: HashMap<(u32, u16), usize>,
}

impl Rows {
    fn add(&mut self, at: &str, prompt: u32, model: &str, score: Option<f64>, tokens: u32) -> Result<()> {
        ensure!(!model.trim().is_empty(), "{at}: the model is missing");
        let Some(score) = score.filter(|score| (0.0..=1.0).contains(score)) else {
            bail!("{at}: score must be a number from 0 to 1");
        };
        let next = u16::try_from(self.models.len()).context("more than 65535 models")?;
        let model_id = *self.models.entry(model.to_owned()).or_insert(next);
        if let Some(first) = self.seen.insert((prompt, model_id), self.line) {
            bail!("{at}: {model} has an outcome on this prompt already, in row {first}");
        }
        self.outcomes.push(Outcome { prompt, model: model_id, score: score as f32, tokens });
        Ok(())
    }

    /// Model names in order, and the outcomes with their places in it.
    fn sorted(self) -> (Vec<String>, Vec<Outcome>) {
        let mut places = vec![0; self.models.len()];
        for (place, id) in self.models.values().enumerate() {
            places[usize::from(*id)] = place as u16;
        }
        let outcomes = self.outcomes.into_iter();
        let outcomes =
            outcomes.map(|outcome| Outcome { model: places[usize::from(outcome.model)], ..outcome }).collect();
        (self.models.into_keys().collect(), outcomes)
    }
}

/// A single file: `prompt, model, score`.
fn graded(path: &Path) -> Result<Data> {
    let mut data = Data::default();
    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut rows = Rows::default();
    let mut add = |at: &str, row: Graded| {
        ensure!(!row.prompt.trim().is_empty(), "{at}: the prompt is empty");
        let next = data.prompts.len() as u32;
        let id = *ids.entry(row.prompt.clone()).or_insert(next);
        if id == next {
            data.prompts.push(Prompt::of("own", &format!("own-{next}"), row.prompt));
            data.tasks.push(None);
        }
        let number = match &row.score {
            Score::Number(number) => Some(*number),
            Score::Text(text) => score(text),
        };
        rows.line += 1;
        rows.add(at, id, &row.model, number, 0)
    };
    let name = path.to_string_lossy();
    if name.ends_with(".csv") || name.ends_with(".csv.gz") {
        let mut reader = csv::Reader::from_reader(open(path)?);
        for (row, number) in reader.deserialize().zip(2..) {
            add(&format!("{name}:{number}"), row.with_context(|| format!("{name}:{number}"))?)?;
        }
    } else {
        for (number, line) in lines(path)? {
            let row = serde_json::from_str(&line?).with_context(|| format!("{name}:{number}"))?;
            add(&format!("{name}:{number}"), row)?;
        }
    }
    (data.models, data.outcomes) = rows.sorted();
    ensure!(!data.outcomes.is_empty(), "{name}: there are no outcomes");
    Ok(data)
}

impl Prompt {
    /// A prompt of which nothing but the text is known.
    pub fn of(source: &str, id: &str, prompt: String) -> Prompt {
        Prompt {
            id: id.to_owned(),
            source: source.to_owned(),
            prompt,
            task_type: None,
            group: None,
            overlaps: Vec::new(),
            difficulty: None,
            contaminated_with_arena: false,
            lang: None,
        }
    }
}

fn score(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Lines that are not empty, with their numbers.
fn lines(path: &Path) -> Result<impl Iterator<Item = (usize, std::io::Result<String>)>> {
    let lines = BufReader::new(open(path)?).lines().zip(1..).map(|(line, number)| (number, line));
    Ok(lines.filter(|(_, line)| line.as_ref().map_or(true, |line| !line.trim().is_empty())))
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => Ok(Box::new(MultiGzDecoder::new(file))),
        false => Ok(Box::new(file)),
    }
}
