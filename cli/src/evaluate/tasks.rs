//! Task types on hand-labelled prompts.

use std::collections::HashMap;

use anyhow::{Context, Result};
use model_router::catalog::Task;

use super::Bench;
use super::table::{Table, cell};
use crate::learn::data::{Data, Prompt};
use crate::learn::fit::{Read, fit, fit_tasks, tasks as shares_of};

/// A prompt with its label.
struct Labelled {
    prompt: Prompt,
    task: Task,
    set: &'static str,
}

const OWN: &str = "own writing";
const REAL: &str = "real prompts, clear";
const UNSURE: &str = "real prompts, doubtful";
const MT_BENCH: &str = "MT-Bench";

const NOTE: &str = "Accuracy of the most likely task. *Own writing*: `cli/data/task_eval.jsonl`, written by other hands \
    than the training prompts. *Real prompts*: those of Arena-Hard 0.1 and Self-Instruct, labelled by hand \
    (`cli/data/task_eval_ids.csv`); *doubtful* are those that a second reader might label otherwise. None of them \
    trains the tasks.";

/// Accuracy by set, by task and by language.
pub fn tables(bench: &Bench) -> Result<Vec<Table>> {
    let labelled = labelled(bench)?;
    let prompts: Vec<Prompt> = labelled.iter().map(|labelled| labelled.prompt.clone()).collect();
    let texts = bench.corpus.texts_of(&prompts);
    let used = vec![true; bench.corpus.data.prompts.len()];
    let mut runs: Vec<Vec<bool>> = Vec::new();
    let mut confusion = [[0usize; 8]; 8];
    for seed in &bench.seeds {
        let fitted = fit(&bench.corpus, &used, *seed)?;
        let task = |(text, hand): &(_, _)| best(&fitted.read(text, hand));
        let found: Vec<Task> = texts.iter().map(task).collect();
        for (found, labelled) in found.iter().zip(&labelled).filter(|(_, labelled)| labelled.set != UNSURE) {
            confusion[labelled.task as usize][*found as usize] += 1;
        }
        runs.push(found.iter().zip(&labelled).map(|(found, labelled)| *found == labelled.task).collect());
    }
    let share = |keep: &dyn Fn(&Labelled) -> bool| {
        let count = labelled.iter().filter(|labelled| keep(labelled)).count();
        let right =
            |run: &Vec<bool>| run.iter().zip(&labelled).filter(|(right, labelled)| **right && keep(labelled)).count();
        let runs: Vec<f64> = runs.iter().map(|run| right(run) as f64 / count.max(1) as f64).collect();
        (count.to_string(), cell(&runs))
    };
    let mut sets = Table::new("Task type", NOTE, &["set", "prompts", "accuracy"]);
    for name in [OWN, REAL, UNSURE, MT_BENCH] {
        let (count, cell) = share(&|labelled| labelled.set == name);
        sets.row([name.to_owned(), count, cell]);
    }
    sets.row(writers(bench)?);
    let (count, cell) = share(&|labelled| labelled.set == OWN && labelled.prompt.lang.as_deref() == Some("en"));
    sets.row(["own writing, English".to_owned(), count, cell]);
    let (count, cell) = share(&|labelled| labelled.set == OWN && labelled.prompt.lang.as_deref() != Some("en"));
    sets.row(["own writing, ten other languages".to_owned(), count, cell]);
    let head: Vec<&str> = ["label"].into_iter().chain(Task::NAMES.map(|(name, _)| name)).chain(["accuracy"]).collect();
    let mut tasks = Table::new(
        "Task type, what is taken for what",
        "Rows are labels, columns answers, all sets but the doubtful prompts, seeds added up.",
        &head,
    );
    for (name, task) in Task::NAMES {
        let cells = confusion[task as usize];
        let all: usize = cells.iter().sum();
        let right = format!("{:.2}", cells[task as usize] as f64 / all.max(1) as f64);
        tasks.row([name.to_owned()].into_iter().chain(cells.map(|count| count.to_string())).chain([right]));
    }
    Ok(vec![sets, tasks])
}

/// The training prompts, those of one writer left out at a time: what the recipe was tuned on.
fn writers(bench: &Bench) -> Result<Vec<String>> {
    let prompts = &bench.corpus.data.prompts;
    let writer =
        |prompt: &Prompt| prompt.id.strip_prefix("own-").and_then(|id| id.split('-').next()).map(str::to_owned);
    let writers: Vec<Option<String>> = prompts.iter().map(writer).collect();
    let mut names: Vec<&String> = writers.iter().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let mut shares = Vec::new();
    let mut count = 0;
    for name in names {
        let inside = |at: usize| writers[at].as_ref() == Some(name);
        let used: Vec<bool> = (0..prompts.len()).map(|at| !inside(at)).collect();
        let columns = fit_tasks(&bench.corpus, &used);
        let own: Vec<usize> = (0..prompts.len()).filter(|at| inside(*at)).collect();
        let right = own.iter().filter(|at| {
            let read = Read { difficulty: 0.0, tasks: shares_of(&columns, &bench.corpus.texts[**at]) };
            Some(best(&read)) == bench.corpus.data.tasks[**at]
        });
        shares.push(right.count() as f64 / own.len() as f64);
        count += own.len();
    }
    Ok(vec!["training prompts, one of eight writers left out".to_owned(), count.to_string(), cell(&shares)])
}

fn best(read: &Read) -> Task {
    let order = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    read.tasks.into_iter().enumerate().max_by(order).map_or(Task::Chat, |(at, _)| Task::at(at))
}

fn labelled(bench: &Bench) -> Result<Vec<Labelled>> {
    let mut all = Vec::new();
    let mut own = Data::default();
    own.read_prompts(&bench.args.labels.join("task_eval.jsonl"))?;
    for (prompt, task) in own.prompts.into_iter().zip(own.tasks) {
        all.push(Labelled { prompt, task: task.context("a prompt without a label")?, set: OWN });
    }
    let known: HashMap<&str, &Prompt> =
        bench.corpus.data.prompts.iter().map(|prompt| (prompt.id.as_str(), prompt)).collect();
    let path = bench.args.labels.join("task_eval_ids.csv");
    let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
    for row in reader.deserialize() {
        let (id, task, sure): (String, String, u8) = row.with_context(|| path.display().to_string())?;
        let task = Task::from_name(&task).with_context(|| format!("{}: no task is named {task}", path.display()))?;
        let prompt =
            known.get(id.as_str()).with_context(|| format!("{}: no prompt has the id {id}", path.display()))?;
        all.push(Labelled { prompt: (*prompt).clone(), task, set: if sure == 1 { REAL } else { UNSURE } });
    }
    let eval = Data::read(&bench.args.eval)?;
    for (prompt, task) in
        eval.prompts.into_iter().zip(eval.tasks).filter(|(prompt, _)| prompt.source == "routellm_mtbench")
    {
        all.push(Labelled { prompt, task: task.context("a prompt without a label")?, set: MT_BENCH });
    }
    Ok(all)
}
