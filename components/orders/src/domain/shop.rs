//! What orders ask of the rest of the shop: the port, its answers and its refusals.

use super::pricing::Product;

/// Lines of a cart that are ours now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// For this order: another than we proposed, if the key was used before.
    pub order: String,
    /// SKU and pieces.
    pub lines: Vec<(String, u32)>,
}

/// Why nothing can be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// There is nothing in the cart.
    Empty,
    /// Another order, this one, has the lines.
    Claimed(String),
    /// This order had them, and has given them back.
    GivenBack(String),
}

/// The capabilities that are asked when an order is placed.
pub trait Shop {
    /// Takes the lines out of the user's cart for an order.
    fn claim(&self, user: &str, key: &str, order: &str) -> Result<Claim, NoClaim>;

    /// Puts them back.
    fn give_back(&self, user: &str, order: &str);

    /// Looks products up, in the order asked; the error is the first SKU that is not sold.
    fn products(&self, skus: &[String]) -> Result<Vec<Product>, String>;
}
