//! Requests that are wrong: each is answered with a precise problem, and changes nothing.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use e2e::{
    Answer, Client, Order, Shopper, redact,
    shopper::{self, GOOD, body, new_key, text},
};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{World, told_once};

/// A shop, somebody with a filled cart, and all that a wrong request could change.
struct Desk {
    world: World,
    egil: Shopper,
    before: Value,
}

impl Desk {
    async fn new() -> Result<Self> {
        let world = World::new().await?;
        let egil = world.shopper("egil").await?;
        egil.fill_cart(&[("ale-horn", 2)]).await?;
        egil.mailbox_of(1).await?;
        let before = state(&world, &egil).await?;
        Ok(Self {
            world,
            egil,
            before,
        })
    }

    /// Everything is as it was.
    async fn unchanged(&self) -> Result<()> {
        assert_eq!(state(&self.world, &self.egil).await?, self.before);
        Ok(())
    }

    /// Sends an order's body as it is.
    async fn send(&self, body: impl Into<Bytes>) -> Result<Answer> {
        let key = new_key();
        self.egil
            .client
            .ask(
                Method::POST,
                "/api/v1/orders",
                &[("idempotency-key", &key)],
                body.into(),
            )
            .await
    }

    async fn quantity(&self, text: &'static str) -> Result<Answer> {
        self.egil
            .client
            .ask(Method::PUT, "/api/v1/cart/items/ale-horn", &[], text.into())
            .await
    }
}

async fn state(world: &World, egil: &Shopper) -> Result<Value> {
    let stock = shopper::stock(&world.client, "ale-horn").await?;
    let products = world
        .client
        .get("/api/v1/products?page_size=100")
        .await?
        .is(200)?
        .json()?;
    Ok(json!([
        egil.cart().await?,
        egil.orders().await?,
        egil.mailbox().await?,
        stock,
        products
    ]))
}

fn problem(answer: &Answer) -> Result<String> {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text()
    );
    let body = answer.json()?;
    assert_eq!(body["status"], answer.status);
    assert!(
        text(&body, "type")?.starts_with("https://skald.dev/"),
        "{body}"
    );
    assert_eq!(text(&body, "trace_id")?.len(), 32, "{body}");
    Ok(redact::problem(&body))
}

#[tokio::test]
async fn a_body_that_is_not_an_order_changes_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    let mut unknown = body(GOOD);
    unknown["ship_to"]["planet"] = json!("Mars");
    insta::assert_snapshot!(problem(&desk.send(unknown.to_string()).await?.is(422)?)?, @r#"
    {
      "detail": "the body has the wrong shape",
      "errors": [
        {
          "detail": "unknown field `planet`, expected one of `name`, `street`, `city`, `postal_code`, `country`",
          "pointer": "/ship_to/planet"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);

    let mut wrong = body(GOOD);
    wrong["payment"]["token"] = json!(7);
    insta::assert_snapshot!(problem(&desk.send(wrong.to_string()).await?.is(422)?)?, @r#"
    {
      "detail": "the body has the wrong shape",
      "errors": [
        {
          "detail": "invalid type: integer `7`, expected a string",
          "pointer": "/payment/token"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);

    let mut lacking = body(GOOD);
    lacking.as_object_mut().map(|order| order.remove("ship_to"));
    problem(&desk.send(lacking.to_string()).await?.is(422)?)?;

    desk.unchanged().await
}

#[tokio::test]
async fn an_order_that_breaks_rules_is_told_all_of_them() -> Result<()> {
    let desk = Desk::new().await?;
    let mut blank = body(GOOD);
    blank["ship_to"]["country"] = json!("Iceland");
    blank["ship_to"]["city"] = json!("   ");
    insta::assert_snapshot!(problem(&desk.send(blank.to_string()).await?.is(422)?)?, @r#"
    {
      "detail": "the order breaks a rule",
      "errors": [
        {
          "detail": "has to have 1 to 200 characters",
          "pointer": "/ship_to/city"
        },
        {
          "detail": "has to be two upper-case letters",
          "pointer": "/ship_to/country"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);

    desk.unchanged().await
}

#[tokio::test]
async fn what_is_not_json_changes_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    insta::assert_snapshot!(problem(&desk.send("{\"payment\":").await?.is(400)?)?, @r#"
    {
      "detail": "EOF while parsing a value at line 1 column 11",
      "status": 400,
      "title": "Malformed JSON",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/malformed-json"
    }
    "#);
    for nonsense in ["", "[]", "null", "\"order\"", "\u{0}", "{}{}"] {
        let answer = desk.send(nonsense).await?;
        assert!(
            [400, 422].contains(&answer.status),
            "{nonsense:?}: {answer:?}"
        );
        problem(&answer)?;
    }
    desk.unchanged().await
}

#[tokio::test]
async fn quantities_that_make_no_sense_change_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    insta::assert_snapshot!(problem(&desk.quantity("{\"quantity\": -1}").await?.is(422)?)?, @r#"
    {
      "detail": "the body has the wrong shape",
      "errors": [
        {
          "detail": "invalid value: integer `-1`, expected a whole number from 0 to 4294967295",
          "pointer": "/quantity"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);
    insta::assert_snapshot!(problem(&desk.quantity("{\"quantity\": 0}").await?.is(422)?)?, @r#"
    {
      "detail": "the body breaks a rule",
      "errors": [
        {
          "detail": "the quantity has to be 1 to 1000, not 0",
          "pointer": "/quantity"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);
    desk.unchanged().await
}

#[tokio::test]
async fn only_whole_numbers_in_range_are_quantities() -> Result<()> {
    let desk = Desk::new().await?;
    for wrong in [
        "1001",
        "4294967296",
        "18446744073709551616",
        "1e3",
        "1.5",
        "\"3\"",
        "null",
        "true",
        "[1]",
        "{}",
    ] {
        let body = format!("{{\"quantity\": {wrong}}}");
        let answer = desk
            .egil
            .client
            .ask(Method::PUT, "/api/v1/cart/items/ale-horn", &[], body.into())
            .await?;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text());
        problem(&answer)?;
    }
    problem(
        &desk
            .quantity("{\"quantity\": 1, \"colour\": \"red\"}")
            .await?
            .is(422)?,
    )?;
    desk.egil
        .client
        .put("/api/v1/cart/items/longship", &json!({"quantity": 1}))
        .await?
        .is(404)?;
    desk.unchanged().await
}

#[tokio::test]
async fn a_registration_that_breaks_rules_is_told_all_of_them() -> Result<()> {
    let desk = Desk::new().await?;
    let wrong = json!({"email": "egil", "name": " ", "password": "short"});
    insta::assert_snapshot!(problem(&desk.world.client.post("/api/v1/users", &wrong).await?.is(422)?)?, @r#"
    {
      "detail": "the registration breaks a rule",
      "errors": [
        {
          "detail": "has to be an address like name@example.com",
          "pointer": "/email"
        },
        {
          "detail": "has to be 1 to 100 characters",
          "pointer": "/name"
        },
        {
          "detail": "has to be 8 to 128 characters",
          "pointer": "/password"
        }
      ],
      "status": 422,
      "title": "Invalid content",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/invalid-content"
    }
    "#);
    let unknown =
        json!({"email": "a@borg.is", "name": "A", "password": "long enough", "admin": true});
    problem(
        &desk
            .world
            .client
            .post("/api/v1/users", &unknown)
            .await?
            .is(422)?,
    )?;
    // Whoever was refused is not registered.
    let credentials = json!({"email": "a@borg.is", "password": "long enough"});
    desk.world
        .client
        .post("/api/v1/sessions", &credentials)
        .await?
        .is(401)?;
    desk.unchanged().await
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read() -> Result<()> {
    let desk = Desk::new().await?;
    let mut long = body(GOOD);
    long["ship_to"]["street"] = json!("x".repeat(64 << 10));
    insta::assert_snapshot!(problem(&desk.send(long.to_string()).await?.is(413)?)?, @r#"
    {
      "code": "GW-005",
      "detail": "the body is longer than 64KiB",
      "instance": "/api/v1/orders",
      "status": 413,
      "title": "Body too long",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/GW-005"
    }
    "#);
    let megabytes = Bytes::from(vec![b' '; 2 << 20]);
    let users = desk
        .world
        .client
        .ask(Method::POST, "/api/v1/users", &[], megabytes)
        .await?;
    problem(&users.is(413)?)?;
    desk.unchanged().await
}

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() -> Result<()> {
    let desk = Desk::new().await?;
    let stranger = &desk.world.client;
    let none = stranger.get("/api/v1/cart").await?.is(401)?;
    assert!(
        none.header("www-authenticate")
            .is_some_and(|challenge| challenge.starts_with("Bearer"))
    );
    insta::assert_snapshot!(problem(&none)?, @r#"
    {
      "code": "GW-002",
      "detail": "this needs an access token in the header `Authorization: Bearer …`",
      "instance": "/api/v1/cart",
      "status": 401,
      "title": "Not authenticated",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/GW-002"
    }
    "#);
    for path in [
        "/api/v1/orders",
        "/api/v1/orders/ord_1",
        "/api/v1/orders/ord_1/payment",
        "/api/v1/notifications",
    ] {
        stranger.get(path).await?.is(401)?;
    }
    let good = desk.egil.client.token().unwrap_or_default().to_owned();
    for (what, token) in forgeries(&good)? {
        let answer = stranger.with_token(&token).get("/api/v1/cart").await?;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        problem(&answer)?;
    }
    let tampered = forgeries(&good)?.swap_remove(0).1;
    insta::assert_snapshot!(problem(&stranger.with_token(&tampered).get("/api/v1/cart").await?)?, @r#"
    {
      "code": "GW-003",
      "detail": "the access token is refused: its signature is wrong",
      "instance": "/api/v1/cart",
      "status": 401,
      "title": "Access token refused",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/GW-003"
    }
    "#);
    // On a public route a bad token is as good as none.
    stranger
        .with_token(&tampered)
        .get("/api/v1/products")
        .await?
        .is(200)?;
    desk.unchanged().await
}

/// Tokens made of a good one.
fn forgeries(good: &str) -> Result<Vec<(&'static str, String)>> {
    let parts: Vec<&str> = good.split('.').collect();
    let &[header, claims, signature] = parts.as_slice() else {
        anyhow::bail!("{good} has no three parts")
    };
    let mut other: Value = serde_json::from_slice(&BASE64.decode(claims)?)?;
    other["sub"] = json!("usr_somebody_else");
    let stolen = BASE64.encode(other.to_string());
    other["exp"] = json!(1_000_000_000);
    let expired = BASE64.encode(other.to_string());
    let alg = |name: &str| BASE64.encode(json!({"alg": name, "typ": "JWT"}).to_string());
    let (none, hmac) = (alg("none"), alg("HS256"));
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let rest = signature.get(1..).unwrap_or_default();
    Ok(vec![
        ("another subject", format!("{header}.{stolen}.{signature}")),
        (
            "an expiry of long ago",
            format!("{header}.{expired}.{signature}"),
        ),
        (
            "a changed signature",
            format!("{header}.{claims}.{flipped}{rest}"),
        ),
        ("no signature", format!("{header}.{claims}.")),
        ("alg none", format!("{none}.{claims}.")),
        (
            "alg none with a signature",
            format!("{none}.{stolen}.{signature}"),
        ),
        ("another algorithm", format!("{hmac}.{claims}.{signature}")),
        ("two parts", format!("{header}.{claims}")),
        ("nonsense", "nonsense".to_owned()),
        ("nothing", String::new()),
        ("too long", "x".repeat(10_000)),
    ])
}

#[tokio::test]
async fn nobody_can_say_who_they_are() -> Result<()> {
    let desk = Desk::new().await?;
    let claim = [("skald-principal", desk.egil.id.as_str())];
    desk.world
        .client
        .ask(Method::GET, "/api/v1/cart", &claim, "".into())
        .await?
        .is(401)?;
    let skalla = desk.world.shopper("skalla").await?;
    let cart = skalla
        .client
        .ask(Method::GET, "/api/v1/cart", &claim, "".into())
        .await?
        .is(200)?
        .json()?;
    assert_eq!(cart["lines"], json!([]), "not Egil's");
    let several = [
        ("skald-principal", desk.egil.id.as_str()),
        ("connection", "authorization, skald-principal"),
    ];
    let cart = skalla
        .client
        .ask(Method::GET, "/api/v1/cart", &several, "".into())
        .await?
        .is(200)?
        .json()?;
    assert_eq!(cart["lines"], json!([]));
    desk.unchanged().await
}

#[tokio::test]
async fn the_orders_of_others_are_not_there() -> Result<()> {
    let world = World::new().await?;
    let (egil, skalla) = (world.shopper("egil").await?, world.shopper("skalla").await?);
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    let id = text(&order, "id")?;
    for part in ["", "/payment", "/shipment"] {
        egil.client
            .get(&format!("/api/v1/orders/{id}{part}"))
            .await?
            .is(200)?;
        let others = skalla
            .client
            .get(&format!("/api/v1/orders/{id}{part}"))
            .await?
            .is(404)?;
        let nobodys = skalla
            .client
            .get(&format!(
                "/api/v1/orders/ord_00000000000000000000000000{part}"
            ))
            .await?
            .is(404)?;
        let detail = |answer: &Answer| text(&answer.json()?, "detail");
        assert_eq!(
            detail(&others)?,
            detail(&nobodys)?,
            "another's looks like one that is not"
        );
    }
    assert_eq!(egil.ended(&id).await?, order);
    Ok(())
}

#[tokio::test]
async fn an_order_needs_a_key() -> Result<()> {
    let desk = Desk::new().await?;
    let missing = desk
        .egil
        .client
        .post("/api/v1/orders", &body(GOOD))
        .await?
        .is(400)?;
    insta::assert_snapshot!(problem(&missing)?, @r#"
    {
      "code": "GW-008",
      "detail": "this needs the header `Idempotency-Key`, so that sending it twice has one effect",
      "instance": "/api/v1/orders",
      "status": 400,
      "title": "Idempotency key missing",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/GW-008"
    }
    "#);
    for malformed in ["", "two words", &"k".repeat(256)] {
        let answer = desk
            .egil
            .place(Order {
                key: Some(malformed),
                ..GOOD
            })
            .await?;
        assert_eq!(answer.status, 400, "{malformed:?}: {}", answer.text());
    }
    desk.unchanged().await
}

#[tokio::test]
async fn the_same_key_is_the_same_order() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let again = Order {
        key: Some("once"),
        ..GOOD
    };
    let first = egil.place(again).await?.is(202)?;
    let second = egil.place(again).await?.is(202)?;
    assert_eq!(
        (first.text(), first.header("location")),
        (second.text(), second.header("location"))
    );
    let id = text(&first.json()?, "id")?;
    egil.ended(&id).await?;
    assert_eq!(
        egil.place(again).await?.is(202)?.text(),
        first.text(),
        "also when the order has ended"
    );

    let other = egil
        .place(Order {
            country: "NO",
            ..again
        })
        .await?
        .is(422)?;
    insta::assert_snapshot!(problem(&other)?, @r#"
    {
      "code": "CALL-010",
      "detail": "this idempotency key was used with another request; use a new key for a new request",
      "instance": "/api/v1/orders",
      "status": 422,
      "title": "Idempotency key reused",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-010"
    }
    "#);
    // A key is its user's.
    let skalla = world.shopper("skalla").await?;
    skalla.fill_cart(&[("bone-comb", 1)]).await?;
    let theirs = skalla.place(again).await?.is(202)?.json()?;
    assert_ne!(theirs["id"], json!(id));
    assert_eq!(egil.orders().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_refused_order_does_not_spend_its_key() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    let order = Order {
        key: Some("later"),
        ..GOOD
    };
    egil.place(order).await?.is(409)?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let placed = egil.place(order).await?.is(202)?.json()?;
    assert_eq!(
        egil.ended(&text(&placed, "id")?).await?["status"],
        "confirmed"
    );
    Ok(())
}

#[tokio::test]
async fn twenty_times_the_same_key_at_once_is_one_order() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let egil = egil.clone();
        requests.spawn(async move {
            egil.place(Order {
                key: Some("race"),
                ..GOOD
            })
            .await
        });
    }
    let mut orders = Vec::new();
    for answer in requests.join_all().await {
        let answer = answer?;
        match answer.status {
            202 => orders.push(text(&answer.json()?, "id")?),
            // The first is still at work; asking again is right.
            409 => assert!(
                text(&answer.json()?, "type")?.ends_with("CALL-011"),
                "{}",
                answer.text()
            ),
            _ => anyhow::bail!("{answer:?}"),
        }
    }
    orders.dedup();
    assert_eq!(orders.len(), 1, "{orders:?}");
    let order = egil.ended(&orders[0]).await?;
    assert_eq!(order["status"], "confirmed");
    assert_eq!(egil.orders().await?.len(), 1);
    assert_eq!(world.stock("ale-horn").await?, (99, 0, 1));
    told_once(&egil, &[order]).await
}

#[tokio::test]
async fn wrong_methods_and_paths_are_told_so() -> Result<()> {
    let desk = Desk::new().await?;
    let client = &desk.egil.client;
    let deleted = client.delete("/api/v1/orders").await?.is(405)?;
    assert_eq!(deleted.header("allow"), Some("GET, HEAD, POST"));
    insta::assert_snapshot!(problem(&deleted)?, @r#"
    {
      "detail": "this resource has GET, HEAD, POST",
      "status": 405,
      "title": "Method not allowed",
      "trace_id": "[trace]",
      "type": "https://skald.dev/problems/method-not-allowed"
    }
    "#);
    for (method, path) in [
        (Method::POST, "/api/v1/cart"),
        (Method::PATCH, "/api/v1/cart/items/ale-horn"),
        (Method::DELETE, "/api/v1/notifications"),
        (Method::PUT, "/api/v1/stock/ale-horn"),
        (Method::POST, "/api/v1/products"),
        (Method::GET, "/api/v1/users"),
        (Method::DELETE, "/api/v1/sessions"),
    ] {
        let answer = client.ask(method.clone(), path, &[], "".into()).await?;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
        assert!(answer.header("allow").is_some(), "{method} {path}");
        problem(&answer)?;
    }
    insta::assert_snapshot!(problem(&client.get("/nowhere").await?.is(404)?)?, @r#"
    {
      "code": "GW-001",
      "detail": "nothing answers at this path",
      "instance": "/nowhere",
      "status": 404,
      "title": "Not found",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/GW-001"
    }
    "#);
    for path in [
        "/",
        "/api/v2/products",
        "/api/v1/products/a/b",
        "/v1/payments/ord_1",
        "/api/v1/cart/../orders",
    ] {
        let answer = client.get(path).await?;
        assert!(
            [400, 404].contains(&answer.status),
            "{path}: {}",
            answer.text()
        );
    }
    desk.unchanged().await
}

#[tokio::test]
async fn the_host_says_how_it_is() -> Result<()> {
    let world = World::new().await?;
    let ask: &Client = &world.client;
    for path in ["/health", "/ready"] {
        ask.get(path).await?.is(200)?;
    }
    let answer = ask.get("/api/v1/products").await?.is(200)?;
    assert_eq!(
        answer.header("trace-id").map(str::len),
        Some(32),
        "{answer:?}"
    );
    Ok(())
}
