use super::{DependencyName, is_kebab, is_lower_snake, is_snake, respelled};

#[test]
fn every_form_of_a_dependency_name_reads_and_prints_the_same() {
    for text in [
        "plain-name",
        "shop:orders",
        "shop:orders@0.1.0",
        "shop:orders/api",
        "shop:orders/api@1.2.3-rc.1",
    ] {
        assert_eq!(DependencyName::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_dependency_name_is_refused() {
    for text in [
        "",
        "Shop",
        "shop:",
        ":orders",
        "shop:orders/",
        "shop:orders@1",
        "plain@1.0.0",
        "a:b:c",
        "a:b/c/d",
    ] {
        assert!(DependencyName::parse(text).is_err(), "{text}");
    }
}

fn overlap(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|text| DependencyName::parse(text).unwrap());
    assert_eq!(a.overlaps(&b), b.overlaps(&a), "the order does not matter");
    a.overlaps(&b)
}

#[test]
fn names_overlap_when_one_import_could_be_met_by_both() {
    assert!(overlap("shop:orders", "shop:orders/api"));
    assert!(overlap("shop:orders@0.1.0", "shop:orders@0.1.4"));
    assert!(overlap("shop:orders", "shop:orders@3.0.0"));
    assert!(!overlap("shop:orders@0.1.0", "shop:orders@0.2.0"));
    assert!(!overlap("shop:orders/api", "shop:orders/admin"));
    assert!(!overlap("shop:orders", "shop:cart"));
    assert!(!overlap("orders", "shop:orders"));
}

#[test]
fn names_have_words_that_start_with_a_letter() {
    assert!(is_kebab("cart") && is_kebab("my-cart2") && is_kebab("API-v2"));
    assert!(
        !is_kebab("")
            && !is_kebab("my_cart")
            && !is_kebab("-cart")
            && !is_kebab("myCart")
            && !is_kebab("a-2")
    );
    assert!(
        is_lower_snake("redis_url") && !is_lower_snake("redis-url") && !is_lower_snake("REDIS")
    );
    assert!(is_snake("REDIS_url") && !is_snake("Redis"));
}

#[test]
fn an_obvious_right_spelling_is_found() {
    assert_eq!(respelled("myCart", '-').as_deref(), Some("my-cart"));
    assert_eq!(respelled("My Cart", '-').as_deref(), Some("my-cart"));
    assert_eq!(respelled("redis-url", '_').as_deref(), Some("redis_url"));
    assert_eq!(respelled("2", '_'), None);
}
