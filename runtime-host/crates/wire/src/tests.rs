//! Real servers on free ports of this machine, and nodes that call each other.

mod calls;
mod failures;
mod tools;
mod trust;
mod world;
