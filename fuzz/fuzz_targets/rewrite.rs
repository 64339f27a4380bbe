#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| model_router_fuzz::rewrite::run(data));
