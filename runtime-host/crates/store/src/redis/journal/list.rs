//! The list of runs.
//!
//! Each bucket has its runs in sorted sets, in the order of the list. A page follows those that fit the filter best in
//! all buckets at once, takes what comes first, and fetches more where it runs out: so it costs about what it holds, and
//! something for each bucket. Buckets are read one after the other while runs go on: a page is no picture of one moment.

use std::collections::{BTreeSet, VecDeque};

use futures_util::future::try_join_all;
use skald_core::{
    saga::{
        RunId,
        journal::{Filter, Standing, Summary},
    },
    store::StoreError,
};

use super::{
    BUCKETS,
    row::{self, FIELDS, Row},
};
use crate::redis::{
    Redis,
    script::{Lazy, Script},
};

static PAGE: Lazy = Lazy::new(|| Script::reading(include_str!("page.lua")));

/// How every id begins. Whoever asks for no more than this asks for all runs.
const ANY: &str = "run_";

/// The most runs one question asks a bucket for: a server does nothing else meanwhile.
const MOST: usize = 256;

/// The fewest: a question costs as much as a few runs.
const FEWEST: usize = 16;

/// Where the run begins in a member of an index that is in the order of the list: after a time and a colon. Lua counts from
/// one.
const AFTER_TIME: usize = 22;

/// No id has this byte, as no text has it.
const BEYOND: u8 = 0xff;

/// A place in the list.
type Place<'a> = (String, &'a str);

/// A way along one index of one bucket.
struct Walk {
    bucket: usize,
    index: String,
    /// Where in a member the run begins.
    run: usize,
    from: Vec<u8>,
    to: Vec<u8>,
    found: VecDeque<Summary>,
    is_over: bool,
}

/// The runs that are asked for, in order. After a run that is not there, nothing comes.
pub(super) async fn list(redis: &Redis, filter: &Filter) -> Result<Vec<Summary>, StoreError> {
    let after = match &filter.after {
        None => None,
        Some(run) => match super::find(redis, run).await? {
            None => return Ok(Vec::new()),
            Some(summary) => Some((row::place(summary.started_at), run.as_str())),
        },
    };
    let by_name = filter
        .prefix
        .as_ref()
        .filter(|prefix| !ANY.starts_with(&***prefix));
    match by_name {
        Some(prefix) => named(redis, filter, prefix, after).await,
        None => in_order(redis, filter, after).await,
    }
}

/// Runs whose ids begin so: all of them, put in order.
async fn named(
    redis: &Redis,
    filter: &Filter,
    prefix: &str,
    after: Option<Place<'_>>,
) -> Result<Vec<Summary>, StoreError> {
    let walks = (0..BUCKETS).map(|bucket| Walk::by_name(bucket, prefix));
    let all = walks.map(async |mut walk| {
        while !walk.is_over {
            walk.fetch(redis, filter, MOST).await?;
        }
        Ok::<_, StoreError>(walk.found)
    });
    let mut found: Vec<_> = try_join_all(all).await?.into_iter().flatten().collect();
    if let Some(after) = after {
        found.retain(|one| (row::place(one.started_at), one.run.as_str()) > after);
    }
    found.sort_unstable_by(|a, b| (a.started_at, &a.run).cmp(&(b.started_at, &b.run)));
    found.truncate(filter.limit);
    Ok(found)
}

/// Runs along indexes that are in order: again and again the first of what comes next in any of them.
async fn in_order(
    redis: &Redis,
    filter: &Filter,
    after: Option<Place<'_>>,
) -> Result<Vec<Summary>, StoreError> {
    let indexes = indexes(filter);
    let from = after.map_or_else(
        || b"-".to_vec(),
        |(time, run)| format!("({time}:{run}").into_bytes(),
    );
    let mut walks: Vec<_> = (0..BUCKETS)
        .flat_map(|bucket| indexes.iter().map(move |index| (bucket, index)))
        .map(|(bucket, index)| Walk::in_order(bucket, index.clone(), from.clone()))
        .collect();
    let share = filter.limit / walks.len();
    let mut found = Vec::new();
    while found.len() < filter.limit {
        let hungry = walks.iter_mut().filter(|walk| walk.is_hungry());
        try_join_all(hungry.map(|walk| walk.fetch(redis, filter, share))).await?;
        if walks.iter().any(Walk::is_hungry) {
            continue;
        }
        let first = walks
            .iter_mut()
            .filter(|walk| !walk.found.is_empty())
            .min_by(|a, b| a.next().cmp(&b.next()));
        match first.and_then(|walk| walk.found.pop_front()) {
            Some(summary) => found.push(summary),
            None => break,
        }
    }
    Ok(found)
}

/// The indexes with the fewest runs that are not asked for; together they have all that are.
fn indexes(filter: &Filter) -> Vec<String> {
    let Filter {
        standings,
        component,
        subject,
        prefix: _,
        after: _,
        limit: _,
    } = filter;
    let named: BTreeSet<_> = standings.iter().copied().collect();
    let of = |name: &dyn Fn(&str) -> String, standings: &mut dyn Iterator<Item = Standing>| {
        standings.map(|standing| name(standing.as_str())).collect()
    };
    match (subject, component) {
        (Some(subject), _) => vec![format!("runs:subject:{subject}")],
        (None, Some(component)) => {
            let name = |standing: &str| format!("runs:component:{standing}:{component}");
            if named.is_empty() {
                of(&name, &mut Standing::ALL.into_iter())
            } else {
                of(&name, &mut named.into_iter())
            }
        }
        (None, None) if named.is_empty() => vec!["runs".to_owned()],
        (None, None) => of(
            &|standing| format!("runs:standing:{standing}"),
            &mut named.into_iter(),
        ),
    }
}

// === impl Walk ===

impl Walk {
    fn in_order(bucket: usize, index: String, from: Vec<u8>) -> Self {
        Self {
            bucket,
            index,
            run: AFTER_TIME,
            from,
            to: b"+".to_vec(),
            found: VecDeque::new(),
            is_over: false,
        }
    }

    fn by_name(bucket: usize, prefix: &str) -> Self {
        let bound = |mark: u8| [&[mark], prefix.as_bytes()].concat();
        let mut to = bound(b'(');
        to.push(BEYOND);
        Self {
            bucket,
            index: "runs:id".to_owned(),
            run: 1,
            from: bound(b'['),
            to,
            found: VecDeque::new(),
            is_over: false,
        }
    }

    /// Whether it has to fetch more before it can say what comes next.
    fn is_hungry(&self) -> bool {
        self.found.is_empty() && !self.is_over
    }

    /// The place of what comes next.
    fn next(&self) -> Option<(std::time::SystemTime, &RunId)> {
        self.found.front().map(|one| (one.started_at, &one.run))
    }

    /// Goes on for about so many runs, and keeps those that are asked for.
    async fn fetch(
        &mut self,
        redis: &Redis,
        filter: &Filter,
        count: usize,
    ) -> Result<(), StoreError> {
        let count = count.clamp(FEWEST, MOST);
        let call = PAGE
            .on(&[super::bucket(redis, self.bucket)])
            .arg(&self.index)
            .arg(&self.from)
            .arg(&self.to)
            .arg(count)
            .arg(self.run)
            .arg(&FIELDS);
        let rows: Vec<Row> = redis.link().call(call).await?;
        self.is_over = rows.len() < count;
        for mut row in rows {
            let fields = row.split_off(row.len().min(1));
            let member = row.pop().flatten().unwrap_or_default();
            let summary = self.summary(&member, fields)?;
            self.from = [b"(", &*member].concat();
            if filter.allows(summary.standing) && filter.is_about(&summary) {
                self.found.push_back(summary);
            }
        }
        Ok(())
    }

    fn summary(&self, member: &[u8], fields: Row) -> Result<Summary, StoreError> {
        let run = member.get(self.run - 1..).unwrap_or_default();
        let run = RunId::from(String::from_utf8_lossy(run).into_owned());
        row::read(&run, fields)?.ok_or_else(|| {
            StoreError::Corrupt(format!("the list has {run}, and nothing is known of it"))
        })
    }
}
