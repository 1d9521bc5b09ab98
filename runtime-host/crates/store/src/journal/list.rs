//! The list of runs.
//!
//! A page costs about what it holds, however many runs there are: each query follows the index that fits the filter
//! best, from where the page before ended, and stops when the page is full. Only what is asked for beside a subject or
//! the beginning of an id is found by looking at all runs that have it.

use std::collections::BTreeSet;

use rusqlite::params;
use skald_core::saga::{
    RunId,
    journal::{Filter, Standing, Summary},
};

use super::{summary, summary_columns};
use crate::{reader::Reader, rows::maximum};

/// How every id begins. Whoever asks for no more than this asks for all runs.
const ANY: &str = "run_";

/// The place of a run in the list, in SQLite's terms.
type Place = (i64, String);

/// Before all runs: no time is written as the smallest number.
const START: (i64, String) = (i64::MIN, String::new());

/// A query that follows an index. Its parameters are the place to begin after, what is asked for, and a limit; where
/// nothing is asked for, the parameter is null.
macro_rules! along {
    ($index:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            summary_columns!(),
            " FROM runs INDEXED BY ",
            $index,
            " WHERE ",
            $condition,
            " AND (started_at, run) > (?1, ?2)
             AND (?3 IS NULL OR component = ?3) AND (?4 IS NULL OR subject = ?4) AND (?5 IS NULL OR standing = ?5)
             AND (?6 IS NULL OR (run >= ?6 AND run < ?7))
             ORDER BY started_at, run LIMIT ?8"
        )
    };
}

const BY_START: &str = along!("runs_by_start", "true");
const BY_NAME: &str = along!("runs_by_name", "run >= ?6 AND run < ?7");
const OF_SUBJECT: &str = along!("runs_of_subject", "subject = ?4");
const OF_COMPONENT: &str = along!("runs_of_component", "component = ?3 AND standing = ?5");
const OF_STANDING: &str = along!("runs_of_standing", "standing = ?5");

/// The runs that are asked for, in order. After a run that is not there, nothing comes.
pub(super) fn list(reader: &Reader, filter: &Filter) -> rusqlite::Result<Vec<Summary>> {
    let place = match &filter.after {
        None => START,
        Some(after) => match place(reader, after)? {
            Some(place) => place,
            None => return Ok(Vec::new()),
        },
    };
    let sql = road(filter);
    let standings = standings(filter, sql);
    let mut found = Vec::new();
    for standing in &standings {
        found.append(&mut page(reader, sql, filter, (&place, *standing))?);
    }
    if standings.len() > 1 {
        found.sort_unstable_by(|a, b| (a.started_at, &a.run).cmp(&(b.started_at, &b.run)));
        found.truncate(filter.limit);
    }
    Ok(found)
}

fn place(reader: &Reader, run: &RunId) -> rusqlite::Result<Option<Place>> {
    reader.find(
        "SELECT started_at, run FROM runs WHERE run = ?1",
        [run.as_str()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The query along the index with the fewest runs that are not asked for.
fn road(filter: &Filter) -> &'static str {
    let Filter {
        standings,
        component,
        subject,
        prefix,
        after: _,
        limit: _,
    } = filter;
    if prefix
        .as_ref()
        .is_some_and(|prefix| !ANY.starts_with(&**prefix))
    {
        BY_NAME
    } else if subject.is_some() {
        OF_SUBJECT
    } else if component.is_some() {
        OF_COMPONENT
    } else if !standings.is_empty() {
        OF_STANDING
    } else {
        BY_START
    }
}

/// The standings to ask for, a query each: the runs of one are in order in an index, those of several are not. None
/// stands for all where the index does not need to be told.
fn standings(filter: &Filter, sql: &str) -> Vec<Option<Standing>> {
    let named: BTreeSet<_> = filter.standings.iter().copied().collect();
    if !named.is_empty() {
        named.into_iter().map(Some).collect()
    } else if sql == OF_COMPONENT {
        Standing::ALL.into_iter().map(Some).collect()
    } else {
        vec![None]
    }
}

fn page(
    reader: &Reader,
    sql: &str,
    filter: &Filter,
    ((started_at, run), standing): (&Place, Option<Standing>),
) -> rusqlite::Result<Vec<Summary>> {
    // It comes after every id that begins so, as no character is greater than this one, which no id has.
    let beyond = filter
        .prefix
        .as_ref()
        .map(|prefix| format!("{prefix}\u{10ffff}"));
    reader.list(
        sql,
        params![
            started_at,
            run,
            filter.component,
            filter.subject,
            standing.map(Standing::as_str),
            filter.prefix,
            beyond,
            maximum(filter.limit),
        ],
        summary,
    )
}

#[cfg(test)]
mod tests {
    use super::{BY_NAME, BY_START, OF_COMPONENT, OF_STANDING, OF_SUBJECT};
    use crate::schema::{FILE, open_reader, open_writer};

    /// What SQLite does for each query. One that scans or sorts looks at more runs than a page has; only the one for the
    /// beginning of an id may, which looks at those that begin so.
    #[test]
    fn a_page_is_found_in_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let _writer = open_writer(&file, None).unwrap();
        let reader = open_reader(&file).unwrap();
        let plan = |sql: &str| {
            let mut plan = reader
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let rows = plan.query_map([const { None::<i64> }; 8], |row| row.get::<_, String>(3));
            let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
            rows.join("; ")
        };
        let plans = [BY_START, OF_STANDING, OF_COMPONENT, OF_SUBJECT, BY_NAME].map(plan);
        insta::assert_snapshot!(plans.join("\n"), @r"
        SEARCH runs USING INDEX runs_by_start ((started_at,run)>(?,?))
        SEARCH runs USING INDEX runs_of_standing (standing=? AND (started_at,run)>(?,?))
        SEARCH runs USING INDEX runs_of_component (component=? AND standing=? AND (started_at,run)>(?,?))
        SEARCH runs USING INDEX runs_of_subject (subject=? AND (started_at,run)>(?,?))
        SEARCH runs USING INDEX runs_by_name (run>? AND run<?); USE TEMP B-TREE FOR ORDER BY
        ");
    }
}
