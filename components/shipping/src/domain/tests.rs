//! Sentences about shipping.

use proptest::{prop_assert, prop_assert_eq, prop_assert_ne, proptest};

use super::*;

fn to(country: &str) -> Address {
    Address {
        name: "Ada".to_owned(),
        street: "Kai 1".to_owned(),
        city: "Oslo".to_owned(),
        postal_code: "0150".to_owned(),
        country: country.to_owned(),
    }
}

fn booked(country: &str) -> Record {
    book(None, "ord_1", "usr_1", &to(country)).unwrap()
}

fn line(record: &Record) -> String {
    let (shipment, status) = record.seen_by("usr_1").unwrap();
    format!("{} {} {status}", shipment.carrier, shipment.tracking)
}

#[test]
fn each_country_has_its_carrier_and_the_rest_of_the_world_has_one() {
    let lines: Vec<String> = ["NO", "DE", "US", "JP"]
        .map(|country| line(&booked(country)))
        .into();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Nordlys Post NP-1N0YSB38D9KWK-Y booked
    Alpenbote AB-1N0YSB38D9KWK-Y booked
    Great Lakes Freight GL-1N0YSB38D9KWK-Y booked
    Longship International LI-1N0YSB38D9KWK-Y booked
    ");
}

#[test]
fn nobody_carries_to_xx() {
    let refusal = book(None, "ord_1", "usr_1", &to("XX")).unwrap_err();
    insta::assert_snapshot!(refusal, @"nobody carries to XX");
}

#[test]
fn a_second_booking_answers_the_same_shipment_wherever_it_goes() {
    let first = booked("NO");
    assert_eq!(
        book(Some(&first), "ord_1", "usr_1", &to("DE")),
        Ok(first.clone())
    );
    assert!(matches!(
        book(Some(&first), "ord_1", "usr_2", &to("NO")),
        Err(Refusal::Invalid(_))
    ));
}

#[test]
fn what_was_cancelled_cannot_be_booked_again() {
    let never_booked = cancel(None);
    let called_off = cancel(Some(&booked("NO")));
    for cancelled in [never_booked, called_off] {
        assert_eq!(cancel(Some(&cancelled)), cancelled);
        let refusal = book(Some(&cancelled), "ord_1", "usr_1", &to("NO")).unwrap_err();
        assert_eq!(refusal, Refusal::Cancelled("ord_1".to_owned()));
    }
}

#[test]
fn a_shipment_is_seen_by_its_owner_only() {
    let record = booked("NO");
    assert!(record.seen_by("usr_2").is_none());
    assert!(cancel(Some(&record)).seen_by("usr_2").is_none());
    assert_eq!(
        cancel(Some(&record)).seen_by("usr_1").unwrap().1,
        "cancelled"
    );
    assert!(cancel(None).seen_by("usr_1").is_none());
}

#[test]
fn addresses_that_nobody_could_deliver_to_are_refused() {
    let long = "x".repeat(LONGEST_PART + 1);
    let broken = [
        Address {
            name: " ".to_owned(),
            ..to("NO")
        },
        Address {
            street: String::new(),
            ..to("NO")
        },
        Address {
            city: long,
            ..to("NO")
        },
        Address {
            postal_code: String::new(),
            ..to("NO")
        },
        to("no"),
        to("NOR"),
        to(""),
        to("É"),
    ];
    let reasons: Vec<String> = broken
        .iter()
        .map(|address| {
            book(None, "ord_1", "usr_1", address)
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    the name has to have 1 to 200 characters
    the street has to have 1 to 200 characters
    the city has to have 1 to 200 characters
    the postal code has to have 1 to 200 characters
    the country has to be two upper-case letters
    the country has to be two upper-case letters
    the country has to be two upper-case letters
    the country has to be two upper-case letters
    ");
}

proptest! {
    #[test]
    fn a_tracking_number_notices_any_single_wrong_character(
        order in "ord_[0-9a-z]{26}",
        place in 0..TRACKING_LENGTH,
        wrong in 0..36_usize,
    ) {
        let number = tracking("NP", &order);
        prop_assert_eq!(&number, &tracking("NP", &order));
        let parts: Vec<&str> = number.split('-').collect();
        let (digits, check) = (parts[1], parts[2].chars().next().unwrap());
        prop_assert_eq!(digits.len(), TRACKING_LENGTH);
        prop_assert_eq!(check_digit(digits), check);
        let mut misread = digits.as_bytes().to_vec();
        if misread[place] != DIGITS[wrong] {
            misread[place] = DIGITS[wrong];
            prop_assert_ne!(check_digit(&String::from_utf8(misread).unwrap()), check);
        }
    }

    #[test]
    fn an_order_has_one_shipment_however_often_it_is_booked_and_cancelled(
        commands in proptest::collection::vec(proptest::bool::ANY, 0..20),
    ) {
        let mut record = None;
        let mut first: Option<Shipment> = None;
        for books in commands {
            let next = if books {
                book(record.as_ref(), "ord_1", "usr_1", &to("NO")).ok()
            } else {
                Some(cancel(record.as_ref()))
            };
            let was_cancelled = matches!(record, Some(Record::Cancelled { .. }));
            prop_assert!(!(was_cancelled && books && next.is_some()));
            record = next.or(record);
            if let Some((shipment, _)) = record.as_ref().and_then(|record| record.seen_by("usr_1")) {
                prop_assert_eq!(first.get_or_insert_with(|| shipment.clone()), shipment);
            }
        }
    }
}
