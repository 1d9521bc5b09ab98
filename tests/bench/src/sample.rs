//! What becomes of many measurements of the same thing.

/// Measurements of the same thing, in the order they were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

// === impl Sample ===

impl Sample {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value below which this share of the measurements lies.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(position(last, share))
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// How far the middle half of the measurements lies apart, as a share of the median: what noise there was.
    pub(crate) fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / self.median()
    }

    /// What `divide` makes of the measurements that were made in the same round.
    pub(crate) fn paired(&self, other: &Self, divide: impl Fn(f64, f64) -> f64) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(one, other)| divide(*one, *other))
                .collect(),
        )
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count is a count"
)]
fn position(last: usize, share: f64) -> usize {
    (last as f64 * share).round() as usize
}

#[cfg(test)]
mod tests {
    use super::Sample;

    fn sample(values: &[f64]) -> Sample {
        values.iter().copied().collect()
    }

    #[test]
    fn one_measurement_far_off_changes_nothing() {
        let noisy = sample(&[10.0, 11.0, 9_000.0, 10.0, 9.0]);
        assert_eq!(noisy.median(), 10.0);
        assert_eq!(noisy.spread(), 0.1);
    }

    #[test]
    fn rounds_are_compared_with_themselves() {
        // The second round was slow for both, so that their ratio says the same as the others.
        let (one, other) = (sample(&[10.0, 50.0, 10.0]), sample(&[2.0, 10.0, 2.0]));
        assert_eq!(one.paired(&other, |one, other| one / other).median(), 5.0);
    }
}
