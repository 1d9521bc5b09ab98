//! `publish` of Spin's Redis interfaces, on the call's unit of work: the event goes out when the state does.
//!
//! Only the application's own event address can be opened; the other commands of Redis have no server behind them.

use std::sync::Arc;

use skald_core::event::NewEvent;
use wasmtime::component::{Accessor, HasSelf, Resource};

use super::stop;
use crate::{
    bindings::{fermyon::spin::redis as v2, spin::redis::redis as v3},
    state::State,
};

/// The longest channel name, and the largest message an intermediary must pass on (CloudEvents 1.0.2, section 5).
const LONGEST_CHANNEL: usize = 256;
const LARGEST_PAYLOAD: usize = 1 << 20;

/// A subject keeps order among events and is kept with each of them: an id, not a text.
const LONGEST_SUBJECT: usize = 1 << 10;

/// An open connection to the event log.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code names it")]
pub struct Connection;

/// Why an address cannot be opened.
enum Refused {
    NotGranted,
    NoServer,
}

impl State {
    fn open_events(
        &mut self,
        address: &str,
    ) -> wasmtime::Result<Result<Resource<Connection>, Refused>> {
        if !self.may_reach(address) {
            return Ok(Err(Refused::NotGranted));
        }
        if !self.is_event_address(address) {
            return Ok(Err(Refused::NoServer));
        }
        Ok(Ok(self.table_mut().push(Connection)?))
    }

    fn event(&self, channel: &str, payload: Vec<u8>) -> Result<NewEvent, String> {
        if channel.is_empty() || channel.len() > LONGEST_CHANNEL {
            return Err(format!(
                "a channel has 1 to {LONGEST_CHANNEL} bytes; this one has {}",
                channel.len()
            ));
        }
        if channel.starts_with('$') {
            return Err(format!(
                "channels that begin with $ are the host's; choose another name than {channel:?}"
            ));
        }
        if payload.len() > LARGEST_PAYLOAD {
            return Err(format!(
                "a message may have {LARGEST_PAYLOAD} bytes; this one has {}",
                payload.len()
            ));
        }
        let event = NewEvent::new(Arc::from(channel), payload.into(), self.slot().trace());
        if event.key.len() > LONGEST_SUBJECT {
            return Err(format!(
                "a subject may have {LONGEST_SUBJECT} bytes; this one has {}",
                event.key.len()
            ));
        }
        Ok(event)
    }
}

impl Refused {
    fn text(&self, address: &str) -> String {
        match self {
            Self::NotGranted => format!("allowed_outbound_hosts does not list {address:?}"),
            Self::NoServer => format!("{address:?} is not the application's event address"),
        }
    }
}

/// What every command but `publish` answers.
const ONLY_PUBLISH: &str = "only publish is offered here; keep data in a key-value store";

impl v2::Host for State {}

impl v2::HostConnection for State {
    async fn open(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, v2::Error>> {
        Ok(self
            .open_events(&address)?
            .map_err(|refused| v2::Error::Other(refused.text(&address))))
    }

    async fn publish(
        &mut self,
        _: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<(), v2::Error>> {
        let event = match self.event(&channel, payload) {
            Ok(event) => event,
            Err(why) => return Ok(Err(v2::Error::Other(why))),
        };
        self.unit().await.publish(event).await.map_err(stop).map(Ok)
    }

    async fn get(
        &mut self,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn set(
        &mut self,
        _: Resource<Connection>,
        _: String,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<(), v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn incr(
        &mut self,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<i64, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn del(
        &mut self,
        _: Resource<Connection>,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn sadd(
        &mut self,
        _: Resource<Connection>,
        _: String,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn smembers(
        &mut self,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<Vec<String>, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn srem(
        &mut self,
        _: Resource<Connection>,
        _: String,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn execute(
        &mut self,
        _: Resource<Connection>,
        _: String,
        _: Vec<v2::RedisParameter>,
    ) -> wasmtime::Result<Result<Vec<v2::RedisResult>, v2::Error>> {
        Ok(Err(v2::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table_mut().delete(connection)?;
        Ok(())
    }
}

impl v3::Host for State {}

impl v3::HostConnection for State {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table_mut().delete(connection)?;
        Ok(())
    }
}

type Store = Accessor<State, HasSelf<State>>;

impl v3::HostConnectionWithStore<State> for HasSelf<State> {
    async fn open(
        store: &Store,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, v3::Error>> {
        let opened = store.with(|mut access| access.get().open_events(&address))?;
        Ok(opened.map_err(|refused| v3::Error::Other(refused.text(&address))))
    }

    async fn publish(
        store: &Store,
        _: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<(), v3::Error>> {
        let (event, slot) = store.with(|mut access| {
            let state = access.get();
            (state.event(&channel, payload), Arc::clone(state.slot()))
        });
        let event = match event {
            Ok(event) => event,
            Err(why) => return Ok(Err(v3::Error::Other(why))),
        };
        slot.unit().await.publish(event).await.map_err(stop).map(Ok)
    }

    async fn get(
        _: &Store,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn set(
        _: &Store,
        _: Resource<Connection>,
        _: String,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<(), v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn incr(
        _: &Store,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<i64, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn del(
        _: &Store,
        _: Resource<Connection>,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn sadd(
        _: &Store,
        _: Resource<Connection>,
        _: String,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn smembers(
        _: &Store,
        _: Resource<Connection>,
        _: String,
    ) -> wasmtime::Result<Result<Vec<String>, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn srem(
        _: &Store,
        _: Resource<Connection>,
        _: String,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<u32, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }

    async fn execute(
        _: &Store,
        _: Resource<Connection>,
        _: String,
        _: Vec<v3::RedisParameter>,
    ) -> wasmtime::Result<Result<Vec<v3::RedisResult>, v3::Error>> {
        Ok(Err(v3::Error::Other(ONLY_PUBLISH.to_owned())))
    }
}
