use super::features::{BUCKETS, Features};
use super::trees::{LEAF, Node, Trees};
use super::words::{Kind, Tokens, word_hash};
use super::*;
use crate::request::read_chat;
use serde_json::{Value, json};

fn predictor() -> &'static Predictor {
    Predictor::embedded().unwrap()
}

fn prompt(body: &Value) -> Prompt {
    let body = body.to_string();
    Prompt::of(&read_chat(body.as_bytes()).unwrap())
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn texts(prompt: &Prompt) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&prompt.question), text(&prompt.system))
}

fn hand(features: &Features, name: &str) -> f32 {
    let at = (0..HAND).find(|at| features::hand_name(*at) == name).unwrap();
    features.hand[at]
}

#[test]
fn words_are_cut_in_every_script() {
    let kinds = |text: &str| Tokens::new(text.as_bytes()).map(|token| token.kind).collect::<Vec<_>>();
    assert_eq!(kinds("Don't  stop 42!"), [Kind::Word, Kind::Sign, Kind::Word, Kind::Word, Kind::Number, Kind::Sign]);
    assert_eq!(kinds("日本語"), [Kind::Ideograph; 3]);
    assert_eq!(kinds("Привет مرحبا नमस्ते"), [Kind::Word; 3]);
    assert_eq!(word_hash("ÜBERSETZE"), word_hash("übersetze"));
    assert_eq!(word_hash("Напиши"), word_hash("напиши"));
    let starts: Vec<bool> = Tokens::new(b"One two. Three\n- four").map(|token| token.starts).collect();
    assert_eq!(starts, [true, false, false, true, true, true]);
}

#[test]
fn stems_are_of_longer_words_only() {
    let prefix = |text: &str| Tokens::new(text.as_bytes()).next().unwrap().prefix;
    assert_eq!(prefix("summa"), None);
    assert_eq!(prefix("summarise"), prefix("summary"));
    assert_eq!(prefix("summary"), Some(words::prefix_hash("summa")));
    assert_eq!(prefix("переведи"), Some(words::prefix_hash("перев")));
}

#[test]
fn numbers_about_the_text_are_what_they_say() {
    let text = "What is 3/4 of 12?\nA. 9\nB. 8\nC. 16\n- a note";
    let features = predictor().features(text.as_bytes());
    assert_eq!(hand(&features, "log options"), 4f32.ln());
    assert_eq!(hand(&features, "log list items"), 2f32.ln());
    assert_eq!(hand(&features, "log bytes of the question"), (1.0 + "What is 3/4 of 12? ".len() as f32).ln());
    assert_eq!(hand(&features, "question marks"), 1.0);
    assert_eq!(hand(&features, "share of options with digits"), 1.0);
    assert!(hand(&features, "cue what") > 0.0 && hand(&features, "sentence starts with cue what") > 0.0);
    let mut buckets = features.buckets.clone();
    buckets.sort_unstable();
    buckets.dedup();
    assert_eq!(buckets.len(), features.buckets.len());
    assert!(buckets.iter().all(|bucket| usize::from(*bucket) < BUCKETS));
}

#[test]
fn every_cue_list_is_found() {
    assert_eq!(cues::names().count(), cues::CUES);
    assert!((0..HAND).all(|at| !features::hand_name(at).is_empty()));
}

#[test]
fn any_bytes_give_a_finite_reading() {
    let long = "a".repeat(10 << 20);
    let scripts = "שלום עולם hello 你好 مرحبا 🙂 \u{202e}right to left\u{0}";
    for text in ["", " ", "\n", "?", scripts, &long, &"\\".repeat(9000), &"(((".repeat(3000)] {
        let reading = predictor().read_prompt(&Prompt::question(text));
        assert!(reading.difficulty.is_finite() && reading.answer_tokens.is_finite());
        assert!(
            (reading.tasks.iter().sum::<f64>() - 1.0).abs() < 1e-9 && reading.tasks.iter().all(|share| *share >= 0.0)
        );
    }
    let mut state = 1u32;
    let mut byte = || {
        state = words::mix(state.wrapping_add(0x9E37_79B9));
        state as u8
    };
    for length in 0..300 {
        let question: Vec<u8> = (0..length * 7).map(|_| byte()).collect();
        let reading = predictor().read_prompt(&Prompt { question, ..Prompt::default() });
        assert!(reading.difficulty.is_finite() && reading.tasks.iter().all(|share| share.is_finite()));
    }
}

#[test]
fn the_strongest_cause_comes_first() {
    let question = Prompt::question("Prove that the sum of two even integers is even.");
    let causes = predictor().causes(&question);
    assert!(causes.windows(2).all(|pair| pair[0].raised.abs() >= pair[1].raised.abs()));
    assert!(causes.len() > 3 && causes.iter().all(|cause| cause.raised.is_finite()));
}

#[test]
fn the_last_user_message_is_the_question() {
    let body = json!({"messages": [
        {"role": "system", "content": "You answer in French."},
        user("An earlier question that is long enough to stand alone."),
        {"role": "assistant", "content": "An answer."},
        {"role": "user", "content": [{"type": "text", "text": "Part one of a new question,"}, {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "and \"part\" two\n\u{e9}\u{1f600}"}]},
        {"role": "tool", "tool_call_id": "1", "content": "result"}
    ]});
    let (question, system) = texts(&prompt(&body));
    assert_eq!(question, "Part one of a new question,\nand \"part\" two\n\u{e9}\u{1f600}");
    assert_eq!(system, "You answer in French.");
    let escaped =
        br#"{"messages":[{"role":"user","content":"\u00e9\ud83d\ude00 and text that is long enough to stand alone"}]}"#;
    let prompt = Prompt::of(&read_chat(escaped).unwrap());
    assert_eq!(texts(&prompt).0, "\u{e9}\u{1f600} and text that is long enough to stand alone");
}

#[test]
fn a_short_message_is_read_with_the_one_before() {
    let body = json!({"messages": [user("Write a haiku about autumn."), {"role": "assistant", "content": "…"}, user("again, but shorter")]});
    assert_eq!(texts(&prompt(&body)).0, "Write a haiku about autumn.\nagain, but shorter");
}

#[test]
fn long_questions_are_read_at_both_ends() {
    let text = format!("head {} tail", "middle ".repeat(5000));
    let (question, _) = texts(&prompt(&json!({"messages": [user(&text)]})));
    assert!(question.len() <= QUESTION_CAP + 1 && question.starts_with("head ") && question.ends_with(" tail"));
    assert_eq!(Prompt::question(&text).question, question.as_bytes());
}

#[test]
fn harness_elements_are_left_out() {
    let text = "<system-reminder>Never mention \"this\".\nTodo list is empty.</system-reminder>\nWhy is a < b here, and what does <b>bold</b> do?";
    let (question, _) = texts(&prompt(&json!({"messages": [user(text)]})));
    assert_eq!(question.trim(), "Why is a < b here, and what does <b>bold</b> do?");
    let only = "<user_info>nothing else is here, so it is the question</user_info>";
    assert_eq!(texts(&prompt(&json!({"messages": [user(only)]}))).0, only);
    let open = "<user_info>".repeat(400);
    assert_eq!(texts(&prompt(&json!({"messages": [user(&open)]}))).0.len(), QUESTION_CAP + 1);
}

#[test]
fn a_conversation_makes_it_harder_but_not_without_bound() {
    let plain = prompt(&json!({"messages": [user("Fix the failing test in the parser module, please.")]}));
    let results: Vec<Value> = (0..5000).map(|_| json!({"role": "tool", "content": "x".repeat(40)})).collect();
    let mut messages = vec![user("Fix the failing test in the parser module, please.")];
    messages.extend(results);
    let long = prompt(&json!({"messages": messages, "tools": [{"type": "function"}]}));
    assert_eq!(plain.context_difficulty(), 0.0);
    assert_eq!(long.context_difficulty(), 1.0);
    assert!(predictor().read_prompt(&long).difficulty > predictor().read_prompt(&plain).difficulty);
}

#[test]
fn the_system_prompt_counts_for_the_task() {
    let question = "Mein Hund heisst Bello und wohnt in Ulm, ich auch.";
    let instruction =
        "You classify messages. Reply with one label and extract all entities as JSON with the keys name and city.";
    let plain = predictor().read_prompt(&prompt(&json!({"messages": [user(question)]})));
    let with = predictor()
        .read_prompt(&prompt(&json!({"messages": [{"role": "system", "content": instruction}, user(question)]})));
    let share = |reading: &Reading| reading.tasks[Task::ExtractionClassification as usize];
    assert!(share(&with) > share(&plain));
}

fn leaf(value: f32, root: u16) -> Node {
    Node { threshold: 0.0, value, left: 0, right: 0, feature: LEAF, root }
}

#[test]
fn trees_add_up_and_end() {
    let split = Node { threshold: 1.5, value: 0.5, left: 2, right: 3, feature: 0, root: 1 };
    let nodes = vec![leaf(1.0, 1), split, leaf(-1.0, 0), leaf(2.0, 0)];
    let trees = Trees::new(nodes.clone()).unwrap();
    assert_eq!(Trees::read(&trees.bytes()).unwrap().bytes(), trees.bytes());
    let mut numbers = [0.0; HAND];
    assert_eq!(trees.sum(&numbers), 0.0);
    numbers[0] = 1.5;
    assert_eq!(trees.sum(&numbers), 3.0);
    let (moved, average) = trees.contributions(&numbers);
    assert_eq!((moved[0], average), (1.5, 1.5));
    numbers[0] = f32::NAN;
    assert!(trees.sum(&numbers).is_finite());
    for (left, right, feature) in [(1, 2, 0), (0, 2, 0), (2, 9, 0), (2, 3, HAND as u16)] {
        let mut broken = nodes.clone();
        broken[1] = Node { left, right, feature, ..split };
        assert!(Trees::new(broken).is_err());
    }
    assert!(Trees::new(vec![leaf(f32::NAN, 1)]).is_err());
}

#[test]
fn broken_weights_are_refused() {
    let good = predictor().weights().bytes().unwrap();
    let read = |bytes: &[u8]| Weights::read(bytes.to_vec().leak());
    assert_eq!(read(&good).unwrap().bytes().unwrap(), good);
    for cut in [0, 3, 4, 19, 20, 21, good.len() / 2] {
        assert!(read(&good[..cut]).is_err(), "{cut}");
    }
    let mut other = good.clone();
    other[0] = b'X';
    assert!(read(&other).unwrap_err().contains("no weights file"));
    let mut head = predictor().weights().head.clone();
    head.deviation[0] = 0.0;
    assert!(Weights::new(head, predictor().weights().table.clone(), Trees::default(), (&b"{}"[..]).into()).is_err());
}

#[test]
fn weights_say_where_they_come_from() {
    let about = predictor().weights().about().unwrap();
    assert!(about["data"].as_array().unwrap().iter().all(|source| source["licence"].is_string()));
    assert!(about["seed"].is_u64() && about["metrics"]["auc_weak_fails"].is_number());
    assert!(about["pool"].as_object().unwrap().len() > 50);
}

#[test]
fn an_asked_effort_counts_where_the_model_takes_it() {
    let efforts = Efforts { accepts: vec![Effort::Low, Effort::High], default: Effort::Low };
    assert_eq!(effective_effort(&efforts, Some("high")), Effort::High);
    assert_eq!(effective_effort(&efforts, Some("minimal")), Effort::Low);
    assert_eq!(effective_effort(&efforts, None), Effort::Low);
}
