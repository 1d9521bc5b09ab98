//! Carries records between the store and the rules. A refused command writes nothing.
//!
//! Keys: `stock/<sku>` and `order/<order>`.

use sdk::kv::Store;

use crate::domain::{Desk, Line, Refusal, Shelf, Stock};

/// The component's only store.
const STORE: &str = "inventory";

/// An opened stockroom, at one moment.
#[derive(Debug)]
pub struct Stockroom {
    store: Store,
    now: u64,
}

impl Stockroom {
    /// The stockroom at `now`, in milliseconds since 1970.
    pub fn open(now: u64) -> Self {
        Self {
            store: Store::open(STORE),
            now,
        }
    }

    /// Holds the pieces for `order`, all lines or none.
    pub fn reserve(&self, order: &str, lines: &[Line]) -> Result<(), Refusal> {
        let mut desk = self.desk(order, lines);
        self.settle(order, &mut desk, |desk| {
            desk.reserve(order, lines, self.now)
        })
    }

    /// The held pieces are sold.
    pub fn sell(&self, order: &str) -> Result<(), Refusal> {
        let mut desk = self.desk(order, &[]);
        self.settle(order, &mut desk, |desk| desk.sell(order, self.now))
    }

    /// What the order holds or bought is available again.
    pub fn release(&self, order: &str) -> Result<(), Refusal> {
        let mut desk = self.desk(order, &[]);
        self.settle(order, &mut desk, |desk| {
            desk.release(order, self.now);
            Ok(())
        })
    }

    /// The pieces of one SKU.
    pub fn find(&self, sku: &str) -> Result<Stock, Refusal> {
        let shelf: Option<Shelf> = self.store.get(&shelf_key(sku));
        let shelf = shelf.ok_or_else(|| Refusal::UnknownSku(sku.to_owned()))?;
        Ok(shelf.stock(sku, self.now))
    }

    /// The first delivery of a new product; a product that is known already is left as it is.
    pub fn receive(&self, sku: &str, pieces: u32) {
        let key = shelf_key(sku);
        if let Some(shelf) = Shelf::opened(self.store.get(&key).as_ref(), pieces) {
            self.store.set(&key, &shelf);
        }
    }

    /// The order's record, with the shelves of `lines` and of the lines it has already.
    fn desk(&self, order: &str, lines: &[Line]) -> Desk {
        let mut desk = Desk {
            allocation: self.store.get(&order_key(order)),
            ..Desk::default()
        };
        let known = desk
            .allocation
            .iter()
            .flat_map(|allocation| &allocation.lines);
        let mut skus: Vec<&str> = lines
            .iter()
            .chain(known)
            .map(|line| line.sku.as_str())
            .collect();
        skus.sort_unstable();
        skus.dedup();
        let keys: Vec<String> = skus.iter().copied().map(shelf_key).collect();
        let shelves = self.store.get_many::<Shelf>(&keys);
        let found = skus.into_iter().zip(shelves);
        desk.shelves = found
            .filter_map(|(sku, shelf)| Some((sku.to_owned(), shelf?)))
            .collect();
        desk
    }

    /// Runs the command and writes what it has changed.
    fn settle(
        &self,
        order: &str,
        desk: &mut Desk,
        command: impl FnOnce(&mut Desk) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let before = desk.clone();
        command(desk)?;
        for (sku, shelf) in &desk.shelves {
            if before.shelves.get(sku) != Some(shelf) {
                self.store.set(&shelf_key(sku), shelf);
            }
        }
        if let Some(allocation) = desk
            .allocation
            .as_ref()
            .filter(|_| desk.allocation != before.allocation)
        {
            self.store.set(&order_key(order), allocation);
        }
        Ok(())
    }
}

fn shelf_key(sku: &str) -> String {
    format!("stock/{sku}")
}

fn order_key(order: &str) -> String {
    format!("order/{order}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_sold_and_released_is_still_so_tomorrow() {
        Stockroom::open(0).receive("tea", 10);
        let line = Line {
            sku: "tea".to_owned(),
            quantity: 4,
        };
        Stockroom::open(0)
            .reserve("o1", std::slice::from_ref(&line))
            .unwrap();
        Stockroom::open(1).reserve("o2", &[line]).unwrap();
        Stockroom::open(2).sell("o1").unwrap();
        Stockroom::open(3).release("o2").unwrap();
        let stock = Stockroom::open(4).find("tea").unwrap();
        assert_eq!(
            (stock.received, stock.available, stock.reserved, stock.sold),
            (10, 6, 0, 4)
        );
    }

    #[test]
    fn a_product_that_is_announced_again_keeps_its_stock() {
        let room = Stockroom::open(0);
        room.receive("tea", 10);
        room.reserve(
            "o1",
            &[Line {
                sku: "tea".to_owned(),
                quantity: 4,
            }],
        )
        .unwrap();
        room.receive("tea", 10);
        assert_eq!(room.find("tea").unwrap().received, 10);
        assert_eq!(room.find("tea").unwrap().available, 6);
    }

    #[test]
    fn the_release_of_an_unknown_order_is_remembered() {
        let room = Stockroom::open(0);
        room.receive("tea", 10);
        room.release("late").unwrap();
        let refusal = room
            .reserve(
                "late",
                &[Line {
                    sku: "tea".to_owned(),
                    quantity: 1,
                }],
            )
            .unwrap_err();
        assert_eq!(refusal, Refusal::Released("late".to_owned()));
    }
}
