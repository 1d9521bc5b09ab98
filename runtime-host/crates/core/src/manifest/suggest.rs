//! "Did you mean …?": the nearest of the words that would have been right.

/// The end of a message about the unknown word `written`: a suggestion when one of `candidates` is near, else the
/// list of what is possible when that is short, else nothing.
pub(super) fn instead_of<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(suggestion) = similar(written, candidates.iter().copied()) {
        return suggestion;
    }
    candidates.sort_unstable();
    candidates.dedup();
    match candidates.len() {
        0 => String::new(),
        1..=MOST_LISTED => format!("; known here: {}", listed(&candidates)),
        _ => String::new(),
    }
}

/// The end of a message about the unknown word `written` when one of `candidates` is near.
pub(super) fn similar<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let word = nearest(written, candidates)?;
    Some(format!("; did you mean `{word}`?"))
}

/// Words in backticks, with commas between them.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// A longer list than this is no help; the person reads the documentation instead.
const MOST_LISTED: usize = 8;

/// The word that was probably meant by `written`.
pub(super) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = fold(written);
    // A third of the word may be wrong; more than that and any short word resembles any other.
    let limit = (folded.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *candidate != written)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `_`, `-` and capitals are the usual slips, so they do not count as differences.
fn fold(word: &str) -> Vec<char> {
    word.chars()
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Edit distance in which two swapped neighbours count as one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut previous_b = None;
        for (j, &y) in b.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&last, j) + usize::from(x != y))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            if j > 0 && previous_a == Some(y) && previous_b == Some(x) {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
            previous_b = Some(y);
        }
        before_last = std::mem::replace(&mut last, row);
        previous_a = Some(x);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::{distance, instead_of};

    fn edits(a: &str, b: &str) -> usize {
        distance(
            &a.chars().collect::<Vec<_>>(),
            &b.chars().collect::<Vec<_>>(),
        )
    }

    #[test]
    fn edits_are_counted_and_a_swap_is_one() {
        assert_eq!(edits("source", "source"), 0);
        assert_eq!(edits("sorce", "source"), 1);
        assert_eq!(edits("soruce", "source"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(
            instead_of("sorce", ["source", "build"]),
            "; did you mean `source`?"
        );
        assert_eq!(
            instead_of("key-value-stores", ["key_value_stores"]),
            "; did you mean `key_value_stores`?"
        );
        assert_eq!(
            instead_of("colour", ["source", "build"]),
            "; known here: `build`, `source`"
        );
        assert_eq!(instead_of("colour", []), "");
    }
}
