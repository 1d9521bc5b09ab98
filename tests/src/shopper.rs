//! A customer of the shop, and what customers do.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    waiting,
};

/// What every customer of these tests uses.
pub const PASSWORD: &str = "correct horse battery";

/// A registered customer with a token.
#[derive(Clone, Debug)]
pub struct Shopper {
    /// Sends their requests.
    pub client: Client,
    /// `usr_…`.
    pub id: String,
    /// How they log in.
    pub email: String,
}

/// How an order is placed.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// How it is paid.
    pub token: &'a str,
    /// Where it goes.
    pub country: &'a str,
    /// The idempotency key; a new one without.
    pub key: Option<&'a str>,
    /// `Prefer`, if anything.
    pub prefer: Option<&'a str>,
}

/// An order that nothing speaks against.
pub const GOOD: Order<'static> = Order {
    token: "tok_ok",
    country: "IS",
    key: None,
    prefer: None,
};

// === impl Shopper ===

impl Shopper {
    /// Registers somebody and logs them in.
    pub async fn new(client: &Client, name: &str) -> Result<Self> {
        let email = format!("{name}@borg.is");
        let registration = json!({"email": email, "name": name, "password": PASSWORD});
        let registered = client
            .post("/api/v1/users", &registration)
            .await?
            .is(201)?
            .json()?;
        let id = text(&registered, "id")?;
        let client = Self::log_in(client, &email).await?;
        Ok(Self { client, id, email })
    }

    /// The client of somebody who is registered.
    pub async fn log_in(client: &Client, email: &str) -> Result<Client> {
        let credentials = json!({"email": email, "password": PASSWORD});
        let session = client
            .post("/api/v1/sessions", &credentials)
            .await?
            .is(201)?
            .json()?;
        Ok(client.with_token(&text(&session, "access_token")?))
    }

    /// Puts things into the cart.
    pub async fn fill_cart(&self, lines: &[(&str, u32)]) -> Result<()> {
        for (sku, quantity) in lines {
            let path = format!("/api/v1/cart/items/{sku}");
            self.client
                .put(&path, &json!({"quantity": quantity}))
                .await?
                .is(200)?;
        }
        Ok(())
    }

    /// The cart.
    pub async fn cart(&self) -> Result<Value> {
        self.client.get("/api/v1/cart").await?.is(200)?.json()
    }

    /// Asks for an order; whatever comes back.
    pub async fn place(&self, order: Order<'_>) -> Result<Answer> {
        let key = order.key.map_or_else(new_key, ToOwned::to_owned);
        let mut headers = vec![("idempotency-key", key.as_str())];
        headers.extend(order.prefer.map(|prefer| ("prefer", prefer)));
        let body = Bytes::from(body(order).to_string());
        self.client
            .ask(Method::POST, "/api/v1/orders", &headers, body)
            .await
    }

    /// Orders what is in the cart and waits for the end.
    pub async fn order(&self, token: &str, country: &str) -> Result<Value> {
        let placed = self
            .place(Order {
                token,
                country,
                ..GOOD
            })
            .await?
            .is(202)?
            .json()?;
        self.ended(&text(&placed, "id")?).await
    }

    /// The order once it has ended.
    pub async fn ended(&self, order: &str) -> Result<Value> {
        let path = format!("/api/v1/orders/{order}");
        waiting::until(&format!("{order} has ended"), async || {
            let order = self.client.get(&path).await?.is(200)?.json()?;
            Ok((text(&order, "status")? != "pending").then_some(order))
        })
        .await
    }

    /// What became of the money of an order.
    pub async fn payment(&self, order: &str) -> Result<Value> {
        self.client
            .get(&format!("/api/v1/orders/{order}/payment"))
            .await?
            .is(200)?
            .json()
    }

    /// All orders.
    pub async fn orders(&self) -> Result<Vec<Value>> {
        all(&self.client, "/api/v1/orders?page_size=100").await
    }

    /// The whole mailbox.
    pub async fn mailbox(&self) -> Result<Vec<Value>> {
        all(&self.client, "/api/v1/notifications?page_size=100").await
    }

    /// The mailbox once it has at least `count` entries.
    pub async fn mailbox_of(&self, count: usize) -> Result<Vec<Value>> {
        waiting::until(&format!("the mailbox has {count} entries"), async || {
            let entries = self.mailbox().await?;
            Ok((entries.len() >= count).then_some(entries))
        })
        .await
    }
}

/// The body of an order.
pub fn body(order: Order<'_>) -> Value {
    json!({
        "payment": {"token": order.token},
        "ship_to": {
            "name": "Egil", "street": "Digranes 1", "city": "Borgarnes", "postal_code": "310", "country": order.country,
        },
    })
}

/// A member that is text.
pub fn text(value: &Value, name: &str) -> Result<String> {
    let found = value.get(name).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no text {name:?} in {value}"))?
        .to_owned())
}

/// A member that is a number.
pub fn number(value: &Value, name: &str) -> Result<u64> {
    value
        .get(name)
        .and_then(Value::as_u64)
        .with_context(|| format!("no number {name:?} in {value}"))
}

/// The pieces of one SKU, after it was seen that none are lost.
pub async fn stock(client: &Client, sku: &str) -> Result<Value> {
    let stock = client
        .get(&format!("/api/v1/stock/{sku}"))
        .await?
        .is(200)?
        .json()?;
    let sum = number(&stock, "available")? + number(&stock, "reserved")? + number(&stock, "sold")?;
    ensure!(
        sum == number(&stock, "received")?,
        "pieces are lost: {stock}"
    );
    Ok(stock)
}

/// All items of a list, page after page.
pub async fn all(client: &Client, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut page = path.to_owned();
    loop {
        let answer = client.get(&page).await?.is(200)?.json()?;
        items.extend(
            answer
                .get("items")
                .and_then(Value::as_array)
                .context("no items")?
                .iter()
                .cloned(),
        );
        match answer.get("next_page_token").and_then(Value::as_str) {
            Some(token) => page = format!("{path}&page_token={token}"),
            None => return Ok(items),
        }
    }
}

/// A key that nobody has used in this process.
pub fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "key-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
