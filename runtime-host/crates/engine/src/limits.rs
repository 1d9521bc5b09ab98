//! How much memory an instance may take.

use wasmtime::ResourceLimiter;

/// Tables hold function references; no compiler makes one larger than this.
const TABLE_ELEMENTS: usize = 100_000;

/// Counts an instance's memory and refuses what goes over the limit, remembering that it did.
#[derive(Debug)]
pub(crate) struct Limits {
    memory: usize,
    used: usize,
    refused: bool,
}

impl Limits {
    pub(crate) const fn new(memory: usize) -> Self {
        Self {
            memory,
            used: 0,
            refused: false,
        }
    }

    /// The limit, if the guest ran into it.
    pub(crate) fn refused(&self) -> Option<usize> {
        self.refused.then_some(self.memory)
    }

    /// How much linear memory the instance has.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_sub(current).saturating_add(desired);
        if used > self.memory {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
