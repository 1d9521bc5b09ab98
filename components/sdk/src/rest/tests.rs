//! Requests in, answers out; what callers read about mistakes is shown as text.

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape matters")]
struct Order {
    quantity: u32,
    ship_to: Option<Address>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    stops: Vec<Address>,
    gift: Option<Gift>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the shape matters")]
enum Gift {
    Card { text: String },
    To(Address),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape matters")]
struct Address {
    city: String,
}

fn refusal(body: &str) -> String {
    let problem = parse_body::<Order>(body.as_bytes()).unwrap_err();
    let place = problem.errors().first().map_or_else(
        || problem.detail().to_owned(),
        |error| format!("{} {}", error.pointer, error.detail),
    );
    format!("{} {place}", problem.status())
}

#[test]
fn bodies_of_the_wrong_shape_are_refused_with_the_place() {
    let refusals: Vec<String> = [
        "",
        "{\"quantity\": 1",
        "{\"quantity\": 1} x",
        "[]",
        "{}",
        r#"{"quantity": -1}"#,
        r#"{"quantity": "1"}"#,
        r#"{"quantity": 1.5}"#,
        r#"{"quantity": 99999999999}"#,
        r#"{"quantity": 1, "colour": "red"}"#,
        r#"{"quantity": 1, "quantity": 2}"#,
        r#"{"quantity": 1, "ship_to": {"city": 1}}"#,
        r#"{"quantity": 1, "ship_to": {}}"#,
        r#"{"quantity": 1, "ship_to": {"city": "Oslo", "a/b": 1}}"#,
        r#"{"quantity": 1, "tags": ["a", 2]}"#,
        r#"{"quantity": 1, "tags": {}}"#,
        r#"[1, ["Oslo"]]"#,
        r#"{"quantity": [1], "ship_to": ["Oslo"]}"#,
        r#"{"quantity": 1, "ship_to": ["Oslo"]}"#,
        r#"{"quantity": 1, "stops": [{"city": "Oslo"}, ["Oslo"]]}"#,
        r#"{"quantity": 1, "gift": {"card": ["Skål"]}}"#,
        r#"{"quantity": 1, "gift": {"to": ["Oslo"]}}"#,
        r#"{"quantity": 1, "ship_to": "Oslo, expected u32"}"#,
    ]
    .into_iter()
    .map(refusal)
    .collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    400 EOF while parsing a value at line 1 column 0
    400 EOF while parsing an object at line 1 column 14
    400 trailing characters at line 1 column 17
    422  invalid type: array, expected an object
    422 /quantity missing field `quantity`
    422 /quantity invalid value: integer `-1`, expected a whole number from 0 to 4294967295
    422 /quantity invalid type: string "1", expected a whole number from 0 to 4294967295
    422 /quantity invalid type: number `1.5`, expected a whole number from 0 to 4294967295
    422 /quantity invalid value: integer `99999999999`, expected a whole number from 0 to 4294967295
    422 /colour unknown field `colour`, expected one of `quantity`, `ship_to`, `tags`, `stops`, `gift`
    422 /quantity duplicate field `quantity`
    422 /ship_to/city invalid type: integer `1`, expected a string
    422 /ship_to/city missing field `city`
    422 /ship_to/a~1b unknown field `a/b`, expected `city`
    422 /tags/1 invalid type: integer `2`, expected a string
    422 /tags invalid type: object, expected an array
    422  invalid type: array, expected an object
    422 /quantity invalid type: array, expected a whole number from 0 to 4294967295
    422 /ship_to invalid type: array, expected an object
    422 /stops/1 invalid type: array, expected an object
    422 /gift invalid type: array, expected an object
    422 /gift invalid type: array, expected an object
    422 /ship_to invalid type: string "Oslo, expected u32", expected an object
    "#);
}

#[test]
fn objects_are_read_at_every_depth() {
    let body = br#"{"quantity": 1, "ship_to": {"city": "Oslo"}, "tags": ["a"], "stops": [{"city": "Bergen"}],
        "gift": {"card": {"text": "Sk\u00e5l"}}}"#;
    let order: Order = parse_body(body).unwrap();
    insta::assert_snapshot!(format!("{order:?}"), @r#"Order { quantity: 1, ship_to: Some(Address { city: "Oslo" }), tags: ["a"], stops: [Address { city: "Bergen" }], gift: Some(Card { text: "Skål" }) }"#);
    let order: Order = parse_body(br#"{"quantity": 1, "ship_to": null}"#).unwrap();
    assert!(order.ship_to.is_none());
}

#[test]
fn a_request_that_cannot_be_decoded_is_refused_with_its_trace() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", trace)];
    let refused = Request::received("GET", "/%zz", &headers).unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body_json()["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    let length = refused.body.len().to_string();
    assert_eq!(refused.header("content-length"), Some(length.as_str()));
    let request = Request::received("GET", "/a", &headers).unwrap();
    assert_eq!(request.header("traceparent"), Some(trace));
}

#[test]
fn a_problem_says_type_title_status_detail_places_and_trace() {
    let request = Request::new("GET", "/").unwrap().with_header(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    let response = answer(&request, |_| {
        Err(Problem::invalid_field("/quantity", "has to be 1 to 1000"))
    });
    assert_eq!(response.status, 422);
    assert_eq!(
        response.header("Content-Type"),
        Some("application/problem+json")
    );
    insta::assert_snapshot!(String::from_utf8(response.body).unwrap(), @r#"{"type":"https://skald.dev/problems/invalid-content","title":"Invalid content","status":422,"detail":"the body breaks a rule","errors":[{"pointer":"/quantity","detail":"has to be 1 to 1000"}],"trace_id":"0af7651916cd43dd8448eb211c80319c"}"#);
    let refused = answer(&request, |_| {
        Err(Problem::method_not_allowed(&["GET", "PUT"]))
    });
    assert_eq!(refused.header("allow"), Some("GET, HEAD, PUT"));
    let told = Problem::method_not_allowed(&["PUT"]).into_response(None);
    assert_eq!(told.header("allow"), Some("PUT"));
}

#[test]
fn a_request_is_taken_apart() {
    let request = Request::new(
        "put",
        "/api/v1/cart/items/Ale%20horn?page_size=5&q=two+words&x",
    )
    .unwrap()
    .by("usr_1");
    assert_eq!(request.method(), "PUT");
    assert_eq!(
        request.segments(),
        ["api", "v1", "cart", "items", "Ale horn"]
    );
    assert_eq!(request.query().get("q"), Some("two words"));
    assert_eq!(request.query().get("x"), Some(""));
    assert_eq!(request.query().get("y"), None);
    assert_eq!(request.query().page_size(), Ok(5));
    assert_eq!(request.principal(), Ok("usr_1"));
    assert_eq!(
        Request::new("GET", "/")
            .unwrap()
            .principal()
            .unwrap_err()
            .status(),
        401
    );
    for broken in ["/%", "/%4", "/%zz", "/%ff", "/?q=%ff"] {
        assert_eq!(
            Request::new("GET", broken).unwrap_err().status(),
            400,
            "{broken}"
        );
    }
}

#[test]
fn head_is_get_without_the_body() {
    let request = Request::new("HEAD", "/").unwrap();
    assert_eq!(request.method(), "GET");
    let response = answer(&request, |_| Ok(json(200, &1)));
    assert_eq!((response.status, response.body.len()), (200, 0));
    assert_eq!(response.header("content-length"), None);
}

#[test]
fn an_answer_states_its_length_where_there_can_be_a_body() {
    let request = Request::new("GET", "/").unwrap();
    let length = |response: Response| {
        let answer = answer(&request, |_| Ok(response));
        answer.header("content-length").map(str::to_owned)
    };
    assert_eq!(length(json(200, "four")), Some("6".to_owned()));
    assert_eq!(length(Response::new(200, Vec::new())), Some("0".to_owned()));
    assert_eq!(length(no_content()), None);
    assert_eq!(length(Response::new(304, Vec::new())), None);
}

#[test]
fn page_sizes_outside_1_to_100_are_refused() {
    let size = |text: &str| {
        Query::parse(text)
            .unwrap()
            .page_size()
            .map_err(|problem| problem.status())
    };
    assert_eq!(size(""), Ok(20));
    assert_eq!(size("page_size=100"), Ok(100));
    for refused in ["0", "101", "-1", "many", "", "99999999999999999999"] {
        assert_eq!(size(&format!("page_size={refused}")), Err(400), "{refused}");
    }
}

#[test]
fn a_page_token_carries_its_cursor_back_and_others_are_refused() {
    let next = token(&("sku-1".to_owned(), 7_u32));
    let query = Query::parse(&format!("page_token={next}")).unwrap();
    assert_eq!(query.page_token(), Ok(Some(("sku-1".to_owned(), 7_u32))));
    assert_eq!(Query::default().page_token::<u32>(), Ok(None));
    for refused in ["x", "!!", next.as_str()] {
        let query = Query::parse(&format!("page_token={refused}")).unwrap();
        assert_eq!(query.page_token::<u32>().unwrap_err().status(), 400);
    }
}

#[test]
fn who_has_the_latest_version_is_told_so() {
    let value = json!({"sku": "a"});
    let tag = etag(&value);
    let ask = |header: &str| {
        let request = Request::new("GET", "/")
            .unwrap()
            .with_header("If-None-Match", header);
        let response = json_or_not_modified(&request, &value);
        assert_eq!(response.header("etag"), Some(tag.as_str()));
        response.status
    };
    assert_eq!(ask(&tag), 304);
    assert_eq!(ask(&format!("\"old\", W/{tag}")), 304);
    assert_eq!(ask("*"), 304);
    assert_eq!(ask("\"old\""), 200);
    assert_ne!(tag, etag(&json!({"sku": "b"})));
}
