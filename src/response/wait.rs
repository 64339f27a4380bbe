//! How long a provider that refuses asks to wait.
//!
//! Owns the headers that say so and their forms. Never decides whether anybody waits, nor caps the time: it reports
//! what was asked.

/// Milliseconds that an answer (429, 503) asks to wait; `now` is in seconds since 1970. A time that has passed, 0 and
/// -1 say nothing.
pub fn wait(header: &dyn Fn(&str) -> Option<String>, now: u64) -> Option<u64> {
    let read = |name: &str, form: &dyn Fn(&str) -> Option<f64>| positive(form(header(name)?.trim())?);
    let reset = |what: &str| {
        let remaining = header(&format!("x-ratelimit-remaining-{what}"));
        // A limit that leaves something is not the one that was hit. Azure says -1 for what it does not know.
        let left = remaining.and_then(|count| count.trim().parse::<i64>().ok()).is_some_and(|count| count > 0);
        if left { None } else { read(&format!("x-ratelimit-reset-{what}"), &duration) }
    };
    read("retry-after-ms", &decimal)
        .or_else(|| read("retry-after", &|value| Some(decimal(value)? * 1e3)))
        .or_else(|| read("retry-after", &|value| Some(1e3 * date(value)?.saturating_sub(now) as f64)))
        .or_else(|| reset("requests").max(reset("tokens")))
}

/// Whole milliseconds, rounded up: who comes a fraction early is refused again.
fn positive(milliseconds: f64) -> Option<u64> {
    (milliseconds > 0.0).then(|| milliseconds.ceil() as u64)
}

/// Digits with at most one point; none of the other things that a float may be.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

/// Milliseconds of `6m30s`, `120ms`, `1.5s`, or of plain seconds.
fn duration(text: &str) -> Option<f64> {
    if let Some(seconds) = decimal(text) {
        return Some(seconds * 1e3);
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit_on) = rest.split_at_checked(digits)?;
        let end = unit_on.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_on.len());
        let (unit, next) = unit_on.split_at_checked(end)?;
        let scale = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            "d" => 86_400e3,
            _ => return None,
        };
        sum += decimal(number)? * scale;
        rest = next;
    }
    Some(sum)
}

/// Seconds since 1970 of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`: the only form that is still sent.
fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // Days before each month in a year that begins in March, so that the leap day is its last.
    const BEFORE: [u64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    let mut parts = text.split_ascii_whitespace().skip(1);
    let day: u64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month = parts.next().and_then(|name| MONTHS.iter().position(|month| *month == name))?;
    let year: u64 = parts.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<u64>().ok().filter(|part| *part <= 60));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if parts.next() != Some("GMT") {
        return None;
    }
    let year = if month < 2 { year - 1 } else { year };
    // Days from 1 March of the year 0 to 1 January 1970.
    const EPOCH: u64 = 719_468;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + BEFORE.get(month)? + day - 1;
    Some(((days.checked_sub(EPOCH)? * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 784_111_777;

    fn asked(headers: &[(&str, &str)]) -> Option<u64> {
        let find = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        wait(&find, NOW)
    }

    #[test]
    fn the_plainest_word_counts() {
        let resets = [("x-ratelimit-reset-requests", "1s"), ("x-ratelimit-reset-tokens", "6m30s")];
        let with = |headers: &[(&'static str, &'static str)]| asked(&[headers, &resets].concat());
        assert_eq!(with(&[("retry-after-ms", "12.3"), ("retry-after", "9")]), Some(13));
        assert_eq!(with(&[("retry-after-ms", "soon"), ("retry-after", " 9 ")]), Some(9_000));
        assert_eq!(with(&[("retry-after", "0.5")]), Some(500));
        assert_eq!(with(&[]), Some(390_000));
        for nothing in ["0", "-1", "", "nan", "inf", "1e3", "1.2.3", "Sun, 06 Nov 1994 08:49:36 GMT"] {
            assert_eq!(with(&[("retry-after", nothing)]), Some(390_000), "{nothing}");
        }
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn only_a_limit_that_was_hit_counts() {
        let limits = |requests: &str, tokens: &str| {
            asked(&[
                ("x-ratelimit-remaining-requests", requests),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-tokens", tokens),
                ("x-ratelimit-reset-tokens", "120ms"),
            ])
        };
        assert_eq!(limits("0", "0"), Some(1_000));
        assert_eq!(limits("10", "0"), Some(120));
        assert_eq!(limits("10", "10"), None);
        assert_eq!(limits("-1", "10"), Some(1_000));
    }

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("1s", Some(1_000)),
            ("6m30s", Some(390_000)),
            ("120ms", Some(120)),
            ("1h0m0.5s", Some(3_600_500)),
            ("1d", Some(86_400_000)),
            ("59", Some(59_000)),
            ("0", None),
            ("-1", None),
            ("0s", None),
            ("s", None),
            ("5", Some(5_000)),
            ("5x", None),
            ("5s5", None),
            ("5 s", None),
            ("é", None),
            ("99999999999999999999999999d", Some(u64::MAX)),
        ] {
            assert_eq!(asked(&[("x-ratelimit-reset-tokens", text)]), milliseconds, "{text}");
        }
    }

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(NOW)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1969 08:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(date(text), seconds, "{text}");
        }
        assert_eq!(asked(&[("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT")]), Some(2_000));
    }
}
