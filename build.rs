//! Says which weights are compiled in: `src/predict/weights.bin`, or the file that `MODEL_ROUTER_WEIGHTS` names.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=MODEL_ROUTER_WEIGHTS");
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src/predict/weights.bin");
    let file = std::env::var_os("MODEL_ROUTER_WEIGHTS").filter(|name| !name.is_empty()).map_or(own, PathBuf::from);
    println!("cargo::rerun-if-changed={}", file.display());
    println!("cargo::rustc-env=MODEL_ROUTER_WEIGHTS_FILE={}", file.display());
}
