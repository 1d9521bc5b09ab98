use proptest::{option, prelude::*};

use super::*;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn trace() -> TraceContext {
    TraceContext::parse(TRACEPARENT).unwrap()
}

fn text() -> impl Strategy<Value = Arc<str>> {
    any::<String>().prop_map(Arc::from)
}

fn any_once() -> impl Strategy<Value = Once> {
    let key = (any::<String>(), any::<String>());
    let key = key.prop_map(|(scope, fingerprint)| Once::Key(IdempotencyKey { scope, fingerprint }));
    let inbox = (text(), text(), any::<u64>(), any::<u64>());
    let inbox = inbox.prop_map(|(group, partition, generation, sequence)| {
        Once::Inbox(InboxMark {
            book: Book { group, partition },
            generation,
            sequence,
        })
    });
    let step = (any::<String>(), any::<String>(), any::<bool>());
    let step = step.prop_map(|(run, key, undo)| {
        let life = None;
        Once::Step(Arc::new(StepKey {
            run,
            key,
            undo,
            life,
        }))
    });
    prop_oneof![key, inbox, step]
}

fn any_cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        Just(Cause::Request),
        Just(Cause::Host),
        any::<u64>().prop_map(Cause::Event),
        text().prop_map(Cause::Component),
        text().prop_map(Cause::Saga),
    ]
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn sent<'a>(caller: &'a str, digest: &'a dyn Fn() -> String) -> Sent<'a> {
    Sent {
        caller,
        path: "/a.B/C",
        digest,
    }
}

proptest! {
    #[test]
    fn what_a_node_says_arrives(
        once in option::of(any_once()), cause in any_cause(), subject in option::of(text()),
        left in option::of(0_u64..1 << 50),
    ) {
        let now = now();
        let context = Context {
            principal: subject.map(Principal),
            trace: trace(),
            deadline: left.map(|left| now + Duration::from_nanos(left)),
            once,
            cause,
        };
        let mut headers = HeaderMap::new();
        write(&context, now, &mut headers);
        let read = read(&headers, now, || unreachable!()).unwrap();
        prop_assert_eq!(&read.principal, &context.principal);
        prop_assert_eq!(read.trace, context.trace);
        prop_assert_eq!(&read.once, &context.once);
        prop_assert_eq!(&read.cause, &context.cause);
        // Never later, and earlier by a second at the most.
        if let (Some(read), Some(sent)) = (read.deadline, context.deadline) {
            prop_assert!(read <= sent && sent - read < Duration::from_secs(1));
        }
        prop_assert_eq!(read.deadline.is_some(), context.deadline.is_some());
    }

    #[test]
    fn timeouts_are_read_or_not_and_nothing_else(text in "[0-9]{0,10}[HMSmunx]?") {
        let is_good = (2..=9).contains(&text.len()) && !text.ends_with(|c: char| c.is_ascii_digit() || c == 'x');
        prop_assert_eq!(read_timeout(&text).is_some(), is_good);
    }
}

#[test]
fn nobody_from_outside_says_who_they_are() {
    let now = now();
    let once = Once::Key(IdempotencyKey {
        scope: "POST /orders 1 ada".to_owned(),
        fingerprint: String::new(),
    });
    let context = Context {
        principal: Some(Principal("ada".into())),
        once: Some(once),
        deadline: Some(now + Duration::from_secs(1)),
        ..Context::root(trace(), Cause::Saga("run".into()))
    };
    let mut headers = HeaderMap::new();
    write(&context, now, &mut headers);
    let read = read_outside(&headers, now, || unreachable!(), &sent("", &String::new)).unwrap();
    assert_eq!(
        (read.principal, read.once, read.cause),
        (None, None, Cause::Request)
    );
    assert_eq!(
        (read.trace, read.deadline),
        (context.trace, context.deadline)
    );
}

#[test]
fn keys_of_different_callers_are_different_keys() {
    let mut headers = HeaderMap::new();
    headers.insert(KEY, HeaderValue::from_static("k1"));
    let scope = |caller: &str| {
        let sent = sent(caller, &|| "digest".to_owned());
        let context = read_outside(&headers, now(), trace, &sent).unwrap();
        match context.once {
            Some(Once::Key(key)) => (key.scope, key.fingerprint),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        scope("cafe"),
        ("gRPC /a.B/C k1 cafe".to_owned(), "digest".to_owned())
    );
    assert_ne!(scope("cafe"), scope("beef"));
    let two_words = HeaderValue::from_static("k 1");
    headers.insert(KEY, two_words);
    let error = read_outside(&headers, now(), trace, &sent("", &String::new)).unwrap_err();
    insta::assert_snapshot!(error, @"`idempotency-key` must be one value of 1 to 255 visible ASCII characters");
}
