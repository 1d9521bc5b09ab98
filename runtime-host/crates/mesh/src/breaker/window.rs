//! Exact counts of what ended well and badly lately: a ring of buckets, each a tenth of the window.

use std::time::Duration;

/// A tenth of the window is forgotten at a time: coarse enough to be cheap, fine enough not to jump.
const BUCKETS: u32 = 10;

/// What happened within the last `span`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    width: Duration,
    buckets: [Bucket; BUCKETS as usize],
}

/// What happened within one tenth.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Which tenth since the beginning; an old one is as good as empty.
    tenth: u64,
    counts: Counts,
}

/// How many calls ended well and badly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u32,
    pub(super) bad: u32,
}

// === impl Window ===

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        let width = (span / BUCKETS).max(Duration::from_millis(1));
        Self {
            width,
            buckets: [Bucket::default(); BUCKETS as usize],
        }
    }

    pub(super) fn count_good(&mut self, now: Duration) {
        let counts = self.current(now);
        counts.good = counts.good.saturating_add(1);
    }

    pub(super) fn count_bad(&mut self, now: Duration) {
        let counts = self.current(now);
        counts.bad = counts.bad.saturating_add(1);
    }

    /// All that happened within the window that ends now.
    pub(super) fn counts(&self, now: Duration) -> Counts {
        let tenth = self.tenth(now);
        let recent = |bucket: &&Bucket| bucket.tenth.saturating_add(BUCKETS.into()) > tenth;
        self.buckets
            .iter()
            .filter(recent)
            .fold(Counts::default(), |sum, bucket| Counts {
                good: sum.good.saturating_add(bucket.counts.good),
                bad: sum.bad.saturating_add(bucket.counts.bad),
            })
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.buckets = [Bucket::default(); BUCKETS as usize];
    }

    fn current(&mut self, now: Duration) -> &mut Counts {
        let tenth = self.tenth(now);
        let [first, rest @ ..] = &mut self.buckets;
        let place = usize::try_from(tenth % u64::from(BUCKETS)).unwrap_or_default();
        let bucket = match place.checked_sub(1).and_then(|place| rest.get_mut(place)) {
            Some(bucket) => bucket,
            None => first,
        };
        if bucket.tenth != tenth {
            *bucket = Bucket {
                tenth,
                counts: Counts::default(),
            };
        }
        &mut bucket.counts
    }

    fn tenth(&self, now: Duration) -> u64 {
        u64::try_from(now.as_nanos() / self.width.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Counts, Window};

    #[test]
    fn what_is_older_than_the_window_is_forgotten_bucket_by_bucket() {
        let at = Duration::from_millis;
        let mut window = Window::new(Duration::from_secs(10));
        window.count_bad(at(500));
        window.count_good(at(1_500));
        window.count_good(at(9_999));
        assert_eq!(window.counts(at(9_999)), Counts { good: 2, bad: 1 });
        assert_eq!(window.counts(at(10_000)), Counts { good: 2, bad: 0 });
        assert_eq!(window.counts(at(11_000)), Counts { good: 1, bad: 0 });
        window.count_bad(at(19_500));
        assert_eq!(window.counts(at(19_500)), Counts { good: 0, bad: 1 });
    }
}
