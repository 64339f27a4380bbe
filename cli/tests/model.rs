//! `train`, `score` and `fit-ability`: what goes in, what comes out, and what is refused.

mod common;

use common::run;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn score_says_task_difficulty_tokens_and_quality() {
    let input =
        [json!({"id": "a", "prompt": "What is the capital of France?"}), json!({"id": "b", "prompt": "", "more": 1})];
    let input: String = input.iter().map(|line| format!("{line}\n\n")).collect();
    let models = "gpt-5,gpt-5:high,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview";
    let first = lines(&run(&["score", "--models", models], &input));
    assert_eq!(first.len(), 2);
    assert_eq!(first[0]["id"], "a");
    assert_eq!(first[0]["task"], "factual_qa");
    for line in &first {
        assert!(line["difficulty"].is_number() && line["output_tokens"].as_u64().unwrap() > 0);
        let quality = line["quality"].as_object().unwrap();
        assert_eq!(quality.len(), 4);
        assert!(quality.values().all(|quality| (0.0..=1.0).contains(&quality.as_f64().unwrap())));
    }
    assert!(first[0]["quality"]["gpt-5"].as_f64() > first[0]["quality"]["mixtral-8x7b-instruct-v0.1"].as_f64());
    assert_eq!(lines(&run(&["score", "--models", models], &input)), first);
}

#[test]
fn score_names_what_is_wrong() {
    let unknown = error(&run(&["score", "--models", "gpt-5,no-such"], ""));
    assert!(unknown.contains("no-such is neither in the catalog nor in the training data"), "{unknown}");
    assert!(error(&run(&["score", "--models", "gpt-5:huge"], "")).contains("there is no effort named huge"));
    let secret = "{\"id\":\"a\",\"prompt\":\"fine\"}\n{\"id\":\"b\",\"prompt\":[\"my secret text\"]}";
    let bad = error(&run(&["score", "--models", "gpt-5"], secret));
    assert!(bad.contains("line 2") && !bad.contains("secret"), "{bad}");
}

#[test]
fn abilities_follow_the_grades() {
    let directory = directory("fit-ability");
    let graded = |good: fn(usize) -> f64| {
        let prompts =
            ["What is 2+2?", "Prove Fermat's little theorem.", "Write a parser in Rust.", "Hi!", "Who was Kant?"];
        let line =
            |at: usize| json!({"prompt": format!("{} ({at})", prompts[at % 5]), "score": good(at)}).to_string() + "\n";
        (0..100).map(line).collect::<String>()
    };
    let fit = |name: &str, text: &str| lines(&run(&["fit-ability", &file(&directory, name, text)], ""));
    let strong = fit("strong.jsonl", &graded(|at| f64::from(u8::from(at % 10 != 1))));
    let weak = fit("weak.jsonl", &graded(|at| f64::from(u8::from(at % 10 == 3))));
    let general = |row: &Value| row["abilities"]["general"].as_f64().or(row["abilities"].as_f64()).unwrap();
    assert!(general(&strong[0]) > 50.0 && general(&weak[0]) < 30.0 && strong[0]["graded"] == 100);
    // As it stands, it goes into a policy.
    let policy = json!({
        "routers": [{"name": "r"}], "providers": [{"name": "p", "cluster": "p", "dialect": "openai"}],
        "models": [{"name": "mine", "served_by": [{"provider": "p"}], "price": {"input": 1, "output": 2}, "abilities": strong[0]["abilities"]}],
    });
    let checked = run(&["check", &file(&directory, "policy.json", &policy.to_string())], "");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let few = graded(|_| 1.0).lines().take(5).collect::<Vec<_>>().join("\n");
    assert!(
        error(&run(&["fit-ability", &file(&directory, "few.jsonl", &few)], ""))
            .contains("5 graded prompts are too few")
    );
}

#[test]
fn training_is_the_same_every_time_and_its_weights_work() {
    let directory = directory("train");
    let questions = ["What is", "Prove that", "Write code for", "Translate", "List three facts about"];
    let mut text = String::from("prompt,model,score\n");
    for at in 0..200 {
        for (model, limit) in [("big", 9), ("small", 4)] {
            let question = questions[at % 5];
            text += &format!("{question} number {at} of the list,{model},{}\n", u8::from(at % 10 < limit));
        }
    }
    let data = file(&directory, "outcomes.csv", &text);
    let train = |name: &str, seed: &str| {
        let out = directory.join(name).to_string_lossy().into_owned();
        let output = run(&["train", "--data", &data, "--seed", seed, "--out", &out], "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (std::fs::read(&out).unwrap(), out)
    };
    let ((first, path), (again, _), (other, _)) = (train("a.bin", "1"), train("b.bin", "1"), train("c.bin", "2"));
    assert_eq!(first, again);
    assert_ne!(first, other);
    let scored = lines(&run(
        &["score", "--weights", &path, "--models", "big,small"],
        "{\"id\":\"x\",\"prompt\":\"Translate number 7\"}\n",
    ));
    assert!(scored[0]["quality"]["big"].as_f64() > scored[0]["quality"]["small"].as_f64());
    assert!(error(&run(&["score", "--weights", &data, "--models", "big"], "")).contains("no weights file"));
}

#[test]
fn bad_training_data_is_refused_by_line_and_rule() {
    let directory = directory("bad-data");
    let refused = |name: &str, text: &str, expected: &str| {
        let data = file(&directory, name, text);
        let out = directory.join("out.bin").to_string_lossy().into_owned();
        let error = error(&run(&["train", "--data", &data, "--out", &out], ""));
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let head = "prompt,model,score\nfine,a,1\n";
    refused("nan.csv", &format!("{head}x,a,NaN\n"), "nan.csv:3: score must be a number from 0 to 1");
    refused("large.csv", &format!("{head}x,a,1.5\n"), "large.csv:3: score must be a number from 0 to 1");
    refused("word.csv", &format!("{head}x,a,good\n"), "word.csv:3: score must be a number from 0 to 1");
    refused("twice.csv", &format!("{head}fine,a,0\n"), "twice.csv:3: a has an outcome on this prompt already");
    refused("model.csv", &format!("{head}x,,1\n"), "model.csv:3: the model is missing");
    refused("empty.csv", &format!("{head},a,1\n"), "empty.csv:3: the prompt is empty");
    refused("none.csv", "prompt,model,score\n", "there are no outcomes");
    refused("text.jsonl", "{\"prompt\":\"x\",\"model\":\"a\",\"score\":1}\nnonsense\n", "text.jsonl:2");
    refused("more.jsonl", "{\"prompt\":\"x\",\"model\":\"a\",\"score\":1,\"extra\":2}\n", "unknown field `extra`");
}

/// A directory in the form of the shared data.
#[test]
fn unknown_ids_and_doubled_prompts_are_refused() {
    use flate2::{Compression, write::GzEncoder};
    let directory = directory("directory-data");
    let write = |name: &str, text: &str| {
        let mut encoder = GzEncoder::new(std::fs::File::create(directory.join(name)).unwrap(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
    };
    let refused = |prompts: &str, outcomes: &str, expected: &str| {
        write("prompts.jsonl.gz", prompts);
        write("outcomes.csv.gz", outcomes);
        let out = directory.join("out.bin").to_string_lossy().into_owned();
        let error = error(&run(&["train", "--data", &directory.to_string_lossy(), "--out", &out], ""));
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let prompt = |id: &str| json!({"id": id, "source": "s", "prompt": "text", "task_type": "math"}).to_string() + "\n";
    let head = "prompt_id,model,score,out_tokens_est\n";
    refused(&prompt("a"), &format!("{head}b,m,1,\n"), "outcomes.csv.gz:2: no prompt has the id b");
    refused(&(prompt("a") + &prompt("a")), head, "prompts.jsonl.gz:2: the id a is there twice, first in line 1");
    refused(&prompt("a").replace("math", "maths"), head, "prompts.jsonl.gz:1: no task is named maths");
    refused(&prompt("a"), &format!("{head}a,m,1,many\n"), "outcomes.csv.gz:2: out_tokens_est must be a whole number");
    refused(&prompt("a"), &format!("{head}a,m\n"), "outcomes.csv.gz");
}
