//! Money, exactly.
//!
//! Amounts are whole millionths of a dollar: the log has six decimals, so each of its amounts is one, and sums of them
//! neither drift nor differ from those of Prometheus.

use std::ops::{Add, Sub};

/// The most that one request may cost, in USD; more is a broken line.
const MOST: f64 = 1e6;
/// Millionths.
const ONE: i128 = 1_000_000;

/// Millionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub i128);

impl Amount {
    /// The amount nearest to what stands in a log, if that can be what a request cost.
    pub fn of_request(usd: f64) -> Option<Amount> {
        // Doubles hold millionths of such amounts exactly.
        (0.0..=MOST).contains(&usd).then(|| Amount((usd * ONE as f64).round() as i128))
    }

    /// For charts and shares.
    pub fn usd(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// All of it: `-0.001500`.
    pub fn exact(self) -> String {
        let Amount(millionths) = self;
        let sign = if millionths < 0 { "-" } else { "" };
        let all = millionths.unsigned_abs();
        let one = ONE.unsigned_abs();
        format!("{sign}{}.{:06}", all / one, all % one)
    }

    /// As people read it: `−$1,234.50`.
    pub fn show(self, decimals: u32) -> String {
        let unit = 10u128.pow(6u32.saturating_sub(decimals));
        let all = (self.0.unsigned_abs() + unit / 2) / unit;
        let one = 10u128.pow(decimals);
        let sign = if self.0 < 0 && all > 0 { "−" } else { "" };
        let whole = crate::page::format::count(all / one);
        format!("{sign}${whole}.{:0width$}", all % one, width = decimals as usize)
    }

    /// Decimals that tell amounts up to this one from each other, the same for all of them.
    pub fn decimals(self) -> u32 {
        match self.0.unsigned_abs() / ONE.unsigned_abs() {
            100.. => 2,
            1.. => 4,
            0 => 6,
        }
    }
}

impl Add for Amount {
    type Output = Amount;

    fn add(self, other: Amount) -> Amount {
        Amount(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Amount;

    fn sub(self, other: Amount) -> Amount {
        Amount(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for text in ["0.000000", "0.000001", "0.100000", "12.345678", "999999.999999", "1000000.000000"] {
            assert_eq!(Amount::of_request(text.parse().unwrap()).unwrap().exact(), text);
        }
        for wrong in [-0.000001, 1_000_000.1, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(Amount::of_request(wrong), None);
        }
    }

    #[test]
    fn sums_do_not_drift() {
        let tenth = Amount::of_request(0.1).unwrap();
        let sum = (0..1_000_000).fold(Amount::default(), |sum, _| sum + tenth);
        assert_eq!(sum.exact(), "100000.000000");
        let drifted: f64 = (0..1_000_000).map(|_| 0.1).sum();
        assert_ne!(drifted, 100_000.0, "which is why");
    }

    #[test]
    fn people_read_few_decimals() {
        let show = |millionths, decimals| Amount(millionths).show(decimals);
        assert_eq!(show(1_234_567_890_123, 2), "$1,234,567.89");
        assert_eq!(show(-1_500, 4), "−$0.0015");
        assert_eq!(show(-4, 4), "$0.0000");
        assert_eq!(show(5_000, 2), "$0.01");
        assert_eq!([0, 999_999, 1_000_000, 99_999_999, 100_000_000].map(|it| Amount(it).decimals()), [6, 6, 4, 4, 2]);
    }
}
