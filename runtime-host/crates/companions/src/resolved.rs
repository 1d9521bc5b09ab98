//! Looks up what an id stands for. Ids are only ever given out by the [`Resolve`] that is asked here.

#![expect(
    clippy::indexing_slicing,
    reason = "a Resolve holds whatever it gave an id to"
)]

use wit_parser::{Interface, InterfaceId, Package, PackageId, Resolve, TypeDef, TypeId};

pub(crate) fn package(resolve: &Resolve, id: PackageId) -> &Package {
    &resolve.packages[id]
}

pub(crate) fn interface(resolve: &Resolve, id: InterfaceId) -> &Interface {
    &resolve.interfaces[id]
}

pub(crate) fn definition(resolve: &Resolve, id: TypeId) -> &TypeDef {
    &resolve.types[id]
}
