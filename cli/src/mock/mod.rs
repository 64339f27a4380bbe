//! The mock provider: a server that stands in for a paid model provider in demos, tests and benchmarks.
//!
//! It speaks the wire formats of Chat Completions and Responses, in the flavour of OpenAI or of Azure, and that of
//! Anthropic's Messages, as Anthropic, Azure, Vertex and Bedrock offer it. It refuses what the real one refuses, and fails in the ways real ones fail when `/_mock/faults` tells it to. It never calls a model, never
//! checks credentials, and keeps nothing on disk.
//!
//! | module | owns |
//! |---|---|
//! | [`args`] | the command line → one [`provider::Config`] and its addresses per provider |
//! | [`server`] | sockets: binding, accepting, resetting |
//! | [`provider`] | one provider's state, and the way of a request through it |
//! | [`paths`] | which of the many path forms a request uses |
//! | [`control`] | `/_mock/*` |
//! | [`record`] | the last requests, as received |
//! | [`form`] | multipart bodies, read as JSON |
//! | [`faults`] | what goes wrong next |
//! | [`delivery`] | pace, and what goes wrong with an answer |
//! | [`fields`] | a request's body, whichever the endpoint |
//! | [`chat`] | a Chat Completions request, read |
//! | [`tools`] | the tool an answer has to call |
//! | [`prompt`] | what a model reads |
//! | [`validate`] | what a real provider would refuse of a chat |
//! | [`checks`] | refusals that endpoints share |
//! | [`answer`] | what the mock says, and what that costs |
//! | [`completion`] | the answer as a chat completion |
//! | [`chunks`] | the same as server-sent events |
//! | [`sample`] | a JSON value that fits a JSON schema |
//! | [`cache`] | the imitation of the provider's prompt cache |
//! | [`responses`] | the Responses API: requests, shapes, events, memory |
//! | [`messages`] | the Messages API: requests, shapes, events, frames |
//! | [`moderation`] | moderations: what is flagged |
//! | [`other`] | embeddings, completions, images |
//! | [`stream`] | pace and faults of server-sent events |
//! | [`compress`] | gzip that nobody asked for |
//! | [`reply`] | HTTP responses and their headers |
//! | [`dialect`] | whose errors and headers an answer has |
//! | [`errors`] | error bodies in OpenAI's shape |
//! | [`models`] | model names: snapshots and families |
//! | [`ids`] | unique identifiers |

mod answer;
mod args;
mod cache;
mod chat;
mod checks;
mod chunks;
mod completion;
mod compress;
mod control;
mod delivery;
mod dialect;
mod errors;
mod faults;
mod fields;
mod form;
mod ids;
mod messages;
mod models;
mod moderation;
mod other;
mod paths;
mod prompt;
mod provider;
mod record;
mod reply;
mod responses;
mod sample;
mod server;
mod stream;
mod tools;
mod validate;

#[cfg(test)]
mod tests;

pub use args::Args;

use std::io::Write as _;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Serves every provider of `args` until SIGINT or SIGTERM.
///
/// Prints one line per listener once it accepts connections. Fails when the arguments contradict each other or an
/// address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    for spec in args.providers()? {
        let name = spec.config.name.clone();
        let provider = provider::Provider::new(spec.config);
        for address in &spec.listen {
            let local = server::start(address, provider.clone())
                .await
                .with_context(|| format!("cannot listen on {address} for {name}"))?;
            writeln!(std::io::stdout(), "mock provider {name} listens on {local}")?;
        }
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
