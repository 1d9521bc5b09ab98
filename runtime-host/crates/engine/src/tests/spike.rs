//! A saga in Rust, as toolchains make it: its plays, crashes at each point, and replays of what was left.

use std::{path::PathBuf, sync::Arc, time::Duration};

use skald_core::{
    call::{CallError, Reply},
    manifest::ComponentId,
    run::Run,
    saga::{
        Command, Input, Record, Stamped,
        play::{Part, Play, PlayError},
    },
    unit::Unit,
    value::Value,
};

use super::{
    World, request, spec,
    stage::{Desk, Plan, answer},
};
use crate::{Service, Spec};

/// The interface that `guest-saga-spike` exports; what it calls is `guest-saga-service`.
const API: &str = "spike:saga/api@1.0.0";

/// The timer is command 2; the call numbered n is registered for undo, and then begun.
const fn ordinal(of: u32) -> u32 {
    2 + 2 * of
}

struct Spike {
    world: World,
    revision: String,
}

impl Spike {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Spec)) -> Self {
        let world = World::new();
        let mut saga = spec("saga", guest("guest_saga_spike"));
        saga.saga = true;
        saga.services = vec![Service {
            import: "spike:service".into(),
            target: ComponentId::from("service"),
        }];
        change(&mut saga);
        let compiled = [saga, spec("service", guest("guest_saga_service"))]
            .map(|spec| world.engine.compile(spec).unwrap());
        assert_eq!(world.engine.deploy(compiled.into()).unwrap(), []);
        let revision = world.engine.current(&ComponentId::from("saga")).unwrap();
        Self { world, revision }
    }

    async fn play(&self, desk: &Arc<Desk>) -> Result<Reply, PlayError> {
        let input = desk
            .journal()
            .into_iter()
            .find_map(|first| match first.record {
                Record::Started(started) => Some(started.input),
                _ => None,
            });
        let part = Part {
            component: ComponentId::from("saga"),
            revision: self.revision.clone(),
            input: input.unwrap(),
        };
        self.world.engine.play(&part, Arc::clone(desk) as _).await
    }

    /// Plays a run from its beginning to its end.
    async fn whole(&self, input: &Input, plan: &Plan) -> (Arc<Desk>, String) {
        let desk = Desk::begin(input.clone(), plan);
        let answer = ended(self.play(&desk).await);
        (desk, answer)
    }

    /// Plays on from wherever a crash can leave it, and says how often that was: a crash loses what was not durable yet,
    /// any tail of the journal.
    async fn same_from_everywhere(&self, plan: &Plan, whole: &(Arc<Desk>, String)) -> usize {
        let journal = whole.0.journal();
        for length in 1..=journal.len() {
            self.same_from(journal[..length].to_vec(), plan, whole)
                .await;
        }
        journal.len()
    }

    /// Plays on from what a crash has left, and compares with the run that had none.
    async fn same_from(
        &self,
        left: Vec<Stamped>,
        plan: &Plan,
        (whole, answer): &(Arc<Desk>, String),
    ) {
        let length = left.len();
        let desk = Desk::resume(left, plan);
        let replayed = ended(self.play(&desk).await);
        assert_eq!(desk.mismatch(), None, "from {length} records");
        assert_eq!(&replayed, answer, "from {length} records");
        assert!(desk.journal() == whole.journal(), "from {length} records");
    }

    async fn crash(&self, how: &str) -> CallError {
        let desk = Desk::begin(
            function("misbehave", vec![Value::String(how.into())]),
            &Plan::default(),
        );
        match self.play(&desk).await {
            Err(PlayError::Crashed(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn guest(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let wasm = root.join(format!("target/wasm32-wasip2/component/{name}.wasm"));
    assert!(
        wasm.exists(),
        "`cargo xtask build --guests` makes {}",
        wasm.display()
    );
    wasm
}

fn function(name: &str, arguments: Vec<Value>) -> Input {
    Input::Function {
        interface: API.to_owned(),
        name: name.to_owned(),
        arguments,
    }
}

fn fan_out(calls: u32) -> Input {
    function("fan-out", vec![Value::U32(calls), Value::U64(50)])
}

/// The end of a play, to be compared.
fn ended(result: Result<Reply, PlayError>) -> String {
    match result {
        Ok(Reply::Value(Some(value))) => format!("{value:?}"),
        Ok(Reply::Handled) => "handled".to_owned(),
        other => format!("{other:?}"),
    }
}

fn permutations(of: &[u32]) -> Vec<Vec<u32>> {
    let [] = of else {
        return of
            .iter()
            .flat_map(|first| {
                let rest: Vec<u32> = of.iter().copied().filter(|one| one != first).collect();
                permutations(&rest).into_iter().map(move |mut rest| {
                    rest.insert(0, *first);
                    rest
                })
            })
            .collect();
    };
    vec![vec![]]
}

/// All ways in which so many calls and a timer can end, each one by one and all at once.
fn plans(calls: u32) -> Vec<Plan> {
    let all: Vec<u32> = (0..=calls).map(ordinal).collect();
    let orders = permutations(&all).into_iter();
    orders
        .flat_map(|order| {
            [false, true].map(|at_once| Plan {
                order: order.clone(),
                at_once,
                ..Plan::default()
            })
        })
        .collect()
}

#[tokio::test]
async fn whatever_ends_first_and_wherever_it_crashes_a_replay_is_the_same() {
    let spike = Spike::new();
    let mut plays = 0;
    for calls in 1..=4 {
        let input = fan_out(calls);
        let mut heard = std::collections::HashSet::new();
        for plan in plans(calls) {
            let whole = spike.whole(&input, &plan).await;
            heard.insert(whole.1.clone());
            plays += spike.same_from_everywhere(&plan, &whole).await;
        }
        // Each order is another run, and an end one by one is told from an end of all at once by nothing.
        let orders: usize = (1..=usize::try_from(calls + 1).unwrap()).product();
        assert_eq!(heard.len(), orders, "{calls} calls");
    }
    assert!(plays > 8_000, "{plays}");
}

#[tokio::test]
async fn a_play_that_is_dropped_while_it_waits_is_taken_up_where_it_was() {
    let spike = Spike::new();
    let input = fan_out(3);
    for plan in plans(3) {
        let whole = spike.whole(&input, &plan).await;
        for wait in 0..whole.0.waits() {
            let silent = Plan {
                silent_at: Some(wait),
                ..plan.clone()
            };
            let desk = Desk::begin(input.clone(), &silent);
            tokio::select! {
                ended = spike.play(&desk) => panic!("{ended:?}"),
                () = desk.silence.notified() => {}
            }
            spike.same_from(desk.journal(), &plan, &whole).await;
        }
    }
}

#[tokio::test]
async fn a_play_that_its_stage_stops_is_no_crash() {
    let spike = Spike::new();
    let (input, plan) = (fan_out(2), plans(2).swap_remove(7));
    let whole = spike.whole(&input, &plan).await;
    assert!(whole.0.questions() > 10);
    for question in 0..whole.0.questions() {
        let stopping = Plan {
            stopped_at: Some(question),
            ..plan.clone()
        };
        let desk = Desk::begin(input.clone(), &stopping);
        let stopped = spike.play(&desk).await;
        assert!(matches!(stopped, Err(PlayError::Stopped)), "{stopped:?}");
        spike.same_from(desk.journal(), &plan, &whole).await;
    }
}

#[tokio::test]
async fn a_message_begins_a_run_and_an_error_of_its_handler_ends_it() {
    let spike = Spike::new();
    let plan = |order: [u32; 3]| Plan {
        order: order.map(ordinal).into(),
        ..Plan::default()
    };
    let message = Input::Message(b"2".to_vec());
    let (desk, answer) = spike.whole(&message, &plan([1, 0, 2])).await;
    assert_eq!(answer, "handled");
    spike
        .same_from(
            desk.journal(),
            &plan([1, 0, 2]),
            &(Arc::clone(&desk), answer),
        )
        .await;
    let desk = Desk::begin(message, &plan([0, 2, 1]));
    let error = spike.play(&desk).await.unwrap_err();
    insta::assert_snapshot!(error, @"the handler failed: timer, 2 beside, 1 beside");
}

#[tokio::test]
async fn what_is_asked_is_all_that_the_journal_tells() {
    let spike = Spike::new();
    let plan = Plan {
        order: [1, 0].map(ordinal).into(),
        ..Plan::default()
    };
    let (desk, _) = spike.whole(&fan_out(1), &plan).await;
    let commands: Vec<String> = desk
        .journal()
        .into_iter()
        .filter_map(|stamped| match stamped.record {
            Record::Issued { ordinal, command } => Some(format!("{ordinal} {command}")),
            Record::Completed { ordinal, .. } => Some(format!("  {ordinal} has ended")),
            _ => None,
        })
        .collect();
    insta::assert_snapshot!(commands.join("\n"), @r#"
    0 status "calls"
    1 open scope "calls"
    2 sleep 50 ms
    3 undo of scope 1: spike:service/api@1.0.0.forget(1)
    4 spike:service/api@1.0.0.work(1, "beside")
      4 has ended
    5 spike:service/api@1.0.0.work(101, "1 beside at 9000000")
      5 has ended
      2 has ended
    6 spike:service/api@1.0.0.work(102, "1 beside, timer at 13500000")
      6 has ended
    7 commit scope 1
    "#);
}

#[tokio::test]
async fn clocks_show_the_time_of_the_journal_and_chance_is_that_of_the_run() {
    let spike = Spike::new();
    let look = function("look", vec![]);
    let whole = spike.whole(&look, &Plan::default()).await;
    for length in 1..=whole.0.journal().len() {
        let left = whole.0.journal()[..length].to_vec();
        spike.same_from(left, &Plan::default(), &whole).await;
    }
    insta::assert_snapshot!(whole.1.replace("), (", "),\n("), @r#"
    List([Record([("wall", U64(1790000000000000000)),
    ("monotonic", U64(1790000000000000000)),
    ("chance", U64(16298078577441268920)),
    ("insecure", U64(3149627737220648652)),
    ("seed", U64(3471043886126581795)),
    ("run", String("run_4104030f23eef5530748cad2")),
    ("key", String("evt_1 18cdd5791bb51de5605d6d87c9c12b98"))]), Record([("wall", U64(1790000000003000000)),
    ("monotonic", U64(1790000000003000000)),
    ("chance", U64(3942802663729287146)),
    ("insecure", U64(2219285328413567430)),
    ("seed", U64(3471043886126581795)),
    ("run", String("run_4104030f23eef5530748cad2")),
    ("key", String("evt_1 18cdd5791bb51de5605d6d87c9c12b98"))])])
    "#);
}

#[tokio::test]
async fn sleeps_signals_and_branches_are_replayed() {
    let spike = Spike::new();
    let plan = Plan {
        signals: vec![
            ("approve".into(), b"by somebody".to_vec()),
            ("late".into(), vec![]),
        ],
        ..Plan::default()
    };
    let whole = spike.whole(&function("linger", vec![]), &plan).await;
    insta::assert_snapshot!(whole.1, @r#"String("true by somebody false true")"#);
    for length in 1..=whole.0.journal().len() {
        spike
            .same_from(whole.0.journal()[..length].to_vec(), &plan, &whole)
            .await;
    }
}

#[tokio::test]
async fn what_the_code_gets_wrong_ends_it_with_the_reason() {
    let spike = Spike::new();
    let mut errors = Vec::new();
    for how in [
        "trap",
        "std sleep",
        "foreign ticket",
        "no ticket",
        "ended scope",
        "grow",
    ] {
        errors.push(format!("{how}: {}", spike.crash(how).await));
    }
    insta::assert_snapshot!(errors.join("\n"), @r#"
    trap: the component trapped: wasm trap: wasm `unreachable` instruction executed
    std sleep: the component trapped: a saga sleeps with skald:saga/flow.sleep
    foreign ticket: the component trapped: ticket 1 is none of spike:service/api@1.0.0#work
    no ticket: the component trapped: there is no ticket 77
    ended scope: the component trapped: scope 1 is not open: it was committed or rolled back before
    grow: the component went over its limit: one instance may have 8 MiB of memory
    "#);
}

#[tokio::test]
async fn a_spinning_saga_stops_when_nobody_waits_for_it() {
    let spike = Spike::new();
    let desk = Desk::begin(
        function("misbehave", vec![Value::String("spin".into())]),
        &Plan::default(),
    );
    let spinning = tokio::time::timeout(Duration::from_millis(50), spike.play(&desk));
    assert!(spinning.await.is_err());
    let (_, answer) = spike
        .whole(&Input::Message(b"1".to_vec()), &plans(1)[2])
        .await;
    assert_eq!(answer, "handled");
}

/// The answers that tests give are those of the service.
#[tokio::test]
async fn the_service_answers_as_the_stage_does() {
    let spike = Spike::new();
    let plan = Plan {
        order: [1, 0].map(ordinal).into(),
        ..Plan::default()
    };
    let (desk, _) = spike.whole(&fan_out(1), &plan).await;
    let mut steps = 0;
    for stamped in desk.journal() {
        let Record::Issued {
            command: Command::Step(step) | Command::Register { undo: step, .. },
            ..
        } = stamped.record
        else {
            continue;
        };
        steps += 1;
        let call = request(
            &step.target,
            &step.interface,
            &step.function,
            step.arguments.clone(),
        );
        let (_, reply) = spike.world.engine.run(&call, Unit::closed()).await;
        let Ok(Reply::Value(value)) = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(value, answer(&step));
    }
    assert_eq!(steps, 4);
}

#[tokio::test]
async fn a_saga_is_no_target_of_calls() {
    let spike = Spike::new();
    let (_, reply) = spike
        .world
        .engine
        .run(&request("saga", API, "look", vec![]), Unit::closed())
        .await;
    insta::assert_snapshot!(reply.unwrap_err(), @"the engine failed: saga is a saga: its coordinator runs it, and no call does");
}
