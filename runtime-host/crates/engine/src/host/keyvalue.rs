//! `wasi:keyvalue@0.2.0-draft2` on the call's unit of work.

use std::sync::Arc;

use bytes::Bytes;
use skald_core::{
    call::CallError,
    store::{Key, Label},
};
use wasmtime::component::Resource;

use super::stop;
use crate::{
    bindings::wasi::keyvalue::{
        atomics::{self, CasError},
        batch,
        store::{self, Error, KeyResponse},
    },
    error::Stop,
    state::State,
};

/// How many key names one page holds.
const PAGE: usize = 1_000;

/// The longest key: beyond it, somebody stores data in names.
const LONGEST_KEY: usize = 1_024;

/// How much one batch may answer: the guest's memory is not charged before all of it is collected here.
const LARGEST_BATCH: usize = 16 << 20;

/// An open store.
#[derive(Clone, Debug)]
#[expect(unreachable_pub, reason = "generated code names it")]
pub struct Bucket(Label);

/// A value as it was seen, to be replaced only if it still is so.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code names it")]
pub struct Cas {
    key: Key,
    seen: Option<Bytes>,
}

impl State {
    fn key(&self, bucket: &Resource<Bucket>, name: &str) -> wasmtime::Result<Result<Key, Error>> {
        let Bucket(store) = self.table().get(bucket)?;
        if name.len() > LONGEST_KEY {
            return Ok(Err(Error::Other(format!(
                "a key may have {LONGEST_KEY} bytes; this one has {}",
                name.len()
            ))));
        }
        Ok(Ok(Key {
            store: Arc::clone(store),
            name: Arc::from(name),
        }))
    }

    async fn put(&mut self, key: Key, value: Option<Bytes>) -> wasmtime::Result<()> {
        self.unit().await.put(key, value).await.map_err(stop)
    }
}

impl store::Host for State {
    async fn open(
        &mut self,
        identifier: String,
    ) -> wasmtime::Result<Result<Resource<Bucket>, Error>> {
        let Some(label) = self.granted_store(&identifier) else {
            return Ok(Err(Error::AccessDenied));
        };
        Ok(Ok(self.table_mut().push(Bucket(label))?))
    }
}

impl store::HostBucket for State {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        match self.key(&bucket, &key)? {
            Err(error) => Ok(Err(error)),
            Ok(key) => Ok(Ok(self
                .unit()
                .await
                .get(&key)
                .await
                .map_err(stop)?
                .map(Vec::from))),
        }
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        match self.key(&bucket, &key)? {
            Err(error) => Ok(Err(error)),
            Ok(key) => self.put(key, Some(value.into())).await.map(Ok),
        }
    }

    async fn delete(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        match self.key(&bucket, &key)? {
            Err(error) => Ok(Err(error)),
            Ok(key) => self.put(key, None).await.map(Ok),
        }
    }

    async fn exists(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        match self.key(&bucket, &key)? {
            Err(error) => Ok(Err(error)),
            Ok(key) => Ok(Ok(self
                .unit()
                .await
                .get(&key)
                .await
                .map_err(stop)?
                .is_some())),
        }
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<KeyResponse, Error>> {
        let Bucket(store) = self.table().get(&bucket)?.clone();
        let page = self
            .unit()
            .await
            .keys(&store, cursor.as_deref(), PAGE)
            .await
            .map_err(stop)?;
        let keys: Vec<String> = page
            .names
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        let cursor = if page.more {
            keys.last().cloned()
        } else {
            None
        };
        Ok(Ok(KeyResponse { keys, cursor }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table_mut().delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for State {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, Error>> {
        let key = match self.key(&bucket, &key)? {
            Err(error) => return Ok(Err(error)),
            Ok(key) => key,
        };
        let mut sum = Some(0_i64);
        let add = |value: Option<&Bytes>| {
            sum = number(value).and_then(|number| number.checked_add(delta));
            // A value that is no number stays what it is.
            sum.map_or_else(|| value.cloned(), |sum| Some(sum.to_string().into()))
        };
        self.unit().await.update(&key, add).await.map_err(stop)?;
        Ok(sum.ok_or_else(|| {
            Error::Other(format!(
                "the value of {key} is not a number that can be changed by {delta}"
            ))
        }))
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), CasError>> {
        let Cas { key, seen } = self.table_mut().delete(cas)?;
        let swapped = self
            .unit()
            .await
            .swap(&key, seen.as_ref(), value.into())
            .await
            .map_err(stop)?;
        match swapped {
            Ok(()) => Ok(Ok(())),
            Err(current) => {
                let newer = self.table_mut().push(Cas { key, seen: current })?;
                Ok(Err(CasError::CasFailed(newer)))
            }
        }
    }
}

impl atomics::HostCas for State {
    async fn new(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<Resource<Cas>, Error>> {
        let key = match self.key(&bucket, &key)? {
            Err(error) => return Ok(Err(error)),
            Ok(key) => key,
        };
        let seen = self.unit().await.get(&key).await.map_err(stop)?;
        Ok(Ok(self.table_mut().push(Cas { key, seen })?))
    }

    async fn current(
        &mut self,
        cas: Resource<Cas>,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let key = self.table().get(&cas)?.key.clone();
        let value = self.unit().await.get(&key).await.map_err(stop)?;
        self.table_mut().get_mut(&cas)?.seen.clone_from(&value);
        Ok(Ok(value.map(Vec::from)))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table_mut().delete(cas)?;
        Ok(())
    }
}

impl batch::Host for State {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<(String, Option<Vec<u8>>)>, Error>> {
        let (mut values, mut size) = (Vec::new(), 0_usize);
        for name in keys {
            match self.key(&bucket, &name)? {
                Err(error) => return Ok(Err(error)),
                Ok(key) => {
                    let value = self.unit().await.get(&key).await.map_err(stop)?;
                    charge(&mut size, &name, value.as_ref())?;
                    values.push((name, value.map(Vec::from)));
                }
            }
        }
        Ok(Ok(values))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> wasmtime::Result<Result<(), Error>> {
        for (name, value) in key_values {
            match self.key(&bucket, &name)? {
                Err(error) => return Ok(Err(error)),
                Ok(key) => self.put(key, Some(value.into())).await?,
            }
        }
        Ok(Ok(()))
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<(), Error>> {
        for name in keys {
            match self.key(&bucket, &name)? {
                Err(error) => return Ok(Err(error)),
                Ok(key) => self.put(key, None).await?,
            }
        }
        Ok(Ok(()))
    }
}

fn charge(size: &mut usize, name: &str, value: Option<&Bytes>) -> wasmtime::Result<()> {
    *size = size.saturating_add(name.len() + value.map_or(0, Bytes::len));
    if *size <= LARGEST_BATCH {
        return Ok(());
    }
    let limit = format!("one batch may answer {} MiB", LARGEST_BATCH >> 20);
    Err(stop(Stop(CallError::OverLimit(limit))))
}

/// The number that a counter holds; an absent one is zero.
fn number(value: Option<&Bytes>) -> Option<i64> {
    match value {
        None => Some(0),
        Some(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
    }
}
