use std::{sync::Arc, time::Duration};

use skald_core::{
    call::CallError,
    manifest::ComponentId,
    store::{Key, StoreError, Subject},
};

use super::*;
use crate::codec::Invalid;

fn every_error() -> Vec<CallError> {
    let component = ComponentId::from("orders");
    let retry_after = Duration::from_micros(1_500_001);
    vec![
        CallError::NoSuchComponent(component.clone()),
        CallError::NoSuchExport {
            component: component.clone(),
            export: "a:b/c#d".to_owned(),
        },
        CallError::Overloaded {
            component: component.clone(),
            retry_after,
        },
        CallError::Broken {
            component,
            retry_after,
        },
        CallError::TimedOut(Duration::from_millis(10)),
        CallError::Trapped("unreachable\n  at 100% — \u{1f4a5}".to_owned()),
        CallError::OverLimit("memory".to_owned()),
        CallError::HandlerFailed(String::new()),
        CallError::Conflict { attempts: 32 },
        CallError::KeyReused,
        CallError::KeyRunning,
        CallError::Store(StoreError::Full("/data".to_owned())),
        CallError::Store(StoreError::Corrupt("page 3".to_owned())),
        CallError::Store(StoreError::Unavailable("away".to_owned())),
        CallError::Store(StoreError::Unknown("cut off".to_owned())),
        CallError::Engine("no instance".to_owned()),
        CallError::ShuttingDown,
    ]
}

fn there_and_back(error: &CallError) -> CallError {
    let headers = Status::from(error).headers();
    FromPeer {
        node: "b",
        component: &ComponentId::from("orders"),
        status: Status::read(&headers).unwrap().unwrap_err(),
    }
    .error()
}

#[test]
fn every_error_of_a_node_is_the_same_for_the_one_that_asked() {
    for error in every_error() {
        assert_eq!(
            format!("{:?}", there_and_back(&error)),
            format!("{error:?}")
        );
    }
}

#[test]
fn what_only_the_callee_can_use_becomes_what_the_caller_can() {
    let subject = Subject::Key(Key {
        store: Arc::from("default"),
        name: Arc::from("k"),
    });
    let error = CallError::Store(StoreError::Changed(subject));
    assert!(matches!(
        there_and_back(&error),
        CallError::Store(StoreError::Unavailable(_))
    ));
}

#[test]
fn errors_have_the_codes_that_other_clients_understand() {
    let lines = every_error().into_iter().map(|error| {
        let status = Status::from(&error);
        format!("{} {:?}: {}", error.code(), status.code, status.message)
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    CALL-001 NotFound: no component is named "orders"
    CALL-002 Unimplemented: orders does not export a:b/c#d
    CALL-003 ResourceExhausted: orders has too many calls at once; try again in 1.500001s
    CALL-004 Unavailable: orders is failing; try again in 1.500001s
    CALL-005 DeadlineExceeded: no answer within 10ms
    CALL-006 Internal: the component trapped: unreachable
      at 100% — 💥
    CALL-007 ResourceExhausted: the component went over its limit: memory
    CALL-008 Internal: the handler failed: 
    CALL-009 Aborted: the data kept changing under the call (32 attempts)
    CALL-010 FailedPrecondition: the idempotency key was used with another request
    CALL-011 Aborted: a request with this idempotency key is still running
    CALL-012 Unavailable: the store failed: the disk is full; nothing was written: /data
    CALL-012 DataLoss: the store failed: the data cannot be read: page 3
    CALL-012 Unavailable: the store failed: the store is not available: away
    CALL-012 Unavailable: the store failed: whether the change was written is not known: cut off
    CALL-013 Internal: the engine failed: no instance
    CALL-014 Unavailable: the host is shutting down
    "#);
}

#[test]
fn a_bad_message_names_its_field() {
    let invalid = Invalid {
        path: "lines[2].quantity".to_owned(),
        what: "is missing".to_owned(),
    };
    let status = Status::from(&invalid);
    let bad = details::find::<details::BadRequest>(&status.details).unwrap();
    assert_eq!(bad.field_violations[0].field, "lines[2].quantity");
    assert_eq!(status.message, "`lines[2].quantity` is missing");
}

#[test]
fn an_answer_by_somebody_else_is_not_taken_for_ours() {
    let mut headers = Status::new(Code::Unavailable, "no upstream").headers();
    headers.insert("grpc-status-details-bin", HeaderValue::from_static("%%%"));
    let peer = FromPeer {
        node: "b",
        component: &ComponentId::from("orders"),
        status: Status::read(&headers).unwrap().unwrap_err(),
    };
    insta::assert_snapshot!(peer.error(), @"the engine failed: node b answered Unavailable: no upstream");
    assert!(Status::read(&HeaderMap::new()).is_none());
}
