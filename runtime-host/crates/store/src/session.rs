//! The writer's connection, with what it remembers between transactions.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Params, Row};
use skald_core::store::{Label, Version};

use crate::rows::{integer, number};

/// The writer's connection. A transaction is begun, filled, and ended by [`Session::commit`] or [`Session::abandon`].
pub(crate) struct Session {
    connection: Connection,
    /// The number of the newest unit. After a rollback it is ahead of the file's, which only leaves a gap.
    commits: Version,
    stored_commits: Version,
    ids: HashMap<Label, i64>,
}

// === impl Session ===

impl Session {
    pub(crate) fn new(connection: Connection) -> rusqlite::Result<Self> {
        let commits =
            connection.query_row("SELECT commits FROM counter", [], |row| number(row, 0))?;
        Ok(Self {
            connection,
            commits,
            stored_commits: commits,
            ids: HashMap::new(),
        })
    }

    /// The number of the newest unit.
    pub(crate) const fn commits(&self) -> Version {
        self.commits
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    pub(crate) fn begin(&mut self) -> rusqlite::Result<()> {
        // Only where a rollback failed is there still one to end.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.run("BEGIN IMMEDIATE", []).map(drop)
    }

    /// Makes the transaction durable. After an error nothing of it may be reported as done.
    pub(crate) fn commit(&mut self) -> rusqlite::Result<()> {
        if self.commits != self.stored_commits {
            self.run("UPDATE counter SET commits = ?1", [integer(self.commits)])?;
        }
        self.run("COMMIT", [])?;
        self.stored_commits = self.commits;
        Ok(())
    }

    /// Undoes the transaction, where SQLite has not already done so itself.
    pub(crate) fn abandon(&mut self) {
        // Labels that were new in the transaction have no id any more.
        self.ids.clear();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a rollback failed and is tried again"
            );
        }
    }

    /// The number of the next unit.
    pub(crate) const fn next_version(&mut self) -> Version {
        self.commits += 1;
        self.commits
    }

    /// Runs a statement; says how many rows it changed.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    /// Adds a row; answers with its number.
    pub(crate) fn insert(&self, sql: &str, params: impl Params) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(sql)?.insert(params)
    }

    /// The one row, or none.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.connection
            .prepare_cached(sql)?
            .query_row(params, read)
            .optional()
    }

    /// The id of a store, none where nothing was ever written to it.
    pub(crate) fn store(&mut self, label: &Label) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.ids.get(label) {
            return Ok(Some(*id));
        }
        let id = self.find(
            "SELECT id FROM stores WHERE label = ?1",
            [&**label],
            |row| row.get(0),
        )?;
        if let Some(id) = id {
            self.ids.insert(Arc::clone(label), id);
        }
        Ok(id)
    }

    /// The id of a store, which is made if it is new.
    pub(crate) fn store_or_new(&mut self, label: &Label) -> rusqlite::Result<i64> {
        if let Some(id) = self.store(label)? {
            return Ok(id);
        }
        self.run(
            "INSERT INTO stores (label, keys_version) VALUES (?1, 0)",
            [&**label],
        )?;
        let id = self.connection.last_insert_rowid();
        self.ids.insert(Arc::clone(label), id);
        Ok(id)
    }
}
