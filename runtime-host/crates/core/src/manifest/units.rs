//! Durations and sizes, as people write them.

use std::{fmt, time::Duration};

/// An amount of memory or data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(u64);

// === impl ByteSize ===

impl ByteSize {
    /// So many bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many times 1024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count * KIB)
    }

    /// So many times 1024 KiB.
    pub const fn mib(count: u64) -> Self {
        Self(count * MIB)
    }

    /// The number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number of bytes; the largest there is where it does not fit.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Reads `64MiB`, `512KiB`, `1GiB` or `100B`; the error says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text);
        let factor = match unit {
            "B" => 1,
            "KiB" => KIB,
            "MiB" => MIB,
            "GiB" => GIB,
            _ => return Err(size_fix(text, number, unit)),
        };
        let count: Option<u64> = number.parse().ok();
        match count.and_then(|count| count.checked_mul(factor)) {
            Some(0) => Err(format!(
                "`{text}` is nothing; write a size above zero, such as `64MiB`"
            )),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(size_fix(text, number, unit)),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (factor, unit) in [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")] {
            if self.0 != 0 && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}B", self.0)
    }
}

/// Reads `10s`, `100ms`, `2m`, `1h` or `30d`; the error says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(duration_fix(text, number)),
    };
    let count: Option<u64> = number.parse().ok();
    match count.and_then(|count| count.checked_mul(millis)) {
        Some(0) => Err(format!(
            "`{text}` is no time at all; write a duration above zero, such as `10s`"
        )),
        Some(millis) => Ok(Duration::from_millis(millis)),
        None => Err(duration_fix(text, number)),
    }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn split(text: &str) -> (&str, &str) {
    let at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn duration_fix(text: &str, number: &str) -> String {
    if text == number && !number.is_empty() {
        return format!("`{text}` has no unit; did you mean `{number}s` or `{number}ms`?");
    }
    format!(
        "`{text}` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`"
    )
}

fn size_fix(text: &str, number: &str, unit: &str) -> String {
    let unit = unit.trim().to_ascii_lowercase();
    let is_right = ["b", "kib", "mib", "gib"].contains(&unit.as_str()) && text.ends_with('B');
    if is_right && !number.is_empty() {
        return format!(
            "`{text}` is more than any machine has; write a smaller size, such as `64MiB`"
        );
    }
    let meant = ["KiB", "MiB", "GiB"]
        .into_iter()
        .find(|name| unit.chars().next() == name.to_ascii_lowercase().chars().next());
    match meant {
        None if text == number && !number.is_empty() => {
            format!("`{text}` has no unit; did you mean `{number}MiB`?")
        }
        Some(meant) if !number.is_empty() => {
            format!("`{text}` is not a size; did you mean `{number}{meant}`?")
        }
        Some(_) | None => {
            format!(
                "`{text}` is not a size; write a whole number with `B`, `KiB`, `MiB` or `GiB`, such as `64MiB`"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ByteSize, parse_duration};

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_hours(720)));
    }

    #[test]
    fn sizes_print_as_they_are_written() {
        for text in ["64MiB", "1GiB", "512KiB", "100B"] {
            assert_eq!(ByteSize::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ByteSize::parse("1024KiB"), Ok(ByteSize::mib(1)));
    }

    #[test]
    fn a_wrong_amount_comes_with_a_right_one() {
        let durations = [
            "10",
            "soon",
            "0s",
            "1.5s",
            "-1s",
            "",
            "99999999999999999999h",
        ];
        let durations = durations
            .map(|text| parse_duration(text).unwrap_err())
            .join("\n");
        insta::assert_snapshot!(durations, @r"
        `10` has no unit; did you mean `10s` or `10ms`?
        `soon` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`
        `0s` is no time at all; write a duration above zero, such as `10s`
        `1.5s` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`
        `-1s` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`
        `` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`
        `99999999999999999999h` is not a duration; write a whole number with `ms`, `s`, `m`, `h` or `d`, such as `10s`
        ");
        let sizes = [
            "64",
            "64MB",
            "64 mib",
            "1k",
            "0B",
            "big",
            "99999999999999GiB",
        ];
        let sizes = sizes
            .map(|text| ByteSize::parse(text).unwrap_err())
            .join("\n");
        insta::assert_snapshot!(sizes, @r"
        `64` has no unit; did you mean `64MiB`?
        `64MB` is not a size; did you mean `64MiB`?
        `64 mib` is not a size; did you mean `64MiB`?
        `1k` is not a size; did you mean `1KiB`?
        `0B` is nothing; write a size above zero, such as `64MiB`
        `big` is not a size; write a whole number with `B`, `KiB`, `MiB` or `GiB`, such as `64MiB`
        `99999999999999GiB` is more than any machine has; write a smaller size, such as `64MiB`
        ");
    }
}
