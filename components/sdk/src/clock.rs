//! The time of day, and how it is written: RFC 3339, UTC, milliseconds.

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// The time now. Domain code takes it as an argument instead.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Writes `2026-08-21T09:30:00.000Z`.
pub fn format(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.format(format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    ))
    // Only a broken description fails, and ours is checked when compiling.
    .unwrap_or_default()
}

/// Reads any RFC 3339 time; `None` if it is none.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Milliseconds since 1970; zero for what was before.
pub fn millis(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}

/// For `#[serde(with = "sdk::clock::rfc3339")]`.
pub mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
    use time::OffsetDateTime;

    /// Writes the time as [`super::format`] does.
    pub fn serialize<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*at))
    }

    /// Reads what [`super::parse`] does.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse(&text).ok_or_else(|| D::Error::custom("expected a time as RFC 3339 writes it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let at = parse("2026-08-21T11:30:00.1239+02:00").unwrap();
        assert_eq!(format(at), "2026-08-21T09:30:00.123Z");
        assert_eq!(parse("yesterday"), None);
        assert_eq!(millis(parse("1970-01-01T00:00:01.5Z").unwrap()), 1_500);
        assert_eq!(millis(parse("1969-01-01T00:00:01.5Z").unwrap()), 0);
    }
}
