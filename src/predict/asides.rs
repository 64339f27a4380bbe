//! Sentences around a question that are not part of it: courtesies, and pleas for a certain model.
//!
//! Owns which sentences those are. They are taken off both ends only, so a text that is about them keeps them; a text
//! of nothing else is left as it is.

/// A sentence of these words alone is a courtesy.
const COURTESY: [&str; 76] = [
    "a",
    "advance",
    "again",
    "all",
    "and",
    "appreciate",
    "appreciated",
    "are",
    "be",
    "best",
    "bitte",
    "bonjour",
    "cheers",
    "ciao",
    "day",
    "dear",
    "doing",
    "effort",
    "evening",
    "everyone",
    "finds",
    "for",
    "friend",
    "good",
    "gracias",
    "great",
    "greatly",
    "hallo",
    "have",
    "hello",
    "help",
    "hey",
    "hi",
    "hola",
    "hope",
    "i",
    "im",
    "in",
    "is",
    "it",
    "kind",
    "kindly",
    "lot",
    "lovely",
    "m",
    "merci",
    "morning",
    "much",
    "my",
    "nice",
    "obrigado",
    "of",
    "please",
    "pretty",
    "re",
    "really",
    "regards",
    "so",
    "support",
    "team",
    "thank",
    "thanks",
    "thankyou",
    "the",
    "there",
    "this",
    "time",
    "tons",
    "u",
    "very",
    "vielen",
    "well",
    "would",
    "you",
    "your",
    "danke",
];
/// One of these makes a sentence a courtesy rather than a fragment of small words.
const MARKS: [&str; 22] = [
    "appreciate",
    "appreciated",
    "bitte",
    "bonjour",
    "cheers",
    "ciao",
    "danke",
    "dear",
    "gracias",
    "hallo",
    "hello",
    "hey",
    "hi",
    "hola",
    "hope",
    "kindly",
    "merci",
    "obrigado",
    "please",
    "regards",
    "thank",
    "thanks",
];
/// A sentence that tells to use a model, and has one of these, asks the router, not the model.
const PLEAS: [&str; 9] =
    ["expensive", "costliest", "priciest", "strongest", "smartest", "premium", "flagship", "biggest", "dearest"];
const MODELS: [&str; 2] = ["model", "llm"];
const ORDERS: [&str; 8] = ["choose", "pick", "route", "select", "send", "switch", "take", "use"];
/// Longer sentences say more than that.
const LONGEST: usize = 160;

/// The question without such sentences at its ends, and without white space there.
pub fn strip(text: &[u8]) -> &[u8] {
    let whole = text.trim_ascii();
    let mut rest = whole;
    while let Some((first, behind)) = first_sentence(rest).filter(|(first, _)| is_aside(first)) {
        rest = behind.trim_ascii_start();
        if first.is_empty() || rest.is_empty() {
            break;
        }
    }
    while let Some((before, last)) = last_sentence(rest).filter(|(_, last)| is_aside(last)) {
        rest = before.trim_ascii_end();
        if last.is_empty() || rest.is_empty() {
            break;
        }
    }
    if rest.is_empty() { whole } else { rest }
}

fn ends(byte: u8) -> bool {
    matches!(byte, b'.' | b'!' | b'?' | b'\n')
}

/// The first sentence with its end, and what is behind it.
fn first_sentence(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(LONGEST).position(|byte| ends(*byte) || *byte == b',')?;
    let signs = text.get(end..)?.iter().take_while(|byte| ends(**byte) || **byte == b',').count();
    text.split_at_checked(end + signs)
}

/// What is before the last sentence, and that sentence.
fn last_sentence(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let signs = text.iter().rev().take_while(|byte| ends(**byte)).count();
    let inside = text.get(..text.len() - signs)?;
    let length = inside.iter().rev().take(LONGEST).position(|byte| ends(*byte))?;
    text.split_at_checked(inside.len() - length)
}

fn is_aside(sentence: &[u8]) -> bool {
    let words = || sentence.split(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80).filter(|word| !word.is_empty());
    let any = |list: &[&str]| words().any(|word| is_in(word, list));
    let courtesy = any(&MARKS) && words().all(|word| is_in(word, &COURTESY));
    courtesy || (any(&PLEAS) && any(&MODELS) && any(&ORDERS))
}

fn is_in(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> &str {
        core::str::from_utf8(strip(text.as_bytes())).unwrap()
    }

    #[test]
    fn courtesies_and_pleas_at_the_ends_go() {
        let question = "What is the capital of France?";
        for around in [
            format!("Hello! I hope you are well. {question}"),
            format!("hi there, {question}"),
            format!("  {question} Thank you very much in advance for your help.\n"),
            format!("{question}\n\nThanks!"),
            format!("{question} Use the most expensive model for this, it is important."),
            format!("Please use the strongest model. {question} Best regards"),
        ] {
            assert_eq!(stripped(&around), question, "{around}");
        }
    }

    #[test]
    fn what_may_be_the_question_stays() {
        for text in [
            "Hello!",
            "thanks",
            "Hi. How are you?",
            "Is it good?",
            "Write a thank you note. It is for my mother.",
            "",
            "?",
            "...",
        ] {
            let kept = stripped(text);
            assert!(kept == text || kept == "How are you?", "{text}: {kept}");
        }
        assert_eq!(
            stripped("Which is the most expensive model of this camera?"),
            "Which is the most expensive model of this camera?"
        );
    }

    #[test]
    fn any_bytes_end() {
        for text in [&b"\xff\xfe. \x80!"[..], b"!!!???", b"hi\nhi\nhi\n", b",,,,", b"thanks. thanks. thanks."] {
            assert!(strip(text).len() <= text.len());
        }
    }
}
