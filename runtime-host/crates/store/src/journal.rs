//! Journals of runs, as their owners append to them and read them.

mod append;
mod list;

use bytes::Bytes;
use rusqlite::{Row, params, types::Type};
use skald_core::{
    call::BoxFuture,
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Journal, Standing, Summary},
    },
    store::StoreError,
};

use self::append::{Entry, Purge};
use crate::{
    embedded::Embedded,
    reader::Reader,
    rows::{bytes, integer, maximum, number, time},
};

/// The columns [`summary`] reads, in its order.
macro_rules! summary_columns {
    () => {
        "run, component, revision, key, subject, standing, note, started_at, updated_at, due, epoch, records, bytes"
    };
}
use summary_columns;

impl Journal for Embedded {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(self.write(Entry(append)))
    }

    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(async move {
            self.view()
                .await?
                .read(|reader| entries(reader, run, after, limit))
        })
    }

    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| find(reader, run)) })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| list::list(reader, filter)) })
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(Purge(run.clone())))
    }
}

fn entries(reader: &Reader, run: &RunId, after: u64, limit: usize) -> rusqlite::Result<Vec<Bytes>> {
    reader.list(
        "SELECT entry FROM journal WHERE run = (SELECT id FROM runs WHERE run = ?1) AND sequence > ?2
         ORDER BY sequence LIMIT ?3",
        params![run.as_str(), integer(after), maximum(limit)],
        |row| bytes(row, 0),
    )
}

fn find(reader: &Reader, run: &RunId) -> rusqlite::Result<Option<Summary>> {
    reader.find(
        concat!("SELECT ", summary_columns!(), " FROM runs WHERE run = ?1"),
        [run.as_str()],
        summary,
    )
}

/// A summary from the columns of [`summary_columns`].
fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let due: Option<i64> = row.get(9)?;
    Ok(Summary {
        run: RunId::from(row.get_ref(0)?.as_str()?),
        component: row.get(1)?,
        revision: row.get(2)?,
        key: row.get(3)?,
        subject: row.get(4)?,
        standing: standing(row, 5)?,
        note: row.get(6)?,
        started_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        due: due.map(|_| time(row, 9)).transpose()?,
        epoch: number(row, 10)?,
        records: row.get(11)?,
        bytes: number(row, 12)?,
    })
}

fn standing(row: &Row<'_>, column: usize) -> rusqlite::Result<Standing> {
    let name = row.get_ref(column)?.as_str()?;
    Standing::parse(name).ok_or_else(|| {
        let why = format!("no run stands at {name:?}");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
    })
}
