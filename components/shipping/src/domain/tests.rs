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

/// When parcels leave in these tests.
const LEAVES: u64 = 100;

fn book_for(known: Option<&Record>, user: &str, to: &Address) -> Result<Record, Refusal> {
    let parcel = Parcel {
        order: "ord_1",
        user,
        to,
        leaves: LEAVES,
    };
    book(known, &parcel)
}

fn booked(country: &str) -> Record {
    book_for(None, "usr_1", &to(country)).unwrap()
}

/// Cancels before anything leaves.
fn cancelled(known: Option<&Record>) -> Record {
    cancel(known, "ord_1", 0).unwrap()
}

fn line(record: &Record) -> String {
    let (shipment, status) = record.seen_by("usr_1", 0).unwrap();
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
    let refusal = book_for(None, "usr_1", &to("XX")).unwrap_err();
    insta::assert_snapshot!(refusal, @"nobody carries to XX");
}

#[test]
fn a_second_booking_answers_the_same_shipment_wherever_it_goes() {
    let first = booked("NO");
    assert_eq!(
        book_for(Some(&first), "usr_1", &to("DE")),
        Ok(first.clone())
    );
    assert!(matches!(
        book_for(Some(&first), "usr_2", &to("NO")),
        Err(Refusal::Invalid(_))
    ));
}

#[test]
fn what_was_cancelled_cannot_be_booked_again() {
    let never_booked = cancelled(None);
    let called_off = cancelled(Some(&booked("NO")));
    for record in [never_booked, called_off] {
        assert_eq!(cancelled(Some(&record)), record);
        let refusal = book_for(Some(&record), "usr_1", &to("NO")).unwrap_err();
        assert_eq!(refusal, Refusal::Cancelled("ord_1".to_owned()));
    }
}

#[test]
fn what_has_left_is_not_called_back() {
    let record = booked("NO");
    assert_eq!(record.seen_by("usr_1", LEAVES - 1).unwrap().1, "booked");
    assert_eq!(record.seen_by("usr_1", LEAVES).unwrap().1, "shipped");
    assert!(cancel(Some(&record), "ord_1", LEAVES - 1).is_ok());
    let refusal = cancel(Some(&record), "ord_1", LEAVES).unwrap_err();
    insta::assert_snapshot!(refusal, @"the shipment of order ord_1 has left");
    let called_off = cancelled(Some(&record));
    let late = cancel(Some(&called_off), "ord_1", LEAVES);
    assert_eq!(late, Ok(called_off), "what was called off in time stays so");
}

#[test]
fn a_cancellation_that_is_taken_back_leaves_everything_as_it_was() {
    let record = booked("NO");
    assert_eq!(reinstate(&record), record);
    assert_eq!(reinstate(&cancelled(Some(&record))), record);
    let never_booked = cancelled(None);
    assert_eq!(reinstate(&never_booked), never_booked);
}

#[test]
fn what_was_booked_before_departures_were_noted_has_left() {
    let text = r#"{"status":"booked","user":"usr_1","shipment":{"carrier":"Alpenbote","tracking":"AB-1"}}"#;
    let record: Record = serde_json::from_str(text).unwrap();
    assert_eq!(record.seen_by("usr_1", 0).unwrap().1, "shipped");
    let text =
        r#"{"status":"cancelled","booked":["usr_1",{"carrier":"Alpenbote","tracking":"AB-1"}]}"#;
    let record: Record = serde_json::from_str(text).unwrap();
    assert_eq!(record.seen_by("usr_1", 0).unwrap().1, "cancelled");
}

#[test]
fn a_shipment_is_seen_by_its_owner_only() {
    let record = booked("NO");
    let called_off = cancelled(Some(&record));
    assert!(record.seen_by("usr_2", 0).is_none());
    assert!(called_off.seen_by("usr_2", 0).is_none());
    assert_eq!(called_off.seen_by("usr_1", 0).unwrap().1, "cancelled");
    assert!(cancelled(None).seen_by("usr_1", 0).is_none());
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
        .map(|address| book_for(None, "usr_1", address).unwrap_err().to_string())
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
    fn an_order_has_one_shipment_whatever_is_asked_and_what_has_left_stays_so(
        asked in proptest::collection::vec((0..3_u8, 0..200_u64), 0..20),
    ) {
        let mut record: Option<Record> = None;
        let mut first: Option<Shipment> = None;
        let mut now = 0;
        for (request, pause) in asked {
            now += pause;
            let before = record.as_ref().and_then(|record| record.seen_by("usr_1", now)).map(|seen| seen.1);
            let next = match (request, &record) {
                (0, known) => book_for(known.as_ref(), "usr_1", &to("NO")).ok(),
                (1, known) => cancel(known.as_ref(), "ord_1", now).ok(),
                (_, Some(known)) => Some(reinstate(known)),
                (_, None) => None,
            };
            record = next.or(record);
            let after = record.as_ref().and_then(|record| record.seen_by("usr_1", now));
            if let Some((shipment, _)) = after {
                prop_assert_eq!(first.get_or_insert_with(|| shipment.clone()), shipment);
            }
            prop_assert!(before != Some("shipped") || after.is_some_and(|seen| seen.1 == "shipped"));
        }
    }
}
