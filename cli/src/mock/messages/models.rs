//! What the models called Claude take and refuse (FACTS §2.2), told by their names: Anthropic's own, with dates or
//! without, and those of Vertex and Bedrock.
//!
//! Facts only. A name without a version has no rules.

/// A model called Claude.
#[derive(Debug, Clone, Copy)]
pub struct Claude<'a> {
    name: &'a str,
    version: Option<(u8, u8)>,
}

impl<'a> Claude<'a> {
    /// The model of a name, if it is one of these.
    pub fn of(name: &'a str) -> Option<Self> {
        let (_, rest) = name.split_once("claude")?;
        // A date has more digits than a version.
        let mut numbers = rest.split(['-', '@', '.']).filter(|part| part.len() <= 2).map(str::parse::<u8>);
        let major = numbers.find_map(Result::ok);
        let minor = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self { name, version: major.map(|major| (major, minor)) })
    }

    fn from(self, version: (u8, u8)) -> bool {
        self.version.is_some_and(|own| own >= version)
    }

    fn before(self, version: (u8, u8)) -> bool {
        self.version.is_some_and(|own| own < version)
    }

    fn is(self, family: &str) -> bool {
        self.name.contains(family)
    }

    /// Continues a message that the client began.
    pub fn takes_prefill(self) -> bool {
        !self.from((4, 6))
    }

    /// Takes `temperature`, `top_p` and `top_k`.
    pub fn takes_sampling(self) -> bool {
        !self.from((4, 7))
    }

    /// Takes `temperature` along with `top_p`.
    pub fn takes_both(self) -> bool {
        !(self.from((4, 1)) && self.before((4, 6)))
    }

    /// Thinks as many tokens as it is told.
    pub fn takes_thinking_budget(self) -> bool {
        !self.from((4, 7))
    }

    /// Thinks as much as it sees fit.
    pub fn takes_adaptive_thinking(self) -> bool {
        !self.before((4, 6))
    }

    /// Can be made to call a tool.
    pub fn takes_forced_tool(self) -> bool {
        !self.is("fable")
    }

    /// The values of `output_config.effort`; none where it takes no such parameter.
    pub fn efforts(self) -> &'static [&'static str] {
        if self.before((4, 6)) && !(self.is("opus") && self.from((4, 5))) {
            &[]
        } else if self.before((4, 7)) {
            &["low", "medium", "high", "max"]
        } else {
            &["low", "medium", "high", "xhigh", "max"]
        }
    }

    /// Answers in JSON that fits a schema.
    pub fn takes_format(self) -> bool {
        !self.before((4, 5))
    }
}

/// The name under which the answer to a request for `model` is signed: Anthropic's own for it, without what Vertex
/// and Bedrock add.
pub fn signed(model: &str) -> String {
    let name = model.rsplit_once("anthropic.").map_or(model, |(_, name)| name);
    let name = name.split_once("-v").filter(|(_, rest)| rest.contains(':')).map_or(name, |(name, _)| name);
    name.replace('@', "-")
}
