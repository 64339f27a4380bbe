//! Calls to the host that cannot fail the VM.
//!
//! The SDK's wrappers panic on most statuses, and a panic costs the worker all of its requests. These return an
//! `Option` or ignore what cannot be helped: a header set after the headers have gone, a property that is not there.

use proxy_wasm::hostcalls::dispatch_http_call;
use proxy_wasm::types::{BufferType, MapType, MetricType};
use std::ptr::{null, null_mut};
use std::time::Duration;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_buffer_bytes(kind: u32, start: usize, size: usize, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(kind: u32, start: usize, size: usize, data: *const u8, length: usize) -> u32;
    fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        kind: u32,
        name: *const u8,
        name_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        kind: u32,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(kind: u32, name: *const u8, name_length: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_length: usize, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_length: usize, value: *const u8, length: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_length: usize, value: *const u8, length: usize, version: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_length: usize,
        argument: *const u8,
        argument_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_length: usize,
        body: *const u8,
        body_length: usize,
        headers: *const u8,
        headers_length: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_length: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

const OK: u32 = 0;

/// Runs a host call that hands over memory.
fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut length) = (null_mut(), 0);
    if call(&mut data, &mut length) != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the host got this memory from the SDK's `proxy_on_memory_allocate`, a `Vec` of exactly this capacity, and
    // has given it up.
    Some(unsafe { Vec::from_raw_parts(data, length, length) })
}

/// `size` bytes of a body from `start` on, as far as they are there.
pub fn buffer(kind: BufferType, start: usize, size: usize) -> Vec<u8> {
    // SAFETY: both pointers are valid for writes.
    receive(|data, length| unsafe { proxy_get_buffer_bytes(kind as u32, start, size, data, length) })
        .unwrap_or_default()
}

/// The plugin's configuration, empty where there is none.
pub fn plugin_configuration() -> Vec<u8> {
    buffer(BufferType::PluginConfiguration, 0, usize::MAX)
}

/// Replaces the first `size` bytes of a body.
pub fn set_buffer(kind: BufferType, size: usize, value: &[u8]) {
    // SAFETY: `value` is readable for its length.
    unsafe { proxy_set_buffer_bytes(kind as u32, 0, size, value.as_ptr(), value.len()) };
}

/// All headers, as the host hands them over: for [`pairs`].
pub fn headers(kind: MapType) -> Vec<u8> {
    // SAFETY: both pointers are valid for writes.
    receive(|data, length| unsafe { proxy_get_header_map_pairs(kind as u32, data, length) }).unwrap_or_default()
}

/// Names and values of headers, in their order. A value that is no UTF-8 reads as empty.
pub fn pairs(headers: &[u8]) -> Vec<(&str, &str)> {
    parse_pairs(headers).unwrap_or_default()
}

/// Wire format of a header map: the count, then the sizes of each name and value, then each with a closing zero.
fn parse_pairs(map: &[u8]) -> Option<Vec<(&str, &str)>> {
    let size = |at: usize| Some(u32::from_le_bytes(*map.get(at..)?.first_chunk::<4>()?) as usize);
    let count = size(0)?;
    let mut at = 4usize.checked_add(count.checked_mul(8)?)?;
    let mut next = |length: usize| {
        let bytes = map.get(at..at.checked_add(length)?)?;
        at += length + 1;
        Some(core::str::from_utf8(bytes).unwrap_or_default())
    };
    (0..count).map(|index| Some((next(size(4 + index * 8)?)?, next(size(8 + index * 8)?)?))).collect()
}

/// One header's value; of several, the host joins or picks.
pub fn header(kind: MapType, name: &str) -> Option<String> {
    // SAFETY: `name` is readable for its length, the others are valid for writes.
    let value = receive(|data, length| unsafe {
        proxy_get_header_map_value(kind as u32, name.as_ptr(), name.len(), data, length)
    });
    String::from_utf8(value?).ok()
}

/// Sets a header, or removes it.
pub fn set_header(kind: MapType, name: &str, value: Option<&str>) {
    let (kind, key, length) = (kind as u32, name.as_ptr(), name.len());
    match value {
        // SAFETY: name and value are readable for their lengths.
        Some(value) => unsafe { proxy_replace_header_map_value(kind, key, length, value.as_ptr(), value.len()) },
        // SAFETY: as above.
        None => unsafe { proxy_remove_header_map_value(kind, key, length) },
    };
}

/// A property by its path.
pub fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: `path` is readable for its length, the others are valid for writes.
    receive(|data, length| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, length) })
}

/// Sets filter state that lives as long as the client's request and is seen by the other plugin.
pub fn set_property(name: &str, value: &[u8]) {
    // SAFETY: name and value are readable for their lengths.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

/// A value that all workers of this process share, and its version.
pub fn shared(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut version = 0;
    // SAFETY: `key` is readable for its length, the others are valid for writes.
    let value =
        receive(|data, length| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, length, &mut version) });
    value.map(|value| (value, version))
}

/// Sets a value that all workers of this process share, if it still has this version; 0 is any. Says whether it was.
pub fn set_shared(key: &str, value: &[u8], version: u32) -> bool {
    // SAFETY: key and value are readable for their lengths.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) == OK }
}

/// Makes Envoy choose the route, and with it the cluster, again.
pub fn clear_route_cache() {
    let name = "clear_route_cache";
    // SAFETY: `name` is readable for its length, the others are valid for writes.
    receive(|data, length| unsafe { proxy_call_foreign_function(name.as_ptr(), name.len(), null(), 0, data, length) });
}

/// Answers the client in place of a provider.
pub fn send_reply(status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = serialize_pairs(headers);
    // SAFETY: all pointers are readable for their lengths.
    unsafe {
        proxy_send_local_response(
            status.into(),
            null(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
}

/// Makes an HTTP call that takes so many milliseconds at most; `None` where the host cannot. Its answer comes with the
/// number that this gives.
pub fn call(cluster: &str, headers: Vec<(&str, &str)>, body: &[u8], timeout: u64) -> Option<u32> {
    // The SDK wants to know of each, so it has to make them. It panics only on statuses that no call gets.
    dispatch_http_call(cluster, headers, Some(body), Vec::new(), Duration::from_millis(timeout)).ok()
}

/// Lets a held request go on, from a callback that is not its own.
pub fn resume_request() {
    const REQUEST: u32 = 0;
    // SAFETY: no pointers.
    unsafe { proxy_continue_stream(REQUEST) };
}

fn serialize_pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = |length: usize| (length as u32).to_le_bytes();
    bytes.extend(size(pairs.len()));
    for (name, value) in pairs {
        bytes.extend(size(name.len()));
        bytes.extend(size(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    let mut time = 0;
    // SAFETY: valid for writes.
    unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    time
}

/// The id of a metric, which is made if it is new.
pub fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: `name` is readable for its length, `id` valid for writes.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) };
    (status == OK).then_some(id)
}

/// Adds to a counter.
pub fn increment_metric(id: u32, by: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_increment_metric(id, by as i64) };
}

/// Sets a gauge or adds a value to a histogram.
pub fn record_metric(id: u32, value: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_record_metric(id, value) };
}

/// Linear memory of this VM in bytes; it never shrinks.
pub fn memory() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size(0) as u64 * 65536;
    #[cfg(not(target_arch = "wasm32"))]
    0
}
