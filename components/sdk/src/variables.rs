//! The component's variables, as the manifest grants them.

/// The value of a variable. One that the manifest does not grant is a mistake in the manifest: a trap.
pub fn get(name: &str) -> String {
    #[cfg(target_family = "wasm")]
    let value =
        crate::bindings::fermyon::spin::variables::get(name).map_err(|error| format!("{error:?}"));
    #[cfg(not(target_family = "wasm"))]
    let value = crate::memory::variable(name).ok_or_else(|| "not set".to_owned());
    value.unwrap_or_else(|reason| crate::unavailable(&format!("variable {name:?}: {reason}")))
}

/// The value of a variable that has to be a number; any other text is a mistake in the manifest: a trap.
pub fn get_number(name: &str) -> u64 {
    let text = get(name);
    text.parse().unwrap_or_else(|_| {
        crate::unavailable(&format!("variable {name:?}: {text:?} is not a number"))
    })
}
