//! What the fuzzer has found worth keeping, run again through what the fuzz targets check. Needs no fuzzer.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// The host's side of the ABI is raw pointers throughout.
#![allow(clippy::missing_safety_doc, clippy::not_unsafe_ptr_arg_deref)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn the_corpus_shows_nothing_wrong() {
    let mut wrong = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, check) in fuzz::TARGETS {
        let mut files: Vec<_> = root.join(name).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has a corpus");
        for file in files {
            let data = std::fs::read(&file).unwrap();
            if catch_unwind(|| check(&data)).is_err() {
                wrong.push(file);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
