//! Entries of a journal as bytes: what one commit adds, with what shows that it is whole and in its place.
//!
//! ```text
//! "SKJ1" | sequence u64 | epoch u64 | link of the entry before, 16 bytes | records u32
//!        | for each record: kind u16, at u64, length u32, postcard | CRC-32C of all before, u32
//! ```
//!
//! Numbers are little-endian. The link is the first half of the SHA-256 of an entry, so that entries cannot change
//! places or come from another journal.

use bytes::{Buf, BufMut, Bytes};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Record, Stamped};

const MAGIC: &[u8; 4] = b"SKJ1";

/// The bytes of an entry without its records.
const FRAME: usize = 4 + 8 + 8 + 16 + 4 + 4;

/// The bytes of a record without what is in it.
const HEAD: usize = 2 + 8 + 4;

/// The kinds this version knows, in the order of [`Record`]'s cases.
const KINDS: u16 = 11;

/// What ties an entry to the one before.
pub type Link = [u8; 16];

/// What one commit adds to a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place, counted from 1.
    pub sequence: u64,
    /// Who wrote it.
    pub epoch: u64,
    /// The link of the entry before; zeros before the first.
    pub previous: Link,
    /// What happened, in order.
    pub records: Vec<Stamped>,
}

/// The end of a journal, where the next entry goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The sequence of the last entry; 0 before the first.
    pub sequence: u64,
    /// Its link.
    pub link: Link,
}

/// Bytes that are not the entry they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("entry {sequence}, byte {offset}: {what}")]
pub struct Damage {
    /// Which entry, counted from 1.
    pub sequence: u64,
    /// Where in it.
    pub offset: usize,
    /// What is wrong.
    pub what: String,
}

/// Something that has no bytes: more than 4 GiB, or a value that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the record cannot be written: {0}")]
pub struct Unwritable(String);

/// The bytes of an entry, and the tail after it.
pub fn encode(entry: &Entry) -> Result<(Bytes, Tail), Unwritable> {
    let unwritable = |what: &dyn ToString| Unwritable(what.to_string());
    let mut bytes = Vec::with_capacity(FRAME + entry.records.len() * 128);
    bytes.put_slice(MAGIC);
    bytes.put_u64_le(entry.sequence);
    bytes.put_u64_le(entry.epoch);
    bytes.put_slice(&entry.previous);
    bytes.put_u32_le(u32::try_from(entry.records.len()).map_err(|error| unwritable(&error))?);
    for stamped in &entry.records {
        let record = postcard::to_stdvec(&stamped.record).map_err(|error| unwritable(&error))?;
        bytes.put_u16_le(kind(&stamped.record));
        bytes.put_u64_le(stamped.at);
        bytes.put_u32_le(u32::try_from(record.len()).map_err(|error| unwritable(&error))?);
        bytes.put_slice(&record);
    }
    bytes.put_u32_le(crc32c::crc32c(&bytes));
    let tail = Tail {
        sequence: entry.sequence,
        link: link(&bytes),
    };
    Ok((bytes.into(), tail))
}

/// The entry that these bytes are, if they follow `tail`, and the tail after it.
pub fn decode(bytes: &Bytes, tail: Tail) -> Result<(Entry, Tail), Damage> {
    let mut reader = Reader {
        rest: bytes.clone(),
        whole: bytes.len(),
        sequence: tail.sequence.saturating_add(1),
    };
    let entry = reader.entry(bytes)?;
    if entry.sequence != reader.sequence {
        return Err(reader.damage(4, format!("it says that it is entry {}", entry.sequence)));
    }
    if entry.previous != tail.link {
        return Err(reader.damage(20, "it does not follow the entry before".to_owned()));
    }
    let tail = Tail {
        sequence: entry.sequence,
        link: link(bytes),
    };
    Ok((entry, tail))
}

/// All records of a journal, and where it goes on.
pub fn read(entries: &[Bytes]) -> Result<(Vec<Stamped>, Tail), Damage> {
    let (mut records, mut tail) = (Vec::new(), Tail::default());
    for bytes in entries {
        let (entry, next) = decode(bytes, tail)?;
        records.extend(entry.records);
        tail = next;
    }
    Ok((records, tail))
}

fn link(bytes: &[u8]) -> Link {
    let whole: [u8; 32] = Sha256::digest(bytes).into();
    let mut link = Link::default();
    link.copy_from_slice(whole.split_at(16).0);
    link
}

const fn kind(record: &Record) -> u16 {
    match record {
        Record::Started(_) => 0,
        Record::Issued { .. } => 1,
        Record::Completed { .. } => 2,
        Record::Signalled { .. } => 3,
        Record::RollbackStarted { .. } => 4,
        Record::Undone { .. } => 5,
        Record::Parked { .. } => 6,
        Record::Resumed { .. } => 7,
        Record::OwnerChanged { .. } => 8,
        Record::RevisionChanged { .. } => 9,
        Record::Ended { .. } => 10,
    }
}

struct Reader {
    rest: Bytes,
    whole: usize,
    sequence: u64,
}

// === impl Reader ===

impl Reader {
    fn damage(&self, offset: usize, what: String) -> Damage {
        Damage {
            sequence: self.sequence,
            offset,
            what,
        }
    }

    fn here(&self, what: impl Into<String>) -> Damage {
        self.damage(self.whole - self.rest.len(), what.into())
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Damage> {
        if self.rest.len() < length {
            return Err(self.here(format!("{length} bytes should follow, and there are fewer")));
        }
        Ok(self.rest.split_to(length))
    }

    fn entry(&mut self, bytes: &Bytes) -> Result<Entry, Damage> {
        let Some(sealed) = bytes.len().checked_sub(4).filter(|_| bytes.len() >= FRAME) else {
            return Err(self.damage(bytes.len(), "the entry is cut off".to_owned()));
        };
        let (body, mut sum) = bytes.split_at(sealed);
        if crc32c::crc32c(body) != sum.get_u32_le() {
            return Err(self.damage(sealed, "the checksum is not that of the entry".to_owned()));
        }
        // Where one is, is counted in what is left to read: the checksum is not.
        self.rest.truncate(sealed);
        self.whole = sealed;
        if self.take(4)?.as_ref() != MAGIC {
            return Err(self.damage(0, "it is no entry of a journal".to_owned()));
        }
        let (sequence, epoch) = (self.take(8)?.get_u64_le(), self.take(8)?.get_u64_le());
        let mut previous = Link::default();
        self.take(16)?.copy_to_slice(&mut previous);
        let count = self.take(4)?.get_u32_le();
        let mut records = Vec::new();
        for _ in 0..count {
            records.push(self.record()?);
        }
        if !self.rest.is_empty() {
            return Err(self.here("something follows the last record"));
        }
        Ok(Entry {
            sequence,
            epoch,
            previous,
            records,
        })
    }

    fn record(&mut self) -> Result<Stamped, Damage> {
        let start = self.whole - self.rest.len();
        let mut head = self.take(HEAD)?;
        let (number, at, length) = (head.get_u16_le(), head.get_u64_le(), head.get_u32_le());
        if number >= KINDS {
            // To skip what one does not understand would be to guess.
            let what =
                format!("a record of kind {number}, which a newer version of this program wrote");
            return Err(self.damage(start, what));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = self.take(length)?;
        match postcard::take_from_bytes::<Record>(&bytes) {
            Ok((record, [])) if kind(&record) == number => Ok(Stamped { at, record }),
            Ok(_) => Err(self.damage(start, "a record is not of the kind it says".to_owned())),
            Err(error) => Err(self.damage(start, format!("a record cannot be read: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests;
