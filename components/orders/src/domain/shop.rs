//! What orders ask of the rest of the shop: the port, its answers and its refusals.

use sdk::rest::Problem;

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

// === impl NoClaim ===

impl NoClaim {
    /// The order that stands in the way.
    pub fn order(&self) -> Option<&str> {
        match self {
            Self::Empty => None,
            Self::Claimed(order) | Self::GivenBack(order) => Some(order),
        }
    }

    /// What a customer is told; `known` says whether the order that stands in the way has arrived.
    pub fn conflict(&self, known: bool) -> Problem {
        let conflict =
            |slug, title, detail: &str| Problem::new(409, slug, title, detail.to_owned());
        match self {
            Self::Empty => conflict("cart-empty", "Cart is empty", "there is nothing to order"),
            Self::Claimed(order) if known => {
                let detail = format!("order {order} is under way with what was in the cart");
                conflict("cart-claimed", "Cart is claimed", &detail)
            }
            Self::Claimed(_) => {
                let detail = "an order that was begun may still arrive; send it again with its Idempotency-Key, \
                              or wait a minute";
                conflict("cart-claimed", "Cart is claimed", detail).with_header("retry-after", "5")
            }
            Self::GivenBack(_) => {
                let detail = "what was asked under this Idempotency-Key did not become an order; \
                              take a new key";
                conflict("order-given-up", "Order was given up", detail)
            }
        }
    }
}
