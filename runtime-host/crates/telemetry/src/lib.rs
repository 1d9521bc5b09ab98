//! The clock, ids, tasks, listeners and logs of the host: what every room needs beside the vocabulary of `core`.
//!
//! It deliberately knows nothing of calls, events or stores; it only says when, which, who runs, who is let in, and where
//! lines go.

pub mod clock;
pub mod ids;
pub mod logs;
pub mod random;
pub mod reception;
pub mod tasks;
