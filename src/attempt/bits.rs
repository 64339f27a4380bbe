//! Prices as a brief has them: the bits of each number, because decimals take long to write and to read.
//!
//! Never rounds: what is read is what was written.

use crate::catalog::{LongContextPrice, Price};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Input, cached input, cache write, the same for an hour, output; then those of long contexts, and above how many tokens.
type Bits = ([u64; 5], Option<(u32, [u64; 3])>);

/// Stands for a number that is not known. No price is one.
const NONE: u64 = u64::MAX;

pub fn serialize<S: Serializer>(price: &Option<Price>, serializer: S) -> Result<S::Ok, S::Error> {
    price.as_ref().map(written).serialize(serializer)
}

pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Price>, D::Error> {
    Ok(Option::<Bits>::deserialize(deserializer)?.map(read))
}

fn written(price: &Price) -> Bits {
    let known = |number: Option<f64>| number.map_or(NONE, f64::to_bits);
    let Price { input, cached_input, cache_write, cache_write_1h, output, long_context } = price;
    let long =
        |long: &LongContextPrice| (long.above, [long.input.to_bits(), known(long.cached_input), long.output.to_bits()]);
    let numbers = [Some(*input), *cached_input, *cache_write, *cache_write_1h, Some(*output)];
    (numbers.map(known), long_context.as_ref().map(long))
}

fn read(([input, cached_input, cache_write, cache_write_1h, output], long): Bits) -> Price {
    let known = |bits: u64| (bits != NONE).then_some(f64::from_bits(bits));
    Price {
        input: f64::from_bits(input),
        cached_input: known(cached_input),
        cache_write: known(cache_write),
        cache_write_1h: known(cache_write_1h),
        output: f64::from_bits(output),
        long_context: long.map(|(above, [input, cached_input, output])| LongContextPrice {
            above,
            input: f64::from_bits(input),
            cached_input: known(cached_input),
            output: f64::from_bits(output),
        }),
    }
}
