//! Where a provider is and what opens it.
//!
//! Owns `providers[].endpoint` and `.credential`, of which Envoy's configuration is made. The filter itself never
//! connects to anything and never sees a key: it only says what is wrong with these fields.

use super::fields::section;
use super::node::Node;

/// Scheme, host and port of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`.
    pub tls: bool,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// As written, or the scheme's.
    pub port: u16,
}

impl Endpoint {
    /// From `https://host`, `http://host:8000`, `http://[::1]:8000`; a slash at the end is no matter.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Endpoint, &'static str> {
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("must begin with https:// or http://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err("must be scheme, host and port only: what follows them goes into `path`");
        }
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').or(port.is_empty().then_some(""))),
            None => rest.split_once(':').map_or((rest, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some("") if !rest.ends_with(':') => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(digits) => {
                digits.parse().ok().filter(|port| *port > 0).ok_or("must end with a port from 1 to 65535")?
            }
            None => return Err("must end with a port from 1 to 65535"),
        };
        let v6 = rest.starts_with('[');
        let legal = |c: char| c.is_ascii_alphanumeric() || (if v6 { c == ':' } else { matches!(c, '.' | '-' | '_') });
        if host.is_empty() || host.len() > 253 || !host.chars().all(legal) {
            return Err("must name a host");
        }
        Ok(Endpoint { tls, host: host.to_owned(), port })
    }

    /// What `:authority` says of it: the port only where it is not the scheme's.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

section! {
    /// Where Envoy finds the provider's key: one of the two. The key itself does not belong into the policy.
    CREDENTIAL "providers[].credential" {
        /// A file with the key and nothing else, no line break either.
        file: "a path" = "(none)", "/run/secrets/openai";
        /// A variable of Envoy's environment.
        environment: "the name of a variable" = "(none)", "OPENAI_API_KEY";
    }
}

/// Where Envoy finds a provider's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A file with the key and nothing else.
    File(String),
    /// A variable of Envoy's environment.
    Environment(String),
}

pub(super) fn endpoint(node: &Node<'_>) -> Option<Endpoint> {
    Endpoint::parse(node.text()?).map_err(|rule| node.fail(rule)).ok()
}

pub(super) fn credential(node: &Node<'_>) -> Option<Credential> {
    let fields = node.object(&CREDENTIAL)?;
    match (fields.get("file"), fields.get("environment")) {
        (Some(file), None) => one_line(&file).map(Credential::File),
        (None, Some(name)) => {
            let text = one_line(&name)?;
            if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                name.fail("must be the name of an environment variable");
                return None;
            }
            Some(Credential::Environment(text))
        }
        _ => {
            node.fail("must have either `file` or `environment`; the key itself does not belong here");
            None
        }
    }
}

fn one_line(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    if text.is_empty() || text.chars().any(char::is_control) {
        node.fail("must be one line of text");
        return None;
    }
    Some(text.to_owned())
}
