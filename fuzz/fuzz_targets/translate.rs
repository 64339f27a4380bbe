#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| model_router_fuzz::translate::run(data));
