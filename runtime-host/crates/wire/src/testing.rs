//! Contracts for tests, from WIT as text.

use skald_core::manifest::ComponentId;
use wit_parser::Resolve;

use crate::contract::Contracts;

/// The contracts of components whose world is called `w`.
pub(crate) fn contracts(components: &[(&str, &str)]) -> Contracts {
    let read = |(component, wit): &(&str, &str)| {
        let mut resolve = Resolve::default();
        let package = match resolve.push_str("test.wit", wit) {
            Ok(package) => package,
            Err(error) => panic!("{}", resolve.render_error(&error)),
        };
        let world = resolve.select_world(&[package], Some("w")).unwrap();
        (ComponentId::from(*component), resolve, world)
    };
    let components: Vec<_> = components.iter().map(read).collect();
    Contracts::of(&components)
}

/// The wasm of a component that exports that world, and whose functions trap.
pub(crate) fn wasm(wit: &str) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let mut module = dummy_module(&resolve, world, wit_parser::ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.encode().unwrap()
}
