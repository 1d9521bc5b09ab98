//! A customer's orders by when they were placed, in whatever order they were heard of.
//!
//! A place is a text that sorts: the time, then the order's id. Places lie in leaves of bounded size, and the [`Root`] says
//! from which place on each leaf goes. So a page costs the root and a leaf or two, however many orders there are, and a
//! new order changes one leaf. Orders mostly come one after the other: a full last leaf is then not halved but followed
//! by a new one, so that leaves are full.

use serde::{Deserialize, Serialize};

/// Most places in one leaf: some 8 KiB, and more than a page has.
const LEAF: usize = 128;

/// Which leaves there are, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root(Vec<Branch>);

/// From `from` on, up to where the next begins, places are in leaf number `leaf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Branch {
    from: String,
    leaf: u32,
}

/// Some places, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf(Vec<String>);

/// What has to be written so that a place is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Leaves by number.
    pub leaves: Vec<(u32, Leaf)>,
    /// The root, where it changes too.
    pub root: Option<Root>,
}

/// The place of an order that was placed `at`, which is written so that it sorts.
pub fn place(at: &str, order: &str) -> String {
    format!("{at}/{order}")
}

/// The order that is at a place.
pub fn order(place: &str) -> &str {
    place.split_once('/').map_or(place, |(_, order)| order)
}

// === impl Root ===

impl Root {
    /// The number of the leaf where `place` is, if it is anywhere.
    pub fn leaf_of(&self, place: &str) -> Option<u32> {
        self.branch_of(place)
            .and_then(|at| self.0.get(at))
            .map(|branch| branch.leaf)
    }

    /// The numbers of the leaves that may have places before `before`, the newest first.
    pub fn before(&self, before: Option<&str>) -> impl Iterator<Item = u32> {
        let count = before.map_or(self.0.len(), |before| {
            self.branch_of(before).map_or(0, |at| at + 1)
        });
        self.0.iter().take(count).rev().map(|branch| branch.leaf)
    }

    /// Adds a place; `leaf` is what [`Self::leaf_of`] says, an empty one if it says nothing.
    pub fn insert(&self, mut leaf: Leaf, place: &str) -> Change {
        let Err(at) = leaf.0.binary_search_by(|known| known.as_str().cmp(place)) else {
            return Change::default();
        };
        let Some(branch) = self.branch_of(place) else {
            // Whatever comes later and was placed earlier belongs there too: the first leaf begins before all places.
            return self.grown(0, vec![(0, Leaf(vec![place.to_owned()]))], "");
        };
        let number = self.0.get(branch).map_or(0, |branch| branch.leaf);
        if leaf.0.len() < LEAF {
            leaf.0.insert(at, place.to_owned());
            return Change {
                leaves: vec![(number, leaf)],
                root: None,
            };
        }
        // Leaves are numbered as they come, and none ever goes.
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let is_newest = at == LEAF && branch + 1 == self.0.len();
        if is_newest {
            return self.grown(
                branch + 1,
                vec![(next, Leaf(vec![place.to_owned()]))],
                place,
            );
        }
        leaf.0.insert(at, place.to_owned());
        let upper = leaf.0.split_off(leaf.0.len() / 2);
        let from = upper.first().cloned().unwrap_or_default();
        self.grown(branch + 1, vec![(number, leaf), (next, Leaf(upper))], &from)
    }

    /// With one more branch, for the last of `leaves`.
    fn grown(&self, at: usize, leaves: Vec<(u32, Leaf)>, from: &str) -> Change {
        let mut root = self.clone();
        let leaf = leaves.last().map_or(0, |(number, _)| *number);
        root.0.insert(
            at,
            Branch {
                from: from.to_owned(),
                leaf,
            },
        );
        Change {
            leaves,
            root: Some(root),
        }
    }

    /// Which branch `place` belongs to: the last that begins at it or before.
    fn branch_of(&self, place: &str) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        let after = self
            .0
            .partition_point(|branch| branch.from.as_str() <= place);
        Some(after.saturating_sub(1))
    }
}

// === impl Leaf ===

impl Leaf {
    /// The places before `before`, the newest first.
    pub fn before(&self, before: Option<&str>) -> impl Iterator<Item = &str> {
        let all = self.0.iter().rev().map(String::as_str);
        all.filter(move |place| before.is_none_or(|before| *place < before))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Shelf {
        root: Root,
        leaves: BTreeMap<u32, Leaf>,
        reads: std::cell::Cell<usize>,
    }

    impl Shelf {
        fn insert(&mut self, place: &str) {
            let leaf = self.root.leaf_of(place);
            let leaf = leaf
                .map(|number| self.leaves[&number].clone())
                .unwrap_or_default();
            let change = self.root.insert(leaf, place);
            self.root = change.root.unwrap_or(self.root.clone());
            self.leaves.extend(change.leaves);
        }

        fn page(&self, before: Option<&str>, size: usize) -> Vec<String> {
            let leaves = self
                .root
                .before(before)
                .inspect(|_| self.reads.set(self.reads.get() + 1));
            let places = leaves.flat_map(|number| self.leaves[&number].before(before));
            places.take(size).map(str::to_owned).collect()
        }
    }

    fn name(number: u32) -> String {
        place(&format!("{number:06}"), "ord")
    }

    proptest! {
        #[test]
        fn pages_put_together_are_all_places_newest_first(
            numbers in prop::collection::vec(0_u32..2_000, 0..1_500), size in 1_usize..300,
        ) {
            let mut shelf = Shelf::default();
            for number in &numbers {
                shelf.insert(&name(*number));
            }
            let expected: BTreeSet<String> = numbers.into_iter().map(name).collect();
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let page = shelf.page(before.as_deref(), size);
                seen.extend(page.iter().cloned());
                if page.len() < size {
                    break;
                }
                before = page.last().cloned();
            }
            prop_assert_eq!(seen, expected.into_iter().rev().collect::<Vec<_>>());
            prop_assert!(shelf.leaves.values().all(|leaf| (1..=LEAF).contains(&leaf.0.len())));
            prop_assert!(shelf.root.0.is_sorted_by(|a, b| a.from < b.from));
        }
    }

    #[test]
    fn a_page_of_thousands_of_orders_reads_few_leaves() {
        let mut shelf = Shelf::default();
        for number in 0..10_000 {
            shelf.insert(&name(number));
        }
        // Full leaves, since the orders came one after the other.
        assert_eq!(shelf.leaves.len(), 10_000_usize.div_ceil(LEAF));
        let page = shelf.page(Some(&name(5_000)), 20);
        assert_eq!((page[0].as_str(), page.len()), ("004999/ord", 20));
        assert!(shelf.reads.get() <= 2, "{}", shelf.reads.get());
        assert_eq!(order(&page[0]), "ord");
    }
}
