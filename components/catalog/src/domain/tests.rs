//! The demo range, searching it, and turning its pages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn skus(words: &str) -> Vec<String> {
    let range = range();
    let (items, _) = page(&range, &Filter::new(words), None, 100).unwrap();
    items.iter().map(|product| product.sku.clone()).collect()
}

#[test]
fn the_demo_range_is_in_order_and_nothing_is_free() {
    let range = range();
    assert!(range.len() >= 24);
    assert!(range.is_sorted_by(|a, b| a.sku < b.sku));
    for product in &range {
        assert!(
            product.price.amount > 0 && product.price.currency == "EUR",
            "{product:?}"
        );
        assert!(
            !product.name.is_empty() && product.description.ends_with('.'),
            "{product:?}"
        );
    }
}

#[test]
fn a_search_wants_all_words_in_any_case() {
    assert_eq!(skus("OAK lyre"), ["lyre-oak"]);
    assert_eq!(skus("  honey "), ["honey-heather", "mead-dry"]);
    assert!(skus("longship").is_empty());
    assert_eq!(skus("").len(), range().len());
}

#[test]
fn a_cursor_is_good_for_its_own_list_only() {
    let range = range();
    let (_, next) = page(&range, &Filter::new("oak"), None, 1).unwrap();
    assert_eq!(
        page(&range, &Filter::new("iron"), next.as_ref(), 1),
        Err(OtherList)
    );
    assert!(page(&range, &Filter::new(" OAK"), next.as_ref(), 1).is_ok());
}

#[test]
fn what_is_there_is_not_added_again() {
    let mut products = Vec::new();
    let mut backwards = range();
    backwards.reverse();
    assert_eq!(add(&mut products, backwards).len(), range().len());
    assert_eq!(products, range());
    assert!(add(&mut products, range()).is_empty());
}

proptest! {
    #[test]
    fn pages_put_together_are_the_list(size in 1_usize..40, words in "(o|a|the|oak|zzz)?") {
        let range = range();
        let filter = Filter::new(&words);
        let whole: Vec<&Product> = page(&range, &filter, None, usize::MAX).unwrap().0;
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (items, next) = page(&range, &filter, cursor.as_ref(), size).unwrap();
            prop_assert!(items.len() <= size);
            prop_assert!(next.is_none() || items.len() == size);
            seen.extend(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        prop_assert_eq!(&seen, &whole);
        let distinct: BTreeSet<_> = seen.iter().map(|product| &product.sku).collect();
        prop_assert_eq!(distinct.len(), seen.len());
    }
}
