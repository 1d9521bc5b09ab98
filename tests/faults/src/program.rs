//! Code of sagas as data: what a program does, step by step.

use crate::shop::Part;

/// One thing that a program does. Numbers are the steps' own: no two steps of a program have the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Calls and waits. An error ends the program with it.
    Call(u32),
    /// Calls and waits. An error rolls the innermost scope back and ends the program well.
    Try(u32),
    /// Calls and waits; the answer changes nothing.
    Ask(u32),
    /// Begins calls, and takes their ends as they come; a timer ends the waiting.
    Fan {
        /// The calls.
        calls: Vec<u32>,
        /// The longest wait.
        timer: Option<u64>,
    },
    /// Begins a call whose end nobody waits for.
    Start(u32),
    /// Notes how a step is undone.
    Undo(u32),
    /// A scope.
    Scope {
        /// What happens in it.
        body: Vec<Node>,
        /// What becomes of it.
        end: Fate,
    },
    /// Waits so many milliseconds.
    Sleep(u64),
    /// Waits for a signal.
    Wait {
        /// Its name.
        signal: String,
        /// For so many milliseconds at most.
        timeout: Option<u64>,
    },
    /// Tells where it is.
    Status(String),
    /// Does this where the branch is taken.
    Patch(String, Vec<Node>),
    /// Calls with an argument of so many bytes.
    Large(u32, usize),
    /// Goes wrong, so often; for ever where it is 0.
    Break(Breakage, u32),
    /// Plays a plan of the shop, and ends as it does.
    Shop {
        /// Whose.
        part: Part,
        /// Goes wrong before so many things were asked, and how often.
        breaks: Option<(usize, Breakage, u32)>,
    },
    /// Ends with an error.
    Refuse,
    /// Ends well.
    Finish,
}

/// What becomes of a scope at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is committed.
    Commit,
    /// It is rolled back.
    Rollback,
    /// Neither.
    Leave,
}

/// How code can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// It traps.
    Trap,
    /// It computes until its time is over.
    Spin,
    /// It wants more memory than it may have.
    Memory,
    /// What runs it panics.
    Panic,
}

/// A program.
pub type Program = Vec<Node>;

/// A step with its undo, as sagas mostly have them.
pub fn guarded(step: u32) -> [Node; 2] {
    [Node::Undo(step), Node::Call(step)]
}

/// A scope around these.
pub fn scope(body: impl IntoIterator<Item = Node>, end: Fate) -> Node {
    Node::Scope {
        body: body.into_iter().collect(),
        end,
    }
}

/// All programs that are smaller than this one by one node.
pub fn smaller(program: &[Node]) -> Vec<Program> {
    let mut all = Vec::new();
    for (at, node) in program.iter().enumerate() {
        let with = |instead: Vec<Node>| {
            let (before, after) = program.split_at(at);
            let after = after.split_first().map_or(&[][..], |(_, rest)| rest);
            [before.to_vec(), instead, after.to_vec()].concat()
        };
        all.push(with(Vec::new()));
        match node {
            Node::Scope { body, end } => {
                let end = *end;
                let bodies = smaller(body).into_iter();
                all.extend(bodies.map(|body| with(vec![Node::Scope { body, end }])));
            }
            Node::Fan { calls, timer } if calls.len() > 1 => {
                let calls = calls.split_first().map(|(_, rest)| rest.to_vec());
                let calls = calls.unwrap_or_default();
                let timer = *timer;
                all.push(with(vec![Node::Fan { calls, timer }]));
            }
            _ => {}
        }
    }
    all
}
