//! What is known of providers before anybody configures them.
//!
//! Owns the table of presets. Never reads a policy: an explicit field always wins, and that is `providers`' business.

use super::{Apis, Dialect, Endpoint};

/// What a provider has by its `preset`.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name in the policy.
    pub name: &'static str,
    /// `dialect`.
    pub dialect: Dialect,
    /// `path`.
    pub path: &'static str,
    /// `endpoint`; `None`: everybody has an own one and must give it.
    pub endpoint: Option<&'static str>,
    /// `server`.
    pub server: Option<&'static str>,
    /// `apis`.
    pub apis: Apis,
    /// The environment variable that the provider's own SDK takes the key from; `None`: it needs no key.
    pub environment: Option<&'static str>,
}

const BOTH: Apis = Apis { chat: true, responses: true };
/// Where its Responses API keeps nothing or is new, translating is the safer way; `apis` says otherwise.
const CHAT: Apis = Apis { chat: true, responses: false };

pub(super) const OPENAI: Preset = Preset {
    name: "openai",
    dialect: Dialect::OpenAi,
    path: "/v1",
    endpoint: Some("https://api.openai.com"),
    server: None,
    apis: BOTH,
    environment: Some("OPENAI_API_KEY"),
};
const CHAT_ONLY: Preset = Preset { apis: CHAT, ..OPENAI };
const AZURE: Preset = Preset {
    name: "azure_openai",
    dialect: Dialect::AzureOpenAi,
    path: "/openai",
    endpoint: None,
    environment: Some("AZURE_OPENAI_API_KEY"),
    ..OPENAI
};
const ANTHROPIC: Preset = Preset {
    name: "anthropic",
    dialect: Dialect::Anthropic,
    endpoint: Some("https://api.anthropic.com"),
    environment: Some("ANTHROPIC_API_KEY"),
    ..OPENAI
};

/// Every preset, in the order of the documentation.
pub const PRESETS: [Preset; 12] = [
    OPENAI,
    AZURE,
    // The same resource by its newer name and host.
    Preset { name: "foundry", ..AZURE },
    Preset {
        name: "foundry_anthropic",
        path: "/anthropic/v1",
        endpoint: None,
        environment: Some("ANTHROPIC_FOUNDRY_API_KEY"),
        ..ANTHROPIC
    },
    ANTHROPIC,
    Preset { name: "xai", endpoint: Some("https://api.x.ai"), environment: Some("XAI_API_KEY"), ..OPENAI },
    Preset {
        name: "deepseek",
        endpoint: Some("https://api.deepseek.com"),
        server: Some("deepseek"),
        environment: Some("DEEPSEEK_API_KEY"),
        ..CHAT_ONLY
    },
    Preset {
        name: "mistral",
        endpoint: Some("https://api.mistral.ai"),
        environment: Some("MISTRAL_API_KEY"),
        ..CHAT_ONLY
    },
    Preset {
        name: "groq",
        path: "/openai/v1",
        endpoint: Some("https://api.groq.com"),
        server: Some("groq"),
        environment: Some("GROQ_API_KEY"),
        ..CHAT_ONLY
    },
    Preset {
        name: "openrouter",
        path: "/api/v1",
        endpoint: Some("https://openrouter.ai"),
        environment: Some("OPENROUTER_API_KEY"),
        ..CHAT_ONLY
    },
    Preset { name: "vllm", endpoint: None, server: Some("vllm"), environment: None, ..CHAT_ONLY },
    Preset {
        name: "ollama",
        endpoint: Some("http://127.0.0.1:11434"),
        server: Some("ollama"),
        environment: None,
        ..CHAT_ONLY
    },
];

impl Preset {
    /// Where the provider is, as far as all its customers have the same place.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        Endpoint::parse(self.endpoint?).ok()
    }
}
