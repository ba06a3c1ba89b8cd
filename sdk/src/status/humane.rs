//! Numbers as people read them.

use std::time::Duration;

/// Bytes in the unit that a person would choose, of 1024.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (u128::from(bytes) * 10, "B");
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths.div_ceil(1024), next);
    }
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// Three digits and a unit.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        seconds if seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
        seconds if seconds < 0.1 => format!("{:.2} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// With a space between the thousands.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 shard`, `32 shards`.
pub(crate) fn of_count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, count, of_count, span};

    #[test]
    fn sizes_have_the_unit_that_a_person_would_choose() {
        let sizes = [0, 1023, 1024, 1536, 10_000_000, 1 << 40, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1 kB", "1.5 kB", "9.6 MB", "1 TB", "16777216 TB"]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        for (micros, text) in [
            (7, "7 µs"),
            (1_230, "1.23 ms"),
            (123_400, "123 ms"),
            (1_500_000, "1.5 s"),
            (600_000_000, "10 min"),
            (36_000_000_000, "10 h"),
            (864_000_000_000, "10 days"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(
            (of_count(1, "shard", "shards"), of_count(32, "shard", "shards")),
            ("1 shard".into(), "32 shards".into())
        );
    }
}
