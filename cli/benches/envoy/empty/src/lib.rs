//! Two plugins that do nothing: what Envoy and the SDK take for any two, before either has read a byte.
//!
//! Both roots hold the request's body until it is whole and then set one header, as no plugin that decides on the body
//! can avoid. With the configuration `idle` they do not even that. Neither ever copies a body into its VM.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { idle: false }));
}}

struct Root {
    idle: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.idle = self.get_plugin_configuration().as_deref() == Some(b"idle");
        true
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(if self.idle { Box::new(Idle) } else { Box::new(Hold) })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// A stream whose callbacks are the SDK's own.
struct Idle;
impl Context for Idle {}
impl HttpContext for Idle {}

/// A stream whose request is held.
struct Hold;
impl Context for Hold {}

impl HttpContext for Hold {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.hold_until(end_of_stream)
    }

    fn on_http_request_body(&mut self, _size: usize, end_of_stream: bool) -> Action {
        self.hold_until(end_of_stream)
    }
}

impl Hold {
    fn hold_until(&self, whole: bool) -> Action {
        if !whole {
            return Action::Pause;
        }
        self.set_http_request_header("x-held", Some("1"));
        Action::Continue
    }
}
