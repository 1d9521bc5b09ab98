//! Where carts, ended claims and the copy of the catalog are kept.

use sdk::{clock, kv::Store};

use crate::domain::{self, Cart, Claim, Ended, Item, Refusal, Returned, View};

/// The label of the store.
const STORE: &str = "cart";

/// The store of carts.
#[derive(Debug)]
pub struct Drawer(Store);

impl Drawer {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// What is known of a product.
    pub fn item(&self, sku: &str) -> Option<Item> {
        self.0.get(&product_key(sku))
    }

    /// Notes what a product is called and costs from now on.
    pub fn learn(&self, sku: &str, item: &Item) {
        self.0.set(&product_key(sku), item);
    }

    /// Notes that a product is called otherwise. The news of a product come in order, so it is known already.
    pub fn rename(&self, sku: &str, name: String) {
        if let Some(item) = self.item(sku) {
            self.learn(sku, &Item { name, ..item });
        }
    }

    /// The user's cart as it is now.
    pub fn cart(&self, user: &str) -> Cart {
        let mut cart = self.load(user);
        // Whoever changes the cart next writes this down.
        let _ = cart.settle(millis());
        cart
    }

    /// The user's cart with current prices.
    pub fn view(&self, cart: &Cart) -> Result<View, Refusal> {
        let keys: Vec<String> = cart
            .lines()
            .iter()
            .map(|line| product_key(&line.sku))
            .collect();
        let items = self.0.get_many::<Item>(&keys);
        let known = cart
            .lines()
            .iter()
            .cloned()
            .zip(items)
            .map(|(line, item)| match item {
                Some(item) => (line, item),
                // Nothing gets into a cart that is not in the copy, and nothing leaves the copy.
                None => sdk::unavailable(&format!("nothing is known of {:?} any more", line.sku)),
            });
        domain::view(known)
    }

    /// Changes the user's cart by what `change` does to it; nothing is written if it is refused.
    pub fn change(
        &self,
        user: &str,
        change: impl FnOnce(&mut Cart) -> Result<(), Refusal>,
    ) -> Result<Cart, Refusal> {
        let mut cart = self.load(user);
        let settled = cart.settle(millis());
        change(&mut cart)?;
        self.expire(user, settled);
        self.0.set(&cart_key(user), &cart);
        Ok(cart)
    }

    /// Gives all lines to an order, or answers what the key got before.
    pub fn claim(&self, user: &str, key: &str, order: &str) -> Result<Claim, Refusal> {
        let now = millis();
        let mut cart = self.load(user);
        let settled = cart.settle(now);
        let ended = match &settled {
            Some(settled) if settled.claim.key == key => settled.clone().into(),
            Some(_) | None => self.0.get(&ended_key(user, key)),
        };
        let before = cart.clone();
        let claim = cart.take(key, order, ended, now)?;
        // What a key got before needs no writing.
        if settled.is_some() || cart != before {
            self.expire(user, settled);
            self.0.set(&cart_key(user), &cart);
        }
        Ok(claim)
    }

    /// The order has been heard of.
    pub fn hear_of(&self, user: &str, order: &str) {
        let mut cart = self.load(user);
        // Not settled first: an order heard of late still has its lines if nobody took them.
        if cart.hear_of(order) || self.reclaim(user, order, &mut cart) {
            self.0.set(&cart_key(user), &cart);
        }
    }

    /// The order stands. Refused if its lines were given back.
    pub fn consume(&self, user: &str, order: &str) -> Result<(), Refusal> {
        let returned = self.returned(user, order);
        if returned.is_some_and(|returned| returned.for_good) {
            return Err(Refusal::GivenBack(order.to_owned()));
        }
        let mut cart = self.load(user);
        self.reclaim(user, order, &mut cart);
        if let Some(ended) = cart.consume(order) {
            self.end(user, &ended);
            self.0.set(&cart_key(user), &cart);
        }
        Ok(())
    }

    /// The order fell through.
    pub fn give_back(&self, user: &str, order: &str) {
        let mut cart = self.load(user);
        if let Some(ended) = cart.give_back(order) {
            self.end(user, &ended);
            self.keep(user, ended.claim, true);
            self.0.set(&cart_key(user), &cart);
        } else if let Some(returned) = self.returned(user, order) {
            // Whoever hears of the order later must not take the lines again.
            self.keep(user, returned.claim, true);
        }
    }

    /// Gives the order what is still there, if its claim went back by itself; answers whether it did.
    fn reclaim(&self, user: &str, order: &str, cart: &mut Cart) -> bool {
        let returned = self.returned(user, order);
        let Some(returned) = returned.filter(|returned| !returned.for_good) else {
            return false;
        };
        cart.reclaim(returned.claim);
        self.0.delete(&returned_key(user, order));
        true
    }

    fn returned(&self, user: &str, order: &str) -> Option<Returned> {
        self.0.get(&returned_key(user, order))
    }

    fn keep(&self, user: &str, claim: Claim, for_good: bool) {
        let key = returned_key(user, &claim.order);
        self.0.set(&key, &Returned { claim, for_good });
    }

    /// Notes a claim that went back by itself.
    fn expire(&self, user: &str, settled: Option<Ended>) {
        if let Some(ended) = settled {
            self.end(user, &ended);
            self.keep(user, ended.claim, false);
        }
    }

    fn end(&self, user: &str, ended: &Ended) {
        self.0.set(&ended_key(user, &ended.claim.key), ended);
    }

    fn load(&self, user: &str) -> Cart {
        self.0.get(&cart_key(user)).unwrap_or_default()
    }
}

fn millis() -> u64 {
    clock::millis(clock::now())
}

fn product_key(sku: &str) -> String {
    format!("product/{sku}")
}

fn cart_key(user: &str) -> String {
    format!("cart/{user}")
}

fn ended_key(user: &str, key: &str) -> String {
    format!("ended/{user}/{key}")
}

fn returned_key(user: &str, order: &str) -> String {
    format!("returned/{user}/{order}")
}

#[cfg(test)]
mod tests;
