//! The rules of the catalog, on values: what a product is and how the range is searched.

mod range;

pub use range::range;

use serde::{Deserialize, Serialize};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units: 1999 is 19.99 EUR.
    pub amount: u64,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// Something the shop sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// What it is known by everywhere.
    pub sku: String,
    /// On the shelf.
    pub name: String,
    /// In a sentence or two.
    pub description: String,
    /// For one piece, now.
    pub price: Money,
}

/// Room for any name a shelf has.
const MAX_NAME: usize = 100;

/// What a caller looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter(String);

/// Where the next page begins, and of which list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    after: String,
    filter: Filter,
}

/// The cursor belongs to a list that was filtered differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherList;

/// A page of products, and where the next one begins.
pub type PageOf<'a> = (Vec<&'a Product>, Option<Cursor>);

impl Filter {
    /// Products that have all these words in their SKU, name or description, in any case; everything if there are none.
    pub fn new(words: &str) -> Self {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        Self(words.join(" "))
    }

    fn admits(&self, product: &Product) -> bool {
        let text =
            format!("{} {} {}", product.sku, product.name, product.description).to_lowercase();
        self.0.split(' ').all(|word| text.contains(word))
    }
}

/// At most `size` products that the filter admits, after the cursor; `products` are in the order of their SKUs.
pub fn page<'a>(
    products: &'a [Product],
    filter: &Filter,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<PageOf<'a>, OtherList> {
    if cursor.is_some_and(|cursor| cursor.filter != *filter) {
        return Err(OtherList);
    }
    let mut rest = products
        .iter()
        .filter(|product| cursor.is_none_or(|cursor| product.sku > cursor.after))
        .filter(|product| filter.admits(product));
    let items: Vec<&Product> = rest.by_ref().take(size).collect();
    let next = match (items.last(), rest.next()) {
        (Some(last), Some(_)) => Some(Cursor {
            after: last.sku.clone(),
            filter: filter.clone(),
        }),
        (None | Some(_), _) => None,
    };
    Ok((items, next))
}

/// A name without spaces around it; `None` if there is nothing to read, too much, or control characters.
pub fn name(text: &str) -> Option<String> {
    let name = text.trim();
    let good = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    good.then(|| name.to_owned())
}

/// Gives a product of the range another name; answers the product.
pub fn rename<'a>(range: &'a mut [Product], sku: &str, name: &str) -> Option<&'a Product> {
    let at = range.binary_search_by(|known| known.sku.as_str().cmp(sku));
    let product = range.get_mut(at.ok()?)?;
    product.name = name.to_owned();
    Some(product)
}

/// Adds products to the range, which stays in the order of the SKUs. Those it has are left as they are.
/// Answers the new ones.
pub fn add(range: &mut Vec<Product>, products: Vec<Product>) -> Vec<Product> {
    let mut added = Vec::new();
    for product in products {
        if let Err(at) = range.binary_search_by(|known| known.sku.cmp(&product.sku)) {
            range.insert(at, product.clone());
            added.push(product);
        }
    }
    added
}

#[cfg(test)]
mod tests;
