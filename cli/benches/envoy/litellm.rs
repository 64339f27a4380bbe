//! LiteLLM's proxy: how it is started to do what the filter's Envoy does, with nothing else to do. Never sends requests.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Its version, which is pinned with all that it needs.
pub fn version() -> Option<&'static str> {
    include_str!("litellm/requirements.txt").lines().find_map(|line| line.strip_prefix("litellm=="))
}

/// One model, served by the provider on this port. No key is asked for, as at the filter's Envoy.
pub fn config(model: &str, provider: u16) -> Value {
    let provider = format!("http://127.0.0.1:{provider}/v1");
    json!({
        "model_list": [{
            "model_name": model,
            "litellm_params": {"model": "openai/gpt-5-mini", "api_base": provider, "api_key": "sk-of-the-provider"},
        }],
        // As the filter does.
        "litellm_settings": {"drop_params": true},
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": true},
    })
}

/// What runs it: one worker, no telemetry, no lists fetched that the package has too, nothing logged but errors.
pub fn command(root: &Path, config: &Path, port: u16, core: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(root.join(".tools/litellm/bin/litellm"));
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--num_workers", "1", "--telemetry", "False"]);
    command.arg("--config").arg(config);
    command.envs([("LITELLM_LOG", "ERROR"), ("LITELLM_MODE", "PRODUCTION")]);
    command.envs(["LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"].map(|name| (name, "True")));
    command
}
