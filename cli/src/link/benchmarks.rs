//! The benchmarks that are used, and what each tells.
//!
//! Owns the tables: size, noise and tasks of every benchmark, and the way from a score to log odds. Never looks at
//! models. What is not listed here is left out: agents with a harness of their own (tau-bench, SWE-Atlas, SWE-Bench
//! Pro, Terminal-Bench), pictures (MMMU), puzzles that only newest models solve (ARC-AGI 2), and judges with a ceiling
//! or a handful of prompts.

use model_router::catalog::{Task, log_odds};

/// Tasks with the weight that a benchmark has for each.
pub type Tells = &'static [(Task, f64)];

/// How a source's scores rise with ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Per cent over many kinds of tasks.
    Broad,
    /// Per cent on one kind of task: the slope may be far from that of others.
    Narrow,
    /// Ratings from people's votes.
    Elo,
}

/// A benchmark of one number.
#[derive(Clone, Copy, Debug)]
pub struct Benchmark {
    /// Its name here.
    pub name: &'static str,
    /// Names in the files, in small letters with `-`.
    aliases: &'static [&'static str],
    /// Questions.
    pub items: f64,
    /// What it tells of.
    pub tells: Tells,
}

/// A category of LiveBench.
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// Its name in the file.
    pub name: &'static str,
    /// Its weight in the general figure.
    pub weight: f64,
    /// Questions, about.
    pub items: f64,
    /// What it tells of.
    pub tells: Tells,
}

const CODE: Tells = &[(Task::Code, 1.0)];
const MATH: Tells = &[(Task::Math, 1.0)];
const FACTS: Tells = &[(Task::FactualQa, 1.0)];

/// LiveBench's categories. Agentic coding depends on a harness (gpt-5.5 medium 16.7, xhigh 56.7), and instruction
/// following has been a test of many constraints at once since 2026, on which plain modes score near 20: both count
/// little in the general figure.
pub const CATEGORIES: [Category; 7] = [
    Category { name: "Reasoning", weight: 1.0, items: 100.0, tells: &[(Task::Reasoning, 1.0)] },
    Category { name: "Coding", weight: 1.0, items: 100.0, tells: CODE },
    Category { name: "Agentic Coding", weight: 1.0 / 3.0, items: 60.0, tells: &[(Task::Code, 1.0 / 3.0)] },
    Category { name: "Mathematics", weight: 1.0, items: 150.0, tells: MATH },
    Category { name: "Data Analysis", weight: 1.0, items: 150.0, tells: &[(Task::ExtractionClassification, 1.0)] },
    Category { name: "Language", weight: 1.0, items: 150.0, tells: &[(Task::Writing, 0.5), (Task::Reading, 0.5)] },
    Category { name: "IF", weight: 0.25, items: 200.0, tells: &[(Task::Writing, 0.25), (Task::Chat, 0.25)] },
];

/// What votes tell of.
pub const ARENA: Tells = &[(Task::Chat, 1.0), (Task::Writing, 1.0)];
/// What votes on code tell of.
pub const ARENA_CODE: Tells = CODE;

const BENCHMARKS: [Benchmark; 10] = [
    Benchmark {
        name: "Aider polyglot",
        aliases: &["aider polyglot pass-rate-2", "aider-polyglot"],
        items: 225.0,
        tells: CODE,
    },
    Benchmark { name: "SWE-bench Verified", aliases: &["swe-bench-verified"], items: 500.0, tells: CODE },
    Benchmark { name: "LiveCodeBench", aliases: &["livecodebench"], items: 450.0, tells: CODE },
    Benchmark { name: "HumanEval", aliases: &["humaneval"], items: 164.0, tells: CODE },
    Benchmark { name: "GPQA Diamond", aliases: &["gpqa", "gpqa-diamond"], items: 198.0, tells: FACTS },
    Benchmark { name: "MMLU", aliases: &["mmlu"], items: 14042.0, tells: FACTS },
    Benchmark { name: "MMLU-Pro", aliases: &["mmlu-pro"], items: 12032.0, tells: FACTS },
    Benchmark { name: "SimpleQA", aliases: &["simpleqa"], items: 4326.0, tells: FACTS },
    Benchmark { name: "AIME 2025", aliases: &["aime-2025"], items: 30.0, tells: MATH },
    Benchmark { name: "MATH", aliases: &["math"], items: 500.0, tells: MATH },
];

/// The benchmark of this name, if it is used.
pub fn find(name: &str) -> Option<&'static Benchmark> {
    let name = name.to_lowercase().replace('_', "-");
    BENCHMARKS.iter().find(|known| known.aliases.contains(&name.as_str()))
}

/// Log odds of a score in per cent and the variance that comes from the number of questions. Below 1 and above 99 per
/// cent nothing is told apart.
pub fn odds(percent: f64, items: f64) -> (f64, f64) {
    let share = (percent / 100.0).clamp(0.01, 0.99);
    (log_odds(100.0 * share), 1.0 / (items * share * (1.0 - share)))
}

/// Log odds of a rating.
pub fn elo(rating: f64) -> f64 {
    rating * std::f64::consts::LN_10 / 400.0
}

impl Kind {
    /// Standard deviation of a score around the line, in log odds, beside that of the number of questions: what a
    /// benchmark measures is not quite what others measure.
    pub fn noise(self) -> f64 {
        match self {
            Kind::Broad => 0.15,
            Kind::Narrow => 0.45,
            Kind::Elo => 0.12,
        }
    }
}
