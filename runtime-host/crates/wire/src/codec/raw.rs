//! The protocol's bytes below all types: numbers of variable length, and fields by number.

use super::Invalid;

/// What is behind the number of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Reads bytes from the front.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field, with its number.
    pub(super) fn field(&mut self) -> Result<(u32, Raw<'a>), Invalid> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).unwrap_or(0);
        if number == 0 {
            return Err(broken());
        }
        let raw = match key & 7 {
            VARINT => Raw::Varint(self.varint()?),
            FIXED64 => Raw::Fixed64(self.fixed64()?),
            FIXED32 => Raw::Fixed32(self.fixed32()?),
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| broken())?;
                Raw::Bytes(self.take(length)?)
            }
            // Groups, which nobody has sent for many years.
            _ => return Err(broken()),
        };
        Ok((number, raw))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Invalid> {
        let mut value = 0_u64;
        for place in 0..10 {
            let byte = *self.take(1)?.first().ok_or_else(broken)?;
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                return Err(broken());
            }
            value |= bits << (place * 7);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken())
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Invalid> {
        let bytes = self.take(4)?.try_into().map_err(|_| broken())?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Invalid> {
        let bytes = self.take(8)?.try_into().map_err(|_| broken())?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Invalid> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(broken)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn broken() -> Invalid {
    Invalid::new("is cut off or no message at all")
}

// === impl Raw ===

impl Raw<'_> {
    /// With the number of its field.
    pub(super) fn write(self, out: &mut Vec<u8>, number: u32) {
        let kind = match self {
            Self::Varint(_) => VARINT,
            Self::Fixed64(_) => FIXED64,
            Self::Fixed32(_) => FIXED32,
            Self::Bytes(_) => BYTES,
        };
        varint(out, (u64::from(number) << 3) | kind);
        if let Self::Bytes(bytes) = self {
            varint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        self.write_packed(out);
    }

    /// Without, as in a list of numbers.
    pub(super) fn write_packed(self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => varint(out, value),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// Whether a missing field means the same.
    pub(super) const fn is_default(self) -> bool {
        match self {
            Self::Varint(value) | Self::Fixed64(value) => value == 0,
            Self::Fixed32(value) => value == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // What is cut off here follows in the next rounds.
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Small numbers in few bytes, whatever their sign.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
