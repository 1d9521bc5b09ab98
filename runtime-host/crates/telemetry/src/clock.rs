//! The one place that reads the time of day.

use std::time::SystemTime;

use time::{OffsetDateTime, macros::format_description};

/// The time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the time of day"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// A time as RFC 3339 in UTC with milliseconds: `2026-01-31T23:59:59.999Z`.
pub fn rfc3339(at: SystemTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // Only years beyond 9999 have no such form, and no clock of ours shows one.
    OffsetDateTime::from(at).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let at = UNIX_EPOCH + Duration::from_millis(1_767_225_599_042);
        assert_eq!(super::rfc3339(at), "2025-12-31T23:59:59.042Z");
    }
}
