//! Routing as data: routes in, the winner out, and the same judged by a slow model for any routes.

use http::Method;
use proptest::prelude::*;

use super::{MethodPattern, Pattern, Routes, pattern::Segment};

fn routes(list: &[&str]) -> Routes<()> {
    Routes::build(
        list.iter()
            .map(|route| (Pattern::parse(route).unwrap(), ()))
            .collect(),
    )
}

/// One line for a path: the route it belongs to, the path info and the parameters.
fn found(routes: &Routes<()>, path: &str) -> String {
    let Some(found) = routes.find(path) else {
        return format!("{path} -> nothing");
    };
    let params: Vec<String> = found
        .params()
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    format!(
        "{path} -> {} info={:?}{}",
        found.pattern,
        found.path_info(),
        params.concat()
    )
}

fn all_found(list: &[&str], paths: &[&str]) -> String {
    let routes = routes(list);
    paths
        .iter()
        .map(|path| found(&routes, path))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_literal_beats_a_parameter_and_a_parameter_beats_the_wildcard() {
    insta::assert_snapshot!(all_found(
        &["/...", "/users/:id", "/users/me", "/users/...", "/users/:id/cart", "/users/:id/:part"],
        &["/", "/users", "/users/7", "/users/me", "/users/me/cart", "/users/7/cart", "/users/7/x", "/users/7/x/y", "/x"],
    ), @r#"
    / -> /... info="/"
    /users -> /users/... info=""
    /users/7 -> /users/:id info="" id=7
    /users/me -> /users/me info=""
    /users/me/cart -> /users/:id/cart info="" id=me
    /users/7/cart -> /users/:id/cart info="" id=7
    /users/7/x -> /users/:id/:part info="" id=7 part=x
    /users/7/x/y -> /users/... info="/7/x/y"
    /x -> /... info="/x"
    "#);
}

#[test]
fn path_info_is_what_the_wildcard_stands_for() {
    insta::assert_snapshot!(all_found(
        &["/foo/...", "/a/:b/..."],
        &["/foo", "/foo/", "/foo/bar", "/foo/bar/", "//foo/bar", "/foo//bar", "/a/b", "/a/b/c?", "/a//c", "/fo", "/"],
    ), @r#"
    /foo -> /foo/... info=""
    /foo/ -> /foo/... info="/"
    /foo/bar -> /foo/... info="/bar"
    /foo/bar/ -> /foo/... info="/bar/"
    //foo/bar -> /foo/... info="/bar"
    /foo//bar -> /foo/... info="//bar"
    /a/b -> /a/:b/... info="" b=b
    /a/b/c? -> /a/:b/... info="/c?" b=b
    /a//c -> nothing
    /fo -> nothing
    / -> nothing
    "#);
    insta::assert_snapshot!(all_found(&["/..."], &["", "/", "//", "/a", "/a/b/"]), @r#"
     -> /... info=""
    / -> /... info="/"
    // -> /... info="/"
    /a -> /... info="/a"
    /a/b/ -> /... info="/a/b/"
    "#);
}

#[test]
fn slashes_at_the_ends_do_not_count() {
    insta::assert_snapshot!(all_found(&["/", "/cart/", "orders"], &["/", "", "/cart", "/cart/", "/orders/", "/cart//x"]), @r#"
    / -> / info=""
     -> / info=""
    /cart -> /cart info=""
    /cart/ -> /cart info=""
    /orders/ -> /orders info=""
    /cart//x -> nothing
    "#);
}

#[test]
fn the_first_of_two_equal_routes_stays() {
    let routes = Routes::build(vec![
        (Pattern::parse("/a/:b").unwrap(), 1),
        (Pattern::parse("/a/:c").unwrap(), 2),
    ]);
    assert_eq!(routes.find("/a/x").map(|found| *found.value), Some(1));
}

#[test]
fn the_wildcard_is_left_out_of_the_prefix() {
    let prefix = |route: &str| Pattern::parse(route).unwrap().prefix().to_owned();
    assert_eq!(
        [
            prefix("/a/:b/..."),
            prefix("/a"),
            prefix("/..."),
            prefix("/")
        ],
        ["/a/:b", "/a", "", "/"]
    );
}

#[test]
fn a_wrong_route_is_refused_with_the_right_one() {
    let wrong = [
        "/a?b", "/a b", "/a...", "/.../b", "/a//b", "/:", "/:a/:a", "/a/../b", "/:a.b",
    ];
    let refused = wrong
        .map(|route| Pattern::parse(route).unwrap_err())
        .join("\n");
    insta::assert_snapshot!(refused, @r"
    the route `/a?b` has `?` in it; a route is only a path
    the route `/a b` has ` ` in it; a route is only a path
    the route `/a...` has a wildcard without a slash; write `/a/...`
    the route `/.../b` has a wildcard in the middle; `...` may only come last
    the route `/a//b` has two slashes in a row; write one
    the route `/:` has the parameter `:`; a parameter is `:` and letters, digits, `_` or `-`
    the route `/:a/:a` has two parameters `:a`; give one another name
    the route `/a/../b` has `..` as a part of its path; no request has that
    the route `/:a.b` has the parameter `:a.b`; a parameter is `:` and letters, digits, `_` or `-`
    ");
}

#[test]
fn paths_of_the_host_are_reserved() {
    let is_reserved = |route: &str| Pattern::parse(route).unwrap().is_reserved();
    assert!(is_reserved("/.well-known/spin/health") && is_reserved("/.well-known/skald/..."));
    assert!(
        !is_reserved("/.well-known/jwks.json")
            && !is_reserved("/...")
            && !is_reserved("/:a/spin/x")
    );
}

#[test]
fn a_method_pattern_is_about_its_method_or_about_all() {
    let matches = |pattern: &str, method: Method, path: &str| {
        MethodPattern::parse(pattern)
            .unwrap()
            .matches(&method, path)
    };
    assert!(matches(
        "POST /api/v1/orders",
        Method::POST,
        "/api/v1/orders"
    ));
    assert!(matches(
        "POST /api/v1/orders",
        Method::POST,
        "/api/v1/orders/"
    ));
    assert!(!matches(
        "POST /api/v1/orders",
        Method::GET,
        "/api/v1/orders"
    ));
    assert!(!matches(
        "POST /api/v1/orders",
        Method::POST,
        "/api/v1/orders/1"
    ));
    assert!(matches("GET /x/...", Method::HEAD, "/x/y"));
    assert!(!matches("GET /x/...", Method::OPTIONS, "/x/y"));
    assert!(matches("/x/:y", Method::DELETE, "/x/y"));
    assert!(!matches("/x/:y", Method::DELETE, "/x"));
}

#[test]
fn a_wrong_method_pattern_is_refused_with_the_right_one() {
    let refused = ["post /x", "FETCH /x", "POST", "POST x", "GET /a b"]
        .map(|text| MethodPattern::parse(text).unwrap_err());
    insta::assert_snapshot!(refused.join("\n"), @r"
    `post` is not a method; did you mean `POST`?
    `FETCH` is not a method; known are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE
    `POST` does not name a path; write `POST /path` or `/path`
    `POST x` does not name a path; write `POST /path` or `/path`
    the route `/a b` has ` ` in it; a route is only a path
    ");
}

/// Few words, so that routes meet each other often.
fn any_route() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just(":x")];
    (proptest::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(segments, wildcard)| {
        let mut route = String::new();
        for (index, segment) in segments.iter().enumerate() {
            route.push('/');
            route.push_str(segment);
            if segment.starts_with(':') {
                route.push_str(&index.to_string());
            }
        }
        route + if wildcard { "/..." } else { "/" }
    })
}

fn any_path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("")], 0..5)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

/// How exact each place of a route is; smaller is better.
fn rank(pattern: &Pattern) -> Vec<u8> {
    let kinds = pattern.segments().iter().map(|segment| match segment {
        Segment::Literal(_) => 1,
        Segment::Param(_) => 2,
    });
    kinds.chain(pattern.is_wildcard().then_some(3)).collect()
}

proptest! {
    #[test]
    fn every_route_is_reachable_by_a_path_made_from_it(list in proptest::collection::vec(any_route(), 1..12)) {
        let routes = Routes::build(list.iter().map(|route| (Pattern::parse(route).unwrap(), ())).collect());
        for (pattern, ()) in routes.iter() {
            let parts = pattern.segments().iter().map(|segment| match segment {
                Segment::Literal(literal) => format!("/{literal}"),
                Segment::Param(name) => format!("/any-{name}"),
            });
            let path: String = parts.collect();
            prop_assert!(pattern.matches(&path));
            let found = routes.find(&path).unwrap();
            // Only a better route may take the path: the exact twin of a wildcard.
            prop_assert!(found.pattern.is_same_as(pattern) || (pattern.is_wildcard() && !found.pattern.is_wildcard()));
            for (name, value) in found.params() {
                prop_assert!(value.starts_with("any-") || pattern.is_wildcard(), "{name}={value}");
            }
        }
    }

    #[test]
    fn the_route_found_is_the_most_exact_of_all_that_match(
        list in proptest::collection::vec(any_route(), 1..12),
        path in any_path(),
    ) {
        let routes = Routes::build(list.iter().map(|route| (Pattern::parse(route).unwrap(), ())).collect());
        let expected = routes.iter().map(|(pattern, ())| pattern).filter(|pattern| pattern.matches(&path)).min_by_key(|pattern| rank(pattern));
        let found = routes.find(&path).map(|found| found.pattern);
        prop_assert_eq!(found.map(Pattern::as_str), expected.map(Pattern::as_str));
    }

    #[test]
    fn the_prefix_and_the_path_info_make_the_path_again(path in "(/[ab]{1,2}){0,4}") {
        let routes = routes(&["/a/...", "/..."]);
        let found = routes.find(&path).unwrap();
        prop_assert_eq!(format!("{}{}", found.pattern.prefix(), found.path_info()), path);
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "[/:.*a ?]{0,12}", path in ".{0,12}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert!(Pattern::parse(pattern.as_str()).unwrap().is_same_as(&pattern));
            let routes = Routes::build(vec![(pattern, ())]);
            if let Some(found) = routes.find(&path) {
                prop_assert!(path.ends_with(found.path_info()));
            }
        }
    }
}
