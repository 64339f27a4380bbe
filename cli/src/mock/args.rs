//! The command line of `mock-provider`: turns flags into one [`Config`] and its addresses per provider.
//!
//! Never touches a socket.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::ArgAction;
use clap::builder::BoolishValueParser;

use super::provider::Config;
use super::record::Mode;

/// Arguments of `model-router mock-provider`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// One provider, `NAME=ADDRESS,OPTION,…` with the options azure, lenient, chat-only, messages-only, latency=MS, token-rate=N; repeat for several
    #[arg(long = "provider", value_name = "SPEC", required_unless_present = "listen")]
    pub provider: Vec<Spec>,

    /// Address of the provider called --name; repeat to listen on several. Port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<String>,

    /// Name of the provider behind --listen
    #[arg(long, default_value = "openai")]
    pub name: String,

    /// Azure flavour (content filters, error bodies, headers) for the provider behind --listen
    #[arg(long)]
    pub azure: bool,

    /// Tokens per second of an answer; 0 means at once
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub token_rate: u32,

    /// Milliseconds before the first byte of an answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,

    /// Model named in the answer to a request for another, `requested=snapshot`; repeat for several
    #[arg(long, value_name = "REQUESTED=SNAPSHOT", value_parser = parse_pair)]
    pub served_as: Vec<(String, String)>,

    /// Refuse the parameters that the real model refuses; --strict=false accepts them
    #[arg(long, default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub strict: bool,

    /// What GET /_mock/requests keeps of bodies: full, head (the first 64 KiB), or off (records no request)
    #[arg(long, value_enum, default_value_t = Mode::Full)]
    pub record: Mode,
}

/// A value of `--provider`. Absent options take the value of the global flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    name: String,
    listen: String,
    azure: bool,
    lenient: bool,
    chat_only: bool,
    messages_only: bool,
    latency: Option<u64>,
    token_rate: Option<u32>,
}

impl FromStr for Spec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, rest) = text.split_once('=').unwrap_or_default();
        let mut parts = rest.split(',');
        let listen = parts.next().unwrap_or_default();
        ensure!(!name.is_empty() && !listen.is_empty(), "expected NAME=ADDRESS[,option…]");
        let mut spec = Self {
            name: name.to_owned(),
            listen: listen.to_owned(),
            azure: false,
            lenient: false,
            chat_only: false,
            messages_only: false,
            latency: None,
            token_rate: None,
        };
        for option in parts {
            match option.split_once('=') {
                None if option == "azure" => spec.azure = true,
                None if option == "lenient" => spec.lenient = true,
                None if option == "chat-only" => spec.chat_only = true,
                None if option == "messages-only" => spec.messages_only = true,
                Some(("latency", value)) => spec.latency = Some(value.parse()?),
                Some(("token-rate", value)) => spec.token_rate = Some(value.parse()?),
                _ => bail!(
                    "unknown option `{option}`: azure, lenient, chat-only, messages-only, latency=MS and token-rate=N exist"
                ),
            }
        }
        ensure!(!(spec.chat_only && spec.messages_only), "`chat-only` and `messages-only` leave nothing to serve");
        Ok(spec)
    }
}

/// One provider to run, and where.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// How it behaves.
    pub config: Config,
    /// `host:port` of every listener; all share one state.
    pub listen: Vec<String>,
}

impl Args {
    /// The providers to run: the one behind `--listen` first, then each `--provider` in order.
    ///
    /// Fails when two of them share a name.
    pub fn providers(&self) -> anyhow::Result<Vec<Resolved>> {
        let base = Config {
            name: self.name.clone(),
            azure: self.azure,
            strict: self.strict,
            chat_only: false,
            messages_only: false,
            per_token: per_token(self.token_rate),
            latency: Duration::from_millis(self.latency),
            served_as: Arc::new(self.served_as.iter().cloned().collect()),
            record: self.record,
        };
        let mut all = Vec::new();
        if !self.listen.is_empty() {
            all.push(Resolved { config: base.clone(), listen: self.listen.clone() });
        }
        for spec in &self.provider {
            ensure!(all.iter().all(|one| one.config.name != spec.name), "two providers are called `{}`", spec.name);
            let config = Config {
                name: spec.name.clone(),
                azure: spec.azure,
                strict: self.strict && !spec.lenient,
                chat_only: spec.chat_only,
                messages_only: spec.messages_only,
                per_token: per_token(spec.token_rate.unwrap_or(self.token_rate)),
                latency: Duration::from_millis(spec.latency.unwrap_or(self.latency)),
                ..base.clone()
            };
            all.push(Resolved { config, listen: vec![spec.listen.clone()] });
        }
        Ok(all)
    }
}

fn per_token(rate: u32) -> Duration {
    match rate {
        0 => Duration::ZERO,
        rate => Duration::from_secs(1) / rate,
    }
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err("expected REQUESTED=SNAPSHOT".to_owned()),
    }
}
