//! What a cart costs.

use super::{
    Line, Money,
    shop::{Claim, Shop},
};

/// Pieces of one product that an order may have; the stockroom holds no more.
const MOST_PIECES: u32 = 1_000;

/// What the catalog says about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What it is called.
    pub name: String,
    /// Of one piece, now.
    pub price: Money,
}

/// Why there is no price for what is in the cart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// There is nothing to sell.
    #[error("there is nothing to order")]
    Nothing,
    /// The catalog does not know this product.
    #[error("the shop does not sell {0} any more")]
    Unknown(String),
    /// More pieces of this product than one order may have.
    #[error("{quantity} pieces of {sku}: an order has at most {MOST_PIECES} of a product")]
    TooMany {
        /// Of what.
        sku: String,
        /// How many there are in the cart.
        quantity: u32,
    },
    /// A total has one currency.
    #[error("the products are sold in different currencies")]
    Currencies,
    /// Nobody has so much money.
    #[error("the total is too large")]
    TooMuch,
}

/// What the lines of a claim cost at this moment, and all of them together.
pub fn of_claim(shop: &impl Shop, claim: &Claim) -> Result<(Vec<Line>, Money), NoPrice> {
    let skus: Vec<String> = claim.lines.iter().map(|(sku, _)| sku.clone()).collect();
    let products = shop.products(&skus).map_err(NoPrice::Unknown)?;
    let lines = priced(&claim.lines, products)?;
    let total = total(&lines)?;
    Ok((lines, total))
}

/// The lines with what their products are called and cost; `products` are in the order of `lines`.
pub fn priced(lines: &[(String, u32)], products: Vec<Product>) -> Result<Vec<Line>, NoPrice> {
    let mut products = products.into_iter();
    let line = |(sku, quantity): &(String, u32)| {
        let product = products
            .next()
            .ok_or_else(|| NoPrice::Unknown(sku.clone()))?;
        if *quantity > MOST_PIECES {
            return Err(NoPrice::TooMany {
                sku: sku.clone(),
                quantity: *quantity,
            });
        }
        Ok(Line {
            sku: sku.clone(),
            name: product.name,
            quantity: *quantity,
            price: product.price,
        })
    };
    lines.iter().map(line).collect()
}

/// What the lines cost together.
pub fn total(lines: &[Line]) -> Result<Money, NoPrice> {
    let currency = lines
        .first()
        .map(|line| line.price.currency.clone())
        .ok_or(NoPrice::Nothing)?;
    let mut amount = 0_u64;
    for line in lines {
        if line.price.currency != currency {
            return Err(NoPrice::Currencies);
        }
        let sum = line.price.amount.checked_mul(u64::from(line.quantity));
        amount = sum
            .and_then(|sum| amount.checked_add(sum))
            .ok_or(NoPrice::TooMuch)?;
    }
    Ok(Money { amount, currency })
}
