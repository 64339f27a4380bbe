//! `model-router explain`: what the filter would decide on a request, from the filter's own code.

use crate::source;
use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};
use model_router::decide::Memory;
use model_router::explain::{Decision, Explanation, PromptRow, ShadowRow, explain, refused};
use model_router::routing::{Head, head};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Arguments of `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// A policy (YAML or JSON), or an Envoy configuration that holds one
    #[arg(long)]
    policy: PathBuf,

    /// Path of the request; a deployment in it beats the body's model. Without it the body tells which API is meant
    #[arg(long, default_value = "/model-router/explain")]
    path: String,

    /// A header of the request, `name: value`, by which the policy may know its consumer; repeat for several
    #[arg(long = "header", value_name = "HEADER", value_parser = parse_header)]
    headers: Vec<(String, String)>,

    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Both)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// JSON to standard output, the table to standard error
    Both,
    Json,
    Table,
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'name: value'")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

/// Reads a request body from standard input and explains the decision.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let policy = source::policy(&args.policy)?;
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let header = |name: &str| match name {
        ":method" => Some("POST"),
        ":path" => Some(args.path.as_str()),
        _ => args.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()),
    };
    let began = Instant::now();
    let mut explanation = match head(&policy, &header) {
        Head::Pass => anyhow::bail!("{} is no path of a model API: the request would pass untouched", args.path),
        Head::Kept(_) | Head::Answer(_) => anyhow::bail!("{} needs no decision", args.path),
        Head::Refused(shape, error) => refused(&error, shape),
        Head::Call(call) => explain(&policy, &call, &body, Memory::NONE),
    };
    explanation.took(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    if args.format != Format::Table {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
    }
    match args.format {
        Format::Both => eprint!("{}", text(&explanation)),
        Format::Table => print!("{}", text(&explanation)),
        Format::Json => {}
    }
    Ok(if matches!(explanation, Explanation::Decision(_)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(explanation: &Explanation) -> String {
    match explanation {
        Explanation::Refused { status, error } => {
            format!("refused with {status}: {}\n", error["message"].as_str().unwrap_or_default())
        }
        Explanation::Decision(decision) => table(decision),
    }
}

fn table(decision: &Decision) -> String {
    let router = decision.router.as_deref().unwrap_or("(model asked for by name)");
    let mut lines = format!(
        "{} because {}  ·  router {router}, mode {}, band {}, about {} input tokens\n",
        decision.model, decision.reason, decision.mode, decision.band, decision.input_tokens
    );
    lines += &read(&decision.prompt);
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header([
        "slot",
        "model",
        "provider",
        "quality",
        "in band",
        "output tokens",
        "cost in USD",
        "beside slot 1",
        "dropped",
    ]);
    for row in &decision.candidates {
        table.add_row([
            row.slot.map_or_else(|| "–".into(), |slot| slot.to_string()),
            row.model.clone(),
            row.provider.clone(),
            format!("{:.3}", row.quality),
            if row.in_band { "yes" } else { "no" }.into(),
            row.output_tokens.to_string(),
            row.cost_usd.map_or_else(|| "unknown".into(), |cost| format!("{cost:.6}")),
            row.extra_cost_usd.map_or_else(|| "unknown".into(), |cost| format!("{cost:+.6}")),
            row.dropped.join(", "),
        ]);
    }
    lines += &format!("{table}\n");
    if let Some(session) = &decision.session_affinity {
        let on = session.model.as_deref().unwrap_or("no model yet");
        let source = if session.source.is_empty() { "nothing" } else { &session.source };
        let then = session.decision.map(|decision| format!(": {decision}")).unwrap_or_default();
        lines += &format!("conversation ({}): known by {source}, on {on}{then}\n", session.strategy);
    }
    for row in &decision.excluded {
        lines += &format!("not eligible: {} ({})\n", row.model, row.reason);
    }
    if let Some(policy) = &decision.policy {
        lines += &format!("policy: {policy}\n");
    }
    lines += &decision.shadow.as_ref().map(shadow).unwrap_or_default();
    lines
}

/// What the policy would do that does not serve.
fn shadow(row: &ShadowRow) -> String {
    let ShadowRow { policy, agreement, reason, .. } = row;
    let (Some(model), Some(provider), Some(quality)) = (&row.model, &row.provider, row.quality) else {
        return format!("{policy} would refuse: {reason}\n");
    };
    let cost = row.cost_usd.map_or_else(|| "unknown".into(), |cost| format!("{cost:.6}"));
    let agreement = agreement.replace('_', " ");
    format!(
        "{policy} would take {model} at {provider} because {reason} ({agreement}): quality {quality:.3}, {cost} USD\n"
    )
}

/// What the routing model read in the prompt, and why.
fn read(prompt: &PromptRow) -> String {
    let share = |(task, share): &(&str, f64)| format!("{task} {:.0} %", 100.0 * share);
    let tasks: Vec<String> = prompt.tasks.iter().map(share).collect();
    let cause = |(feature, raised): &(String, f64)| format!("{feature} {raised:+.2}");
    let features: Vec<String> = prompt.features.iter().map(cause).collect();
    format!(
        "task: {}  ·  difficulty {:+.2}, about {} answer tokens\nwhat mattered: {}\n",
        tasks.join(", "),
        prompt.difficulty,
        prompt.answer_tokens,
        features.join(", ")
    )
}
