use bytes::Bytes;
use proptest::prelude::*;

use super::{Damage, Entry, Tail, decode, encode, read};
use crate::{
    saga::{
        By, Cause, Command, End, Input, Outcome, Parked, Record, RunId, Stamped, Started, Step,
        Undone,
    },
    value::Value,
};

fn by() -> By {
    By {
        who: "ada".to_owned(),
        verb: "skip".to_owned(),
        why: "refunded by hand".to_owned(),
    }
}

fn step(arguments: Vec<Value>) -> Step {
    Step {
        target: "payments".to_owned(),
        interface: "shop:payments/api@1.0.0".to_owned(),
        function: "capture".to_owned(),
        arguments,
    }
}

fn started() -> Record {
    Record::Started(Started {
        run: RunId::from("run_1"),
        component: "checkout".to_owned(),
        revision: "sha256:1".to_owned(),
        key: "evt_1".to_owned(),
        subject: "order-1".to_owned(),
        input: Input::Message(b"{}".to_vec()),
        trace: "00-01-02-01".to_owned(),
        principal: Some("ada".to_owned()),
    })
}

/// One of each kind.
fn one_of_each() -> Vec<Record> {
    let revision = "sha256:2".to_owned();
    vec![
        started(),
        Record::Issued {
            ordinal: 0,
            command: Command::Step(step(vec![Value::U64(300), Value::String("a".to_owned())])),
        },
        Record::Completed {
            ordinal: 0,
            outcome: Outcome::Returned(Some(Value::Result(Ok(None)))),
            by: None,
        },
        Record::Signalled {
            id: "s1".to_owned(),
            name: "paid".to_owned(),
            payload: vec![1, 2, 3],
        },
        Record::RollbackStarted {
            cause: Cause::Asked(by()),
        },
        Record::Undone {
            ordinal: 1,
            how: Undone::Skipped(by()),
        },
        Record::Parked {
            reason: Parked::HistoryFull { limit: 10_000 },
        },
        Record::Resumed { by: by() },
        Record::OwnerChanged { epoch: 2 },
        Record::RevisionChanged { revision, by: by() },
        Record::Ended {
            end: End::Completed { answer: None },
        },
    ]
}

fn stamped(records: Vec<Record>) -> Vec<Stamped> {
    let records = (1_700_000_000_000_000..).zip(records);
    records.map(|(at, record)| Stamped { at, record }).collect()
}

/// A journal of one entry for each of these lists of records.
fn journal(lists: Vec<Vec<Record>>) -> Vec<Bytes> {
    let mut tail = Tail::default();
    let mut entries = Vec::new();
    for records in lists {
        let entry = Entry {
            sequence: tail.sequence + 1,
            epoch: 7,
            previous: tail.link,
            records: stamped(records),
        };
        let (bytes, next) = encode(&entry).unwrap();
        entries.push(bytes);
        tail = next;
    }
    entries
}

/// Three entries, together with one record of each kind.
fn three() -> Vec<Bytes> {
    let mut records = one_of_each().into_iter();
    let mut some = || records.by_ref().take(4).collect::<Vec<_>>();
    journal(vec![some(), some(), some()])
}

fn damage(entries: &[Bytes]) -> Damage {
    read(entries).unwrap_err()
}

/// The same bytes, changed, with a checksum that is right again.
fn forged(entry: &Bytes, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut body = entry[..entry.len() - 4].to_vec();
    change(&mut body);
    let sum = crc32c::crc32c(&body);
    body.extend(sum.to_le_bytes());
    body.into()
}

#[test]
fn the_bytes_of_every_kind_of_record_stay_as_they_are() {
    let entries = journal(vec![one_of_each()]);
    let lines = entries[0].chunks(32).map(|chunk| {
        let digits = chunk.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    });
    let lines: Vec<_> = lines.collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    534b4a3101000000000000000700000000000000000000000000000000000000
    000000000b000000000000401e18240a06003c000000000572756e5f31086368
    65636b6f7574087368613235363a31056576745f31076f726465722d3100027b
    7d0b30302d30312d30322d30310103616461010001401e18240a060033000000
    010000087061796d656e74731773686f703a7061796d656e74732f6170694031
    2e302e3007636170747572650208ac020c0161020002401e18240a0600080000
    000200000113000000030003401e18240a06000d000000030273310470616964
    03010203040004401e18240a06001c00000004020361646104736b6970107265
    66756e6465642062792068616e64050005401e18240a06001d00000005010103
    61646104736b697010726566756e6465642062792068616e64060006401e1824
    0a0600040000000606904e070007401e18240a06001b00000007036164610473
    6b697010726566756e6465642062792068616e64080008401e18240a06000200
    00000802090009401e18240a06002400000009087368613235363a3203616461
    04736b697010726566756e6465642062792068616e640a000a401e18240a0600
    030000000a0000030e5945
    ");
    let (records, _) = read(&entries).unwrap();
    assert_eq!(records, stamped(one_of_each()));
}

/// A value of each type.
fn every_value() -> Vec<Value> {
    let text = |text: &str| text.to_owned();
    vec![
        Value::Bool(true),
        Value::S8(-1),
        Value::U8(1),
        Value::S16(-1),
        Value::U16(1),
        Value::S32(-1),
        Value::U32(1),
        Value::S64(-1),
        Value::U64(1),
        Value::F32(1.0),
        Value::F64(1.0),
        Value::Char('a'),
        Value::String(text("a")),
        Value::List(vec![Value::U8(1)]),
        Value::Record(vec![(text("a"), Value::U8(1))]),
        Value::Tuple(vec![Value::U8(1)]),
        Value::Variant(text("a"), Some(Box::new(Value::U8(1)))),
        Value::Enum(text("a")),
        Value::Option(None),
        Value::Result(Err(None)),
        Value::Flags(vec![text("a")]),
    ]
}

fn every_command() -> [Command; 9] {
    let text = |text: &str| text.to_owned();
    let scope = 2;
    [
        Command::Step(step(every_value())),
        Command::Sleep { milliseconds: 5 },
        Command::Wait {
            signal: text("s"),
            timeout_ms: Some(5),
        },
        Command::Open { name: text("n") },
        Command::Register {
            scope,
            undo: step(Vec::new()),
        },
        Command::Commit { scope },
        Command::Rollback {
            scope,
            reason: text("r"),
        },
        Command::Status { text: text("t") },
        Command::Patch { id: text("p") },
    ]
}

fn every_outcome() -> [Outcome; 6] {
    [
        Outcome::Returned(None),
        Outcome::Fired,
        Outcome::Signal(vec![9]),
        Outcome::TimedOut,
        Outcome::RolledBack { skipped: 3 },
        Outcome::Abandoned {
            error: "e".to_owned(),
        },
    ]
}

/// Every case of everything that a record holds.
fn every_case() -> Vec<Record> {
    let mut records = Vec::new();
    let text = |text: &str| text.to_owned();
    let ordinal = 1;
    records.extend(every_command().map(|command| Record::Issued { ordinal, command }));
    records.extend(every_outcome().map(|outcome| Record::Completed {
        ordinal,
        outcome,
        by: Some(by()),
    }));
    let refused = Cause::Refused {
        error: text("e"),
        answer: Some(Value::U8(1)),
    };
    for cause in [refused, Cause::Uncommitted, Cause::Asked(by())] {
        records.push(Record::RollbackStarted {
            cause: cause.clone(),
        });
        let end = End::RolledBack { cause, skipped: 3 };
        records.push(Record::Ended { end });
    }
    let how = [Undone::Done, Undone::Skipped(by())];
    records.extend(how.map(|how| Record::Undone { ordinal, how }));
    records.extend(every_reason().map(|reason| Record::Parked { reason }));
    let (answer, left) = (Some(Value::U8(1)), 3);
    let ends = [End::Completed { answer }, End::Failed { by: by(), left }];
    records.extend(ends.map(|end| Record::Ended { end }));
    let Record::Started(mut called) = started() else {
        unreachable!()
    };
    called.principal = None;
    called.input = Input::Function {
        interface: text("i"),
        name: text("n"),
        arguments: vec![Value::U8(1)],
    };
    records.push(Record::Started(called));
    records
}

fn every_reason() -> [Parked; 8] {
    let (ordinal, attempts) = (1, 2);
    let error = "e".to_owned();
    [
        Parked::StepFailed {
            ordinal,
            attempts,
            error: error.clone(),
        },
        Parked::StepUnknown {
            ordinal,
            error: error.clone(),
        },
        Parked::UndoFailed {
            ordinal,
            attempts,
            error: error.clone(),
        },
        Parked::Mismatch {
            ordinal,
            expected: "x".to_owned(),
            actual: "y".to_owned(),
        },
        Parked::Crashed {
            attempts,
            error: error.clone(),
        },
        Parked::TooLarge {
            ordinal,
            size: 300,
            limit: 200,
        },
        Parked::HistoryFull { limit: 200 },
        Parked::NoRevision {
            revision: "r".to_owned(),
            error,
        },
    ]
}

#[test]
fn the_bytes_of_every_case_stay_as_they_are() {
    let lines = every_case().into_iter().map(|record| {
        let bytes = postcard::to_stdvec(&record).unwrap();
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    let lines: Vec<_> = lines.collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    010100087061796d656e74731773686f703a7061796d656e74732f61706940312e302e30076361707475726515000101ff0201030104010501060107010801090000803f0a000000000000f03f0b01610c01610d0102010e01016102010f010201100161010201110161120013010014010161
    01010105
    01010201730105
    010103016e
    01010402087061796d656e74731773686f703a7061796d656e74732f61706940312e302e30076361707475726500
    01010502
    010106020172
    0101070174
    0101080170
    02010000010361646104736b697010726566756e6465642062792068616e64
    020101010361646104736b697010726566756e6465642062792068616e64
    0201020109010361646104736b697010726566756e6465642062792068616e64
    020103010361646104736b697010726566756e6465642062792068616e64
    02010403010361646104736b697010726566756e6465642062792068616e64
    0201050165010361646104736b697010726566756e6465642062792068616e64
    04000165010201
    0a0100016501020103
    0401
    0a010103
    04020361646104736b697010726566756e6465642062792068616e64
    0a01020361646104736b697010726566756e6465642062792068616e6403
    050100
    0501010361646104736b697010726566756e6465642062792068616e64
    060001020165
    0601010165
    060201020165
    06030101780179
    0604020165
    060501ac02c801
    0606c801
    060701720165
    0a00010201
    0a020361646104736b697010726566756e6465642062792068616e6403
    000572756e5f3108636865636b6f7574087368613235363a31056576745f31076f726465722d31010169016e0102010b30302d30312d30322d303100
    ");
    let (records, _) = read(&journal(vec![every_case()])).unwrap();
    assert_eq!(records, stamped(every_case()));
}

#[test]
fn an_entry_may_be_empty() {
    let entries = journal(vec![vec![]]);
    assert_eq!(entries[0].len(), super::FRAME);
    assert_eq!(read(&entries).unwrap().0, []);
}

#[test]
fn a_journal_that_is_whole_is_read_and_can_go_on() {
    let (records, tail) = read(&three()).unwrap();
    let records: Vec<Record> = records.into_iter().map(|one| one.record).collect();
    assert_eq!(records, one_of_each());
    assert_eq!(tail.sequence, 3);
    assert_eq!(read(&[]).unwrap(), (Vec::new(), Tail::default()));
}

#[test]
fn every_truncation_is_noticed() {
    let whole = three();
    for last in 0..whole.len() {
        for length in 0..whole[last].len() {
            let mut cut = whole[..=last].to_vec();
            cut[last].truncate(length);
            let damage = damage(&cut);
            assert_eq!(damage.sequence, last as u64 + 1, "cut at {length}");
            assert!(damage.offset <= length, "{damage} cut at {length}");
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = three();
    for place in 0..whole.len() {
        for bit in 0..whole[place].len() * 8 {
            let mut flipped = whole.clone();
            let mut bytes = whole[place].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            flipped[place] = bytes.into();
            let damage = damage(&flipped);
            assert_eq!(damage.sequence, place as u64 + 1, "bit {bit}");
            assert!(damage.offset < whole[place].len(), "{damage}");
        }
    }
}

#[test]
fn bytes_after_an_entry_are_noticed() {
    let mut entries = three();
    let longer = [entries[1].as_ref(), b"\0"].concat();
    entries[1] = longer.into();
    assert_eq!(damage(&entries).sequence, 2);
    entries[1] = forged(&three()[1], |body| body.push(0));
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 184: something follows the last record");
}

#[test]
fn entries_that_changed_places_are_noticed() {
    let mut entries = three();
    entries.swap(0, 1);
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 4: it says that it is entry 2");
    let mut entries = three();
    entries.swap(1, 2);
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 4: it says that it is entry 3");
}

#[test]
fn a_missing_entry_is_noticed() {
    let mut entries = three();
    entries.remove(1);
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 4: it says that it is entry 3");
    entries.remove(0);
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 4: it says that it is entry 3");
}

#[test]
fn a_repeated_entry_is_noticed() {
    let mut entries = three();
    entries.insert(1, entries[0].clone());
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 4: it says that it is entry 1");
}

#[test]
fn an_entry_of_another_journal_is_noticed() {
    let mut entries = three();
    entries[1] = journal(vec![vec![], one_of_each()]).remove(1);
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 20: it does not follow the entry before");
}

#[test]
fn a_changed_entry_with_a_right_checksum_is_noticed_by_the_next_one() {
    let mut entries = three();
    // The lowest byte of the time of the first record.
    entries[0] = forged(&entries[0], |body| body[super::FRAME - 4 + 2] ^= 1);
    assert!(read(&entries[..1]).is_ok());
    insta::assert_snapshot!(damage(&entries), @"entry 2, byte 20: it does not follow the entry before");
}

#[test]
fn what_is_no_entry_is_told_apart_from_a_damaged_one() {
    let entries = [forged(&three()[0], |body| body[3] = b'2')];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 0: it is no entry of a journal");
    insta::assert_snapshot!(damage(&[Bytes::new()]), @"entry 1, byte 0: the entry is cut off");
    let mut flipped = three()[0].to_vec();
    flipped[50] ^= 1;
    insta::assert_snapshot!(damage(&[flipped.into()]), @"entry 1, byte 228: the checksum is not that of the entry");
}

#[test]
fn a_kind_of_a_newer_version_is_refused() {
    let start = super::FRAME - 4;
    let entries = [forged(&three()[0], |body| body[start] = 11)];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 40: a record of kind 11, which a newer version of this program wrote");
    assert_eq!(damage(&entries).offset, start);
}

#[test]
fn a_record_of_another_kind_than_it_says_is_refused() {
    let start = super::FRAME - 4;
    let entries = [forged(&three()[0], |body| body[start] = 1)];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 40: a record is not of the kind it says");
    // The case within the record, which the kind is not.
    let entries = [forged(&three()[0], |body| body[start + super::HEAD] = 99)];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 40: a record cannot be read: Serde Deserialization Error");
}

#[test]
fn a_length_that_leads_out_of_the_entry_is_refused() {
    let length = super::FRAME - 4 + 10;
    let entries = [forged(&three()[0], |body| body[length + 3] = 0xff)];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 54: 4278190140 bytes should follow, and there are fewer");
    // As many records as there can be.
    let entries = [forged(&three()[0], |body| body[36..40].fill(0xff))];
    insta::assert_snapshot!(damage(&entries), @"entry 1, byte 228: 14 bytes should follow, and there are fewer");
}

fn name() -> impl Strategy<Value = String> {
    ".{0,8}"
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::S8),
        any::<u8>().prop_map(Value::U8),
        any::<i16>().prop_map(Value::S16),
        any::<u16>().prop_map(Value::U16),
        any::<i32>().prop_map(Value::S32),
        any::<u32>().prop_map(Value::U32),
        any::<i64>().prop_map(Value::S64),
        any::<u64>().prop_map(Value::U64),
        any::<u32>().prop_map(|bits| Value::F32(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| Value::F64(f64::from_bits(bits))),
        any::<char>().prop_map(Value::Char),
        name().prop_map(Value::String),
        name().prop_map(Value::Enum),
        proptest::collection::vec(name(), 0..3).prop_map(Value::Flags),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let boxed = proptest::option::of(inner.clone().prop_map(Box::new));
        let named = proptest::collection::vec((name(), inner.clone()), 0..3);
        let list = proptest::collection::vec(inner, 0..3);
        prop_oneof![
            list.clone().prop_map(Value::List),
            list.prop_map(Value::Tuple),
            named.prop_map(Value::Record),
            (name(), boxed.clone()).prop_map(|(case, payload)| Value::Variant(case, payload)),
            boxed.clone().prop_map(Value::Option),
            boxed.clone().prop_map(|payload| Value::Result(Ok(payload))),
            boxed.prop_map(|payload| Value::Result(Err(payload))),
        ]
    })
}

fn command() -> impl Strategy<Value = Command> {
    let undo = || proptest::collection::vec(value(), 0..3).prop_map(step);
    let (scope, most) = (any::<u32>(), proptest::option::of(any::<u64>()));
    prop_oneof![
        undo().prop_map(Command::Step),
        any::<u64>().prop_map(|milliseconds| Command::Sleep { milliseconds }),
        (name(), most).prop_map(|(signal, timeout_ms)| Command::Wait { signal, timeout_ms }),
        name().prop_map(|name| Command::Open { name }),
        (scope, undo()).prop_map(|(scope, undo)| Command::Register { scope, undo }),
        any::<u32>().prop_map(|scope| Command::Commit { scope }),
        (any::<u32>(), name()).prop_map(|(scope, reason)| Command::Rollback { scope, reason }),
        name().prop_map(|text| Command::Status { text }),
        name().prop_map(|id| Command::Patch { id }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        proptest::option::of(value()).prop_map(Outcome::Returned),
        Just(Outcome::Fired),
        any::<Vec<u8>>().prop_map(Outcome::Signal),
        Just(Outcome::TimedOut),
        any::<u32>().prop_map(|skipped| Outcome::RolledBack { skipped }),
        name().prop_map(|error| Outcome::Abandoned { error }),
    ]
}

fn cause() -> impl Strategy<Value = Cause> {
    let refused = (name(), proptest::option::of(value()));
    prop_oneof![
        refused.prop_map(|(error, answer)| Cause::Refused { error, answer }),
        Just(Cause::Uncommitted),
        Just(Cause::Asked(by())),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let number = any::<u32>;
    let answer = proptest::option::of(value());
    prop_oneof![
        proptest::sample::select(one_of_each()),
        (number(), command()).prop_map(|(ordinal, command)| Record::Issued { ordinal, command }),
        (number(), outcome(), any::<bool>()).prop_map(|(ordinal, outcome, is_by_hand)| {
            let by = is_by_hand.then(by);
            Record::Completed {
                ordinal,
                outcome,
                by,
            }
        }),
        (name(), name(), any::<Vec<u8>>()).prop_map(|(id, name, payload)| Record::Signalled {
            id,
            name,
            payload
        }),
        cause().prop_map(|cause| Record::RollbackStarted { cause }),
        (number(), name()).prop_map(|(ordinal, error)| Record::Parked {
            reason: Parked::StepUnknown { ordinal, error },
        }),
        any::<u64>().prop_map(|epoch| Record::OwnerChanged { epoch }),
        answer.prop_map(|answer| Record::Ended {
            end: End::Completed { answer },
        }),
        (cause(), number()).prop_map(|(cause, skipped)| Record::Ended {
            end: End::RolledBack { cause, skipped },
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(
        lists in proptest::collection::vec(proptest::collection::vec(record(), 0..4), 0..4),
    ) {
        let entries = journal(lists.clone());
        let (records, tail) = read(&entries).unwrap();
        prop_assert_eq!(tail.sequence, entries.len() as u64);
        let written: Vec<_> = lists.into_iter().flat_map(stamped).collect();
        // In words, since not-a-number does not equal itself.
        prop_assert_eq!(format!("{records:?}"), format!("{written:?}"));
        let mut tail = Tail::default();
        for bytes in &entries {
            let (entry, next) = decode(bytes, tail).unwrap();
            prop_assert_eq!(encode(&entry).unwrap(), (bytes.clone(), next));
            tail = next;
        }
    }

    #[test]
    fn forged_bytes_do_no_harm(
        records in proptest::collection::vec(record(), 1..3),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let entry = forged(&journal(vec![records])[0], |body| {
            // What follows the magic.
            for (place, byte) in changes {
                let place = 4 + place.index(body.len() - 4);
                body[place] = byte;
            }
        });
        if let Err(damage) = decode(&entry, Tail::default()) {
            prop_assert_eq!(damage.sequence, 1);
            let is_inside = damage.offset < entry.len();
            prop_assert!(is_inside);
        }
    }
}
