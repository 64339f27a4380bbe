//! At which effort a row was measured.
//!
//! Owns the rules that turn a publisher's words into an [`Effort`] of the catalog. Never looks at scores.
//!
//! # Rules
//! 1. An effort that is named counts (`gpt-5-mini-low`, `medium(default)`; not the `High` of *high school*). Where the
//!    model's API does not take it, the nearest lower one that it takes.
//! 2. `non-thinking`, `nothinking`, `no thinking`, `non-reasoning`, `chat` → none.
//! 3. `thinking`, `reasoning`, `reasoner`, `adaptive` → high.
//! 4. Rows of a vendor's own that name nothing are its best mode: the highest effort that the model takes, or high for
//!    a model without a control that is elsewhere listed with thinking. This is a guess, so they count half.
//! 5. Others that name nothing → the model's default.
//!
//! A model that always reasons and takes no effort (grok-4, deepseek-r1) has one effort, whatever a row says. A model
//! whose catalog entry has no control works plainly: a Chat Completions request does not turn on the thinking of Claude
//! and DeepSeek.

use model_router::catalog::{Effort, Facts};

use super::scores::Row;

/// What a row says of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// An effort by name.
    Named(Effort),
    /// Without thinking.
    Plain,
    /// With thinking, no effort named.
    Thinking,
    /// Nothing, in a vendor's own row.
    Best,
    /// Nothing.
    Unnamed,
}

const PLAIN: [&str; 6] =
    ["nothinking", "non-thinking", "non-reasoning", "no thinking", "without thinking", "no extended thinking"];
const THINKING: [&str; 4] = ["thinking", "reasoning", "reasoner", "adaptive"];

/// What a row says of its mode.
pub fn mode(row: &Row) -> Mode {
    let text = row.text().replace("high school", "");
    let words = || text.split(|character: char| !character.is_ascii_alphanumeric());
    // `max` is never an effort here: it occurs as "max steps".
    let named = words().find_map(|word| Effort::from_name(word).filter(|effort| *effort != Effort::Max));
    if let Some(effort) = named {
        return Mode::Named(effort);
    }
    if PLAIN.iter().any(|plain| text.contains(plain)) || words().any(|word| word == "chat") {
        return Mode::Plain;
    }
    if THINKING.iter().any(|thinking| text.contains(thinking)) {
        return Mode::Thinking;
    }
    if row.self_reported { Mode::Best } else { Mode::Unnamed }
}

/// How a model is run.
#[derive(Clone, Debug)]
pub struct Control {
    accepts: Vec<Effort>,
    /// What it does when nothing is asked for.
    pub default: Effort,
    fixed: bool,
    thinks: bool,
}

impl Control {
    /// The control of a model with these rows.
    pub fn of(facts: &Facts, rows: &[Row]) -> Control {
        if let Some(efforts) = &facts.reasoning {
            let fixed = efforts.accepts.is_empty();
            return Control { accepts: efforts.accepts.clone(), default: efforts.default, fixed, thinks: true };
        }
        let modes = || rows.iter().map(mode);
        let thinks = modes().any(|mode| matches!(mode, Mode::Thinking | Mode::Named(_)));
        Control { accepts: Vec::new(), default: Effort::None, fixed: false, thinks }
    }

    /// The efforts that need abilities whether measured or not, rising.
    pub fn needed(&self) -> Vec<Effort> {
        let mut efforts = self.accepts.clone();
        efforts.push(self.default);
        efforts.sort();
        efforts.dedup();
        efforts
    }

    /// The effort at which a row of this mode was measured.
    pub fn effort(&self, mode: Mode) -> Effort {
        if self.fixed || mode == Mode::Unnamed {
            return self.default;
        }
        let wanted = match mode {
            Mode::Named(effort) => effort,
            Mode::Plain => Effort::None,
            Mode::Thinking => Effort::High,
            Mode::Best if self.thinks => self.accepts.iter().max().copied().unwrap_or(Effort::High),
            Mode::Best | Mode::Unnamed => self.default,
        };
        if self.accepts.is_empty() {
            return wanted;
        }
        let below = self.accepts.iter().filter(|effort| **effort <= wanted).max();
        below.or(self.accepts.iter().min()).copied().unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model_router::catalog::Catalog;

    fn said(variant: &str) -> Mode {
        mode(&Row { variant: Some(variant.to_owned()), ..Row::default() })
    }

    fn effort(model: &str, mode: Mode) -> Effort {
        let catalog = Catalog::without_abilities().unwrap();
        Control::of(catalog.get(model).unwrap(), &[]).effort(mode)
    }

    #[test]
    fn words_of_publishers() {
        assert_eq!(said("medium(default)"), Mode::Named(Effort::Medium));
        assert_eq!(said("adaptive, high"), Mode::Named(Effort::High));
        assert_eq!(said("none(default)"), Mode::Named(Effort::None));
        assert_eq!(said("thinking 64k"), Mode::Thinking);
        assert_eq!(said("V3.2-Exp Reasoner"), Mode::Thinking);
        assert_eq!(said("V3.2-Exp Chat"), Mode::Plain);
        assert_eq!(said("GPT-4o without thinking mode"), Mode::Plain);
        assert_eq!(said("High school math competition"), Mode::Unnamed);
        assert_eq!(said("increased max steps from 30 to 100"), Mode::Unnamed);
        let own = Row { self_reported: true, ..Row::default() };
        assert_eq!(mode(&own), Mode::Best);
    }

    #[test]
    fn modes_become_efforts_that_the_model_takes() {
        assert_eq!(effort("gpt-5", Mode::Named(Effort::None)), Effort::Minimal);
        assert_eq!(effort("gpt-5", Mode::Thinking), Effort::High);
        assert_eq!(effort("gpt-5.2", Mode::Best), Effort::Xhigh);
        assert_eq!(effort("gpt-5.2", Mode::Unnamed), Effort::None);
        assert_eq!(effort("grok-4", Mode::Named(Effort::High)), Effort::Medium);
        assert_eq!(effort("gpt-4.1", Mode::Best), Effort::None);
        assert_eq!(effort("claude-haiku-4-5", Mode::Thinking), Effort::High);
        assert_eq!(effort("gpt-5.3-chat", Mode::Thinking), Effort::Medium);
    }
}
