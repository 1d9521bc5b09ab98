//! What a customer sees of a cart: lines with current names and prices, and their total.

use serde::{Deserialize, Serialize};

use super::{Line, Refusal};

/// The currency of an empty cart.
const HOME_CURRENCY: &str = "EUR";

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units: 1999 is 19.99 EUR.
    pub amount: u64,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// What the cart knows of a product, from the catalog's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// On the shelf.
    pub name: String,
    /// For one piece, now.
    pub price: Money,
}

/// A line with what it is called and costs now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PricedLine {
    /// What.
    pub sku: String,
    /// Its name now.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// For one piece, now.
    pub price: Money,
}

/// The cart as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// In the order they were put in.
    pub lines: Vec<PricedLine>,
    /// Of all lines.
    pub total: Money,
}

/// Puts names and prices to lines; a line comes with what is known of its SKU.
pub fn view(lines: impl IntoIterator<Item = (Line, Item)>) -> Result<View, Refusal> {
    let lines: Vec<PricedLine> = lines
        .into_iter()
        .map(|(line, item)| PricedLine {
            sku: line.sku,
            name: item.name,
            quantity: line.quantity,
            price: item.price,
        })
        .collect();
    let total = total(&lines)?;
    Ok(View { lines, total })
}

fn total(lines: &[PricedLine]) -> Result<Money, Refusal> {
    let currency = lines
        .first()
        .map_or(HOME_CURRENCY, |line| line.price.currency.as_str());
    let mut amount: u64 = 0;
    for line in lines {
        if line.price.currency != currency {
            return Err(Refusal::NoTotal("its prices are in several currencies"));
        }
        amount = line
            .price
            .amount
            .checked_mul(u64::from(line.quantity))
            .and_then(|cost| amount.checked_add(cost))
            .ok_or(Refusal::NoTotal("it is more than we can count"))?;
    }
    Ok(Money {
        amount,
        currency: currency.to_owned(),
    })
}
