//! Where products are kept: one document each for those who know the SKU, and one of the whole range, in order, for
//! lists. Both change in one unit. Beside them is how often a product was renamed, so that whoever hears of names knows
//! which is the last.

use sdk::kv::Store;

use crate::domain::{self, Product};

/// The label of the catalog's store.
const STORE: &str = "catalog";

/// The whole range, in the order of the SKUs.
const RANGE: &str = "range";

/// The catalog's store.
#[derive(Debug)]
pub struct Shelf(Store);

impl Shelf {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// All products, in the order of their SKUs.
    pub fn all(&self) -> Vec<Product> {
        self.0.get(RANGE).unwrap_or_default()
    }

    /// The product with this SKU.
    pub fn find(&self, sku: &str) -> Option<Product> {
        self.0.get(&key(sku))
    }

    /// The products with these SKUs, in their order; or the first SKU that nothing has.
    pub fn find_all(&self, skus: &[String]) -> Result<Vec<Product>, String> {
        let keys: Vec<String> = skus.iter().map(|sku| key(sku)).collect();
        self.0
            .get_many(&keys)
            .into_iter()
            .zip(skus)
            .map(|(product, sku)| product.ok_or_else(|| sku.clone()))
            .collect()
    }

    /// Adds those that are not there yet, and answers them.
    pub fn add(&self, products: Vec<Product>) -> Vec<Product> {
        let mut range = self.all();
        let added = domain::add(&mut range, products);
        for product in &added {
            self.0.set(&key(&product.sku), product);
        }
        if !added.is_empty() {
            self.0.set(RANGE, &range);
        }
        added
    }

    /// Gives a product another name; answers how many it has had before. Nothing happens if it has that name.
    pub fn rename(&self, product: &Product, name: &str) -> Option<u64> {
        if product.name == name {
            return None;
        }
        let mut range = self.all();
        let renamed = domain::rename(&mut range, &product.sku, name)?;
        self.0.set(&key(&product.sku), renamed);
        self.0.set(RANGE, &range);
        let revision = self.0.get(&revision_key(&product.sku)).unwrap_or(0) + 1;
        self.0.set(&revision_key(&product.sku), &revision);
        Some(revision)
    }
}

fn revision_key(sku: &str) -> String {
    format!("revision/{sku}")
}

fn key(sku: &str) -> String {
    format!("product/{sku}")
}
