//! Notes: how nodes tell each other where their commits have published what.
//!
//! A note is the place, a line feed, and for each event its shard, the digest of its message, how many bytes its topic has, and
//! the topic, with a space between each two. What cannot be read is passed over: whoever hears nothing looks by itself in a moment.

use std::sync::Arc;

use skald_core::event::Published;

/// Instead of a digest, where no message follows.
const NO_MESSAGE: &str = "-";

/// What a note says of one event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note<'a> {
    pub(super) published: Published,
    /// What the message is known by that follows.
    pub(super) digest: Option<&'a str>,
}

/// The note of an event that is not published as a message as well.
pub(crate) fn without_message(place: &str, shard: u32, topic: &str) -> String {
    format!("{place}\n{shard} {NO_MESSAGE} {} {topic}", topic.len())
}

/// What a note says.
pub(super) fn read(note: &[u8]) -> impl Iterator<Item = Note<'_>> {
    let note = std::str::from_utf8(note).unwrap_or_default();
    let (place, mut rest) = note.split_once('\n').unwrap_or_default();
    std::iter::from_fn(move || {
        let (shard, after) = rest.split_once(' ')?;
        let (digest, after) = after.split_once(' ')?;
        let (length, after) = after.split_once(' ')?;
        let (topic, after) = after.split_at_checked(length.parse().ok()?)?;
        rest = after;
        Some(Note {
            published: Published {
                partition: format!("{place}/{shard}").into(),
                topic: Arc::from(topic),
            },
            digest: (digest != NO_MESSAGE).then_some(digest),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Note, Published, read, without_message};

    fn note<'a>(partition: &str, topic: &str, digest: Option<&'a str>) -> Note<'a> {
        let published = Published {
            partition: partition.into(),
            topic: topic.into(),
        };
        Note { published, digest }
    }

    #[test]
    fn a_note_tells_of_each_event_whatever_its_topic_looks_like() {
        let text = "orders\n2 0af3 6 a\nb ü0 0b 1 t";
        let expected = [
            note("orders/2", "a\nb ü", Some("0af3")),
            note("orders/0", "t", Some("0b")),
        ];
        assert_eq!(read(text.as_bytes()).collect::<Vec<_>>(), expected);
        let text = without_message("$outside", 3, "some topic");
        let expected = [note("$outside/3", "some topic", None)];
        assert_eq!(read(text.as_bytes()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for bad in [
            &b""[..],
            b"t",
            b"place\n",
            b"place\n0 d 9 short",
            b"place\n0 d x t",
            b"\xff\n0 d 1 t",
        ] {
            assert_eq!(read(bad).count(), 0, "{bad:?}");
        }
    }
}
