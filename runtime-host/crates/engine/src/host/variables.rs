//! Variables of the manifest, by the three interfaces that guests read them with.

use crate::{
    bindings::{fermyon, spin, wasi::config::store as config},
    state::State,
};
use wasmtime::component::{Accessor, HasSelf};

impl fermyon::spin::variables::Host for State {
    async fn get(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<String, fermyon::spin::variables::Error>> {
        let undefined = || fermyon::spin::variables::Error::Undefined(undefined(&name));
        Ok(self.variables().get(&name).cloned().ok_or_else(undefined))
    }
}

impl spin::variables::variables::HostWithStore<State> for HasSelf<State> {
    async fn get(
        accessor: &Accessor<State, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, spin::variables::variables::Error>> {
        let value = accessor.with(|mut access| access.get().variables().get(&name).cloned());
        Ok(value.ok_or_else(|| spin::variables::variables::Error::Undefined(undefined(&name))))
    }
}

impl spin::variables::variables::Host for State {}

impl config::Host for State {
    async fn get(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Option<String>, config::Error>> {
        Ok(Ok(self.variables().get(&key).cloned()))
    }

    async fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, config::Error>> {
        Ok(Ok(self
            .variables()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()))
    }
}

fn undefined(name: &str) -> String {
    format!("the manifest gives this component no variable {name:?}")
}
