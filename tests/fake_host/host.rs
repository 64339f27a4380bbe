//! A host in the test: defines what the filter imports, drives what it exports, and keeps what it did.

use std::cell::RefCell;
use std::collections::BTreeMap;

pub type Pairs = Vec<(String, String)>;

/// The host's side of one client request, and what the plugins have done to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    pub configuration: Vec<u8>,
    pub root_id: String,
    pub request_headers: Pairs,
    pub response_headers: Pairs,
    pub request_body: Vec<u8>,
    pub response_body: Vec<u8>,
    pub properties: BTreeMap<String, Vec<u8>>,
    pub metrics: BTreeMap<String, u64>,
    pub reply: Option<(u32, Pairs, String)>,
    pub log: Vec<String>,
    /// What the workers of a process share.
    pub shared: BTreeMap<String, Vec<u8>>,
    /// Seconds since 1970, but for one.
    pub clock: u64,
    /// HTTP calls that were made and not answered yet.
    pub calls: Vec<HttpCall>,
    /// No call can be made.
    pub calls_fail: bool,
    /// The answer to the call at hand.
    pub call_headers: Pairs,
    pub call_body: Vec<u8>,
    /// How often a held request was let go on from another callback.
    pub resumed: u32,
    last_call: u32,
    metric_names: Vec<(u32, String)>,
}

/// An HTTP call of the filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpCall {
    pub token: u32,
    pub cluster: String,
    pub headers: Pairs,
    pub body: Vec<u8>,
    /// In milliseconds.
    pub timeout: u32,
}

thread_local!(pub static HOST: RefCell<Host> = RefCell::default());

/// Looks at or changes the host.
pub fn host<T>(with: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with(|host| with(&mut host.borrow_mut()))
}

impl Host {
    /// The filter keeps the ids of its metrics as long as it lives; nor does a host forget how far it has counted.
    pub fn keep_metric_names(&mut self, before: Host) {
        self.metric_names = before.metric_names;
        self.last_call = before.last_call;
    }

    fn headers(&mut self, kind: u32) -> Option<&mut Pairs> {
        match kind {
            0 => Some(&mut self.request_headers),
            2 => Some(&mut self.response_headers),
            6 => Some(&mut self.call_headers),
            _ => None,
        }
    }

    fn body(&mut self, kind: u32) -> Option<&mut Vec<u8>> {
        match kind {
            0 => Some(&mut self.request_body),
            1 => Some(&mut self.response_body),
            4 => Some(&mut self.call_body),
            7 => Some(&mut self.configuration),
            _ => None,
        }
    }
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;

unsafe extern "C" {
    fn proxy_on_memory_allocate(size: usize) -> *mut u8;
    fn _initialize();
    pub fn proxy_on_context_create(context: u32, root: u32);
    pub fn proxy_on_vm_start(context: u32, size: usize) -> bool;
    pub fn proxy_on_configure(context: u32, size: usize) -> bool;
    pub fn proxy_on_request_headers(context: u32, count: usize, end: bool) -> u32;
    pub fn proxy_on_request_body(context: u32, size: usize, end: bool) -> u32;
    pub fn proxy_on_request_trailers(context: u32, count: usize) -> u32;
    pub fn proxy_on_response_headers(context: u32, count: usize, end: bool) -> u32;
    pub fn proxy_on_response_body(context: u32, size: usize, end: bool) -> u32;
    pub fn proxy_on_response_trailers(context: u32, count: usize) -> u32;
    pub fn proxy_on_http_call_response(root: u32, token: u32, headers: usize, size: usize, trailers: usize);
    pub fn proxy_on_done(context: u32) -> bool;
    pub fn proxy_on_log(context: u32);
    pub fn proxy_on_delete(context: u32);
}

/// Starts the filter in this thread; the SDK keeps its state per thread.
pub fn initialize() {
    // The SDK sets up its logger once per process, without a lock: a VM has one thread.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    unsafe { _initialize() }
    // The SDK sends panics to the host's log; a test wants to see them.
    drop(std::panic::take_hook());
}

unsafe fn bytes<'a>(data: *const u8, length: usize) -> &'a [u8] {
    if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } }
}

unsafe fn text(data: *const u8, length: usize) -> String {
    String::from_utf8_lossy(unsafe { bytes(data, length) }).into_owned()
}

unsafe fn give(value: &[u8], data: *mut *mut u8, length: *mut usize) -> u32 {
    unsafe {
        *length = value.len();
        *data = std::ptr::null_mut();
        if !value.is_empty() {
            *data = proxy_on_memory_allocate(value.len());
            std::ptr::copy_nonoverlapping(value.as_ptr(), *data, value.len());
        }
    }
    OK
}

fn pairs(map: &[u8]) -> Pairs {
    let size = |at: usize| u32::from_le_bytes(map[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 4 + 8 * size(0);
    let mut next = |length: usize| {
        let text = String::from_utf8_lossy(&map[at..at + length]).into_owned();
        at += length + 1;
        text
    };
    (0..size(0)).map(|index| (next(size(4 + 8 * index)), next(size(8 + 8 * index)))).collect()
}

fn serialize(pairs: &Pairs) -> Vec<u8> {
    let mut map = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in pairs {
        map.extend([name, value].iter().flat_map(|text| (text.len() as u32).to_le_bytes()));
    }
    for (name, value) in pairs {
        map.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    map
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_log(level: u32, data: *const u8, length: usize) -> u32 {
    let line = format!("{level} {}", unsafe { text(data, length) });
    host(|host| host.log.push(line));
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32 {
    unsafe { *time = host(|host| host.clock + 1) * 1_000_000_000 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_length: usize,
    data: *mut *mut u8,
    length: *mut usize,
    version: *mut u32,
) -> u32 {
    let key = unsafe { text(key, key_length) };
    match host(|host| host.shared.get(&key).cloned()) {
        Some(value) => unsafe {
            *version = 1;
            give(&value, data, length)
        },
        None => NOT_FOUND,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_shared_data(
    key: *const u8,
    key_length: usize,
    value: *const u8,
    length: usize,
    _version: u32,
) -> u32 {
    let (key, value) = unsafe { (text(key, key_length), bytes(value, length).to_vec()) };
    host(|host| host.shared.insert(key, value));
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_buffer_bytes(
    kind: u32,
    start: usize,
    size: usize,
    data: *mut *mut u8,
    length: *mut usize,
) -> u32 {
    let value = host(|host| {
        let body = host.body(kind)?;
        let end = start.saturating_add(size).min(body.len());
        Some(body.get(start..end)?.to_vec())
    });
    match value {
        Some(value) => unsafe { give(&value, data, length) },
        None => BAD_ARGUMENT,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_buffer_bytes(
    kind: u32,
    start: usize,
    size: usize,
    data: *const u8,
    length: usize,
) -> u32 {
    let value = unsafe { bytes(data, length) };
    host(|host| match host.body(kind) {
        // As Envoy does: the front may be replaced, the middle not.
        Some(body) if start == 0 => {
            body.splice(..size.min(body.len()), value.iter().copied());
            OK
        }
        _ => BAD_ARGUMENT,
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, length: *mut usize) -> u32 {
    match host(|host| host.headers(kind).map(|pairs| serialize(pairs))) {
        Some(map) => unsafe { give(&map, data, length) },
        None => BAD_ARGUMENT,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_value(
    kind: u32,
    name: *const u8,
    name_length: usize,
    data: *mut *mut u8,
    length: *mut usize,
) -> u32 {
    let name = unsafe { text(name, name_length) };
    let found =
        host(|host| host.headers(kind).and_then(|pairs| Some(pairs.iter().find(|(key, _)| *key == name)?.1.clone())));
    match found {
        Some(value) => unsafe { give(value.as_bytes(), data, length) },
        None => NOT_FOUND,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_replace_header_map_value(
    kind: u32,
    name: *const u8,
    name_length: usize,
    value: *const u8,
    length: usize,
) -> u32 {
    let (name, value) = unsafe { (text(name, name_length), text(value, length)) };
    host(|host| match host.headers(kind) {
        Some(pairs) => {
            pairs.retain(|(key, _)| *key != name);
            pairs.push((name, value));
            OK
        }
        None => BAD_ARGUMENT,
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_remove_header_map_value(kind: u32, name: *const u8, length: usize) -> u32 {
    let name = unsafe { text(name, length) };
    host(|host| {
        host.headers(kind).map_or(BAD_ARGUMENT, |pairs| {
            pairs.retain(|(key, _)| *key != name);
            OK
        })
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_property(
    path: *const u8,
    path_length: usize,
    data: *mut *mut u8,
    length: *mut usize,
) -> u32 {
    let path = unsafe { text(path, path_length) }.replace('\0', ".");
    let value = host(|host| match path.as_str() {
        "plugin_root_id" => Some(host.root_id.clone().into_bytes()),
        _ => host.properties.get(&path).cloned(),
    });
    match value {
        Some(value) => unsafe { give(&value, data, length) },
        None => NOT_FOUND,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_property(path: *const u8, path_length: usize, data: *const u8, length: usize) -> u32 {
    let (path, value) = unsafe { (text(path, path_length), bytes(data, length).to_vec()) };
    host(|host| host.properties.insert(path, value));
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_call_foreign_function(
    _name: *const u8,
    _name_length: usize,
    _argument: *const u8,
    _argument_length: usize,
    data: *mut *mut u8,
    length: *mut usize,
) -> u32 {
    unsafe { give(&[], data, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_send_local_response(
    status: u32,
    _details: *const u8,
    _details_length: usize,
    body: *const u8,
    body_length: usize,
    headers: *const u8,
    headers_length: usize,
    _grpc_status: i32,
) -> u32 {
    let reply = unsafe { (status, pairs(bytes(headers, headers_length)), text(body, body_length)) };
    host(|host| host.reply = Some(reply));
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_http_call(
    cluster: *const u8,
    cluster_length: usize,
    headers: *const u8,
    headers_length: usize,
    body: *const u8,
    body_length: usize,
    _trailers: *const u8,
    _trailers_length: usize,
    timeout: u32,
    token: *mut u32,
) -> u32 {
    const INTERNAL_FAILURE: u32 = 10;
    let (cluster, headers, body) = unsafe {
        (text(cluster, cluster_length), pairs(bytes(headers, headers_length)), bytes(body, body_length).to_vec())
    };
    host(|host| {
        // As Envoy does: a call that fails at once has a number too.
        host.last_call += 1;
        if host.calls_fail {
            return INTERNAL_FAILURE;
        }
        unsafe { *token = host.last_call };
        host.calls.push(HttpCall { token: host.last_call, cluster, headers, body, timeout });
        OK
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_continue_stream(_kind: u32) -> u32 {
    host(|host| host.resumed += 1);
    OK
}

#[unsafe(no_mangle)]
extern "C" fn proxy_set_effective_context(_context: u32) -> u32 {
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_define_metric(_kind: u32, name: *const u8, length: usize, id: *mut u32) -> u32 {
    let name = unsafe { text(name, length) };
    let new = host(|host| {
        let new = host.metric_names.len() as u32;
        host.metric_names.push((new, name));
        new
    });
    unsafe { *id = new };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn proxy_increment_metric(id: u32, by: i64) -> u32 {
    host(|host| {
        let name = host.metric_names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
        *host.metrics.entry(name.unwrap_or_default()).or_default() += by as u64;
    });
    OK
}

#[unsafe(no_mangle)]
extern "C" fn proxy_record_metric(_id: u32, _value: u64) -> u32 {
    OK
}

/// Imports of the SDK that the filter never calls, but that must be there to link.
macro_rules! never_called {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)] extern "C" fn $name() -> u32 { unreachable!(stringify!($name)) })*
    };
}

never_called! {
    proxy_add_header_map_value
    proxy_close_stream
    proxy_dequeue_shared_queue
    proxy_done
    proxy_enqueue_shared_queue
    proxy_get_log_level
    proxy_get_metric
    proxy_get_status
    proxy_grpc_call
    proxy_grpc_cancel
    proxy_grpc_close
    proxy_grpc_send
    proxy_grpc_stream
    proxy_register_shared_queue
    proxy_resolve_shared_queue
    proxy_set_header_map_pairs
    proxy_set_tick_period_milliseconds
}
