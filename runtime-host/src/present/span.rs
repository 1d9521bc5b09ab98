//! Lengths of time and of texts, as people read them.

/// A length of time, as exact as people need it.
pub(crate) fn span(micros: u64) -> String {
    const SECOND: u64 = 1_000_000;
    let seconds = micros / SECOND;
    match seconds {
        0 => format!("{} ms", micros / 1_000),
        1..60 => format!("{seconds}.{} s", micros % SECOND / 100_000),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// The beginning of a text, if it is too long for a line.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(longest).collect();
    short.push('…');
    short
}
