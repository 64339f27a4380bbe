//! What the mock knows about model names: which snapshot serves a name, and which family's rules apply to it.
//!
//! Facts only. Never refuses an unknown name: such a model is served under its own name, without rules.

/// OpenAI's names and the dates of the snapshots behind them (`facts/models.json`, `azure_version`).
const SNAPSHOTS: &[(&str, &str)] = &[
    ("gpt-4o", "2024-11-20"),
    ("gpt-4o-mini", "2024-07-18"),
    ("gpt-4.1", "2025-04-14"),
    ("gpt-4.1-mini", "2025-04-14"),
    ("gpt-4.1-nano", "2025-04-14"),
    ("o1", "2024-12-17"),
    ("o3", "2025-04-16"),
    ("o4-mini", "2025-04-16"),
    ("gpt-5", "2025-08-07"),
    ("gpt-5-mini", "2025-08-07"),
    ("gpt-5-nano", "2025-08-07"),
    ("gpt-5-chat", "2025-08-07"),
    ("gpt-5.2", "2025-12-11"),
    ("gpt-5.2-chat", "2025-12-11"),
    ("gpt-5.3-chat", "2026-03-03"),
    ("gpt-5.4", "2026-03-05"),
    ("gpt-5.4-mini", "2026-03-17"),
    ("gpt-5.4-nano", "2026-03-17"),
    ("gpt-5.5", "2026-04-24"),
];

/// The name under which the answer to a request for `model` is signed: `gpt-5-mini` → `gpt-5-mini-2025-08-07`.
/// Names outside the table, snapshots included, stay as they are.
pub fn snapshot(model: &str) -> String {
    match SNAPSHOTS.iter().find(|(name, _)| *name == model) {
        Some((name, date)) => format!("{name}-{date}"),
        None => model.to_owned(),
    }
}

/// Every name the mock lists under `/v1/models`.
pub fn listed() -> impl Iterator<Item = String> {
    SNAPSHOTS.iter().flat_map(|(name, date)| [(*name).to_owned(), format!("{name}-{date}")])
}

/// Models that accept and refuse the same parameters (FACTS §2.1, §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// gpt-3.5, gpt-4o, gpt-4.1, …: sampling parameters, no reasoning.
    Gpt4,
    /// gpt-5-chat: like [`Family::Gpt4`], under a name that looks like a reasoning model's.
    Gpt5Chat,
    /// o1, o3, o4.
    OSeries,
    /// gpt-5, -mini, -nano.
    Gpt5,
    /// gpt-5.1 to gpt-5.4: do not reason unless asked to, and then take sampling parameters.
    Gpt5Point,
    /// gpt-5.5 and later: reason unless told `none`.
    Gpt5Late,
    /// gpt-5.2-chat, gpt-5.3-chat: reason at one effort.
    Gpt5PointChat,
    /// Reasoning models of others (grok-4, deepseek-r1, gpt-oss): no rules, but reasoning tokens.
    OtherReasoning,
    /// Everything else: no rules.
    Other,
}

impl Family {
    /// The family of a model name or snapshot.
    pub fn of(model: &str) -> Self {
        if let Some(rest) = model.strip_prefix("gpt-5") {
            return match rest.strip_prefix('.') {
                Some(minor) if minor.contains("-chat") => Self::Gpt5PointChat,
                Some(minor) if minor.starts_with(['1', '2', '3', '4']) => Self::Gpt5Point,
                Some(_) => Self::Gpt5Late,
                None if rest.starts_with("-chat") => Self::Gpt5Chat,
                None => Self::Gpt5,
            };
        }
        let is = |name: &str| model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if ["o1", "o3", "o4"].into_iter().any(is) {
            Self::OSeries
        } else if ["gpt-4", "gpt-3.5", "chatgpt-4o"].into_iter().any(|prefix| model.starts_with(prefix)) {
            Self::Gpt4
        } else if model.contains("non-reasoning") {
            Self::Other
        } else if ["grok-4", "deepseek-r1", "gpt-oss"].iter().any(|prefix| model.to_lowercase().starts_with(prefix)) {
            Self::OtherReasoning
        } else {
            Self::Other
        }
    }

    /// Whether OpenAI makes it, so that unknown parameters are refused.
    pub fn is_openai(self) -> bool {
        !matches!(self, Self::OtherReasoning | Self::Other)
    }

    /// The values of `reasoning_effort` it takes; none at all where it refuses the parameter, `None` where the mock
    /// has no rule.
    pub fn efforts(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Gpt4 | Self::Gpt5Chat => Some(&[]),
            Self::OSeries => Some(&["low", "medium", "high"]),
            Self::Gpt5 => Some(&["minimal", "low", "medium", "high"]),
            Self::Gpt5Point | Self::Gpt5Late => Some(&["none", "low", "medium", "high", "xhigh"]),
            Self::Gpt5PointChat => Some(&["medium"]),
            Self::OtherReasoning | Self::Other => None,
        }
    }

    /// The effort at which it answers a request that asks for `asked`; `none` for models that do not reason.
    pub fn effort(self, asked: Option<&str>) -> &str {
        match (self, asked) {
            (Self::Gpt4 | Self::Gpt5Chat | Self::Other, _) => "none",
            (_, Some(asked)) => match asked {
                "none" => "none",
                "minimal" => "minimal",
                "low" => "low",
                "high" => "high",
                "xhigh" | "max" => "xhigh",
                _ => "medium",
            },
            (Self::Gpt5Point, None) => "none",
            (_, None) => "medium",
        }
    }
}
