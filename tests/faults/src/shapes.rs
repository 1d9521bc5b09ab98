//! Sagas as people write them, each with what is sent to it and what its callees say.

use crate::{
    ledger::{Fault, Plan},
    program::{Breakage, Fate, Node, Program, guarded, scope},
    shop::Setting,
};

/// A saga with its surroundings.
#[derive(Clone, Debug)]
pub struct Shape {
    /// For people.
    pub name: String,
    /// The code.
    pub program: Program,
    /// What callees do.
    pub plan: Plan,
    /// What there is of the shop, where the program is one of its plans.
    pub shop: Option<Setting>,
    /// Signals that are sent, by name; with a payload of their own after `=`.
    pub signals: Vec<String>,
    /// Whether the answers do not depend on how long things take.
    pub is_steady: bool,
}

// === impl Shape ===

impl Shape {
    /// A program whose callees do as they are told.
    pub fn new(name: impl Into<String>, program: impl IntoIterator<Item = Node>) -> Self {
        Self {
            name: name.into(),
            program: program.into_iter().collect(),
            plan: Plan::default(),
            shop: None,
            signals: Vec::new(),
            is_steady: true,
        }
    }

    /// The callee of this step refuses.
    #[must_use]
    pub fn refused(mut self, step: u32) -> Self {
        self.plan.refuse(step);
        self
    }

    /// The callee of this step does this, attempt by attempt.
    #[must_use]
    pub fn faulty(mut self, step: u32, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.plan.forward(step, faults);
        self
    }

    /// This signal is sent.
    #[must_use]
    pub fn signalled(mut self, name: &str) -> Self {
        self.signals.push(name.to_owned());
        self
    }

    /// What it sees depends on how long things take.
    #[must_use]
    pub const fn timed(mut self) -> Self {
        self.is_steady = false;
        self
    }
}

fn wait(signal: &str, timeout: Option<u64>) -> Node {
    Node::Wait {
        signal: signal.to_owned(),
        timeout,
    }
}

fn line() -> Vec<Node> {
    vec![Node::Call(1), Node::Call(2), Node::Call(3)]
}

fn checkout() -> Vec<Node> {
    let body = [
        vec![Node::Status("reserving".to_owned())],
        guarded(1).to_vec(),
        guarded(2).to_vec(),
        vec![Node::Status("paying".to_owned())],
        guarded(3).to_vec(),
        guarded(4).to_vec(),
    ];
    vec![
        scope(body.concat(), Fate::Commit),
        Node::Call(5),
        Node::Status("done".to_owned()),
    ]
}

/// A scope whose steps are undone by the code itself.
fn gives_up() -> Vec<Node> {
    let body = [
        guarded(1).to_vec(),
        guarded(2).to_vec(),
        vec![Node::Undo(3), Node::Try(3)],
    ];
    vec![scope(body.concat(), Fate::Commit), Node::Call(4)]
}

fn fan() -> Node {
    Node::Fan {
        calls: vec![1, 2, 3, 4],
        timer: Some(60_000),
    }
}

/// Those whose every step is tried with every fault.
pub fn small() -> Vec<Shape> {
    let saved = [guarded(1).to_vec(), guarded(2).to_vec()].concat();
    vec![
        Shape::new("line", line()),
        Shape::new("scope", [scope(saved.clone(), Fate::Commit), Node::Call(3)]),
        Shape::new("rollback", [scope(saved, Fate::Rollback), Node::Finish]),
        Shape::new(
            "err in a scope",
            [scope(
                [guarded(1).to_vec(), guarded(2).to_vec(), vec![Node::Refuse]].concat(),
                Fate::Commit,
            )],
        ),
        Shape::new("sleep", [Node::Call(1), Node::Sleep(5_000), Node::Call(2)]),
    ]
}

fn waiting() -> Vec<Shape> {
    vec![
        Shape::new("wait", [Node::Call(1), wait("go", None), Node::Call(2)]).signalled("go"),
        Shape::new(
            "two waits",
            [wait("go", None), Node::Call(1), wait("on", None)],
        )
        .signalled("on")
        .signalled("go"),
        Shape::new(
            "wait that ends",
            [Node::Call(1), wait("never", Some(3_600_000)), Node::Call(2)],
        ),
        Shape::new(
            "long sleep",
            [Node::Call(1), Node::Sleep(86_400_000), Node::Call(2)],
        ),
        Shape::new(
            "return",
            [
                scope(guarded(1), Fate::Commit),
                wait("parcel", Some(86_400_000)),
                scope(guarded(2), Fate::Commit),
            ],
        )
        .signalled("parcel"),
    ]
}

fn nested() -> Vec<Shape> {
    let inner = scope(guarded(2), Fate::Commit);
    let back = scope(guarded(3), Fate::Rollback);
    let body = [guarded(1).to_vec(), vec![inner, back], guarded(4).to_vec()].concat();
    let left = [guarded(1).to_vec(), vec![scope(guarded(2), Fate::Leave)]].concat();
    vec![
        Shape::new("nested", [scope(body.clone(), Fate::Commit), Node::Call(5)]),
        Shape::new("nested, err", [scope(body, Fate::Leave), Node::Refuse]),
        Shape::new("nested, left", [scope(left, Fate::Leave), Node::Call(3)]),
    ]
}

fn wide() -> Vec<Shape> {
    let undone = [
        vec![
            Node::Undo(1),
            Node::Undo(2),
            Node::Undo(3),
            Node::Undo(4),
            fan(),
        ],
        vec![Node::Refuse],
    ];
    let slow = [Fault::Slow(20_000)];
    vec![
        Shape::new("fan-out", [fan(), Node::Call(5)]).timed(),
        Shape::new("fan-out, undone", [scope(undone.concat(), Fate::Leave)]).timed(),
        Shape::new(
            "tickets nobody joins",
            [Node::Start(1), Node::Call(2), Node::Start(3)],
        ),
        Shape::new(
            "err with steps out",
            [scope(
                [
                    Node::Undo(1),
                    Node::Start(1),
                    Node::Undo(2),
                    Node::Call(2),
                    Node::Refuse,
                ],
                Fate::Leave,
            )],
        )
        .faulty(1, slow)
        .timed(),
    ]
}

fn odd() -> Vec<Shape> {
    let slow = [Fault::Slow(20_000)];
    vec![
        Shape::new(
            "timer first",
            [
                Node::Fan {
                    calls: vec![1],
                    timer: Some(1_000),
                },
                Node::Call(2),
            ],
        )
        .faulty(1, slow)
        .timed(),
        Shape::new(
            "patched",
            [
                Node::Call(1),
                Node::Patch("new".to_owned(), vec![Node::Call(2)]),
                Node::Call(3),
            ],
        ),
    ]
}

/// All of them, also refused at each step.
pub fn all() -> Vec<Shape> {
    let mut all = small();
    all.extend(waiting());
    all.extend(nested());
    all.extend(wide());
    all.extend(odd());
    all.push(Shape::new("checkout", checkout()));
    all.extend(
        (1..=5).map(|step| {
            Shape::new(format!("checkout, refused at {step}"), checkout()).refused(step)
        }),
    );
    all.push(Shape::new("gives up", gives_up()).refused(3));
    let cancel = [Node::Ask(1), scope(guarded(2), Fate::Leave), Node::Try(3)];
    all.push(Shape::new("cancel-order", cancel).refused(1));
    let trap = [Node::Call(1), Node::Break(Breakage::Trap, 2), Node::Call(2)];
    all.push(Shape::new("traps twice", trap));
    let asleep = [
        Node::Fan {
            calls: Vec::new(),
            timer: Some(3_600_000),
        },
        Node::Call(1),
    ];
    all.push(Shape::new("only a timer", asleep));
    all
}
