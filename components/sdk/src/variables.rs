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

/// Whether a variable that is a list, with commas or spaces between its names, has this one.
pub fn lists(name: &str, who: &str) -> bool {
    is_among(&get(name), who)
}

fn is_among(list: &str, who: &str) -> bool {
    let mut names = list.split([',', ' ', '\n']);
    !who.is_empty() && names.any(|listed| listed == who)
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn those_on_a_list_are_known_by_their_whole_names() {
        assert!(is_among("usr_1, usr_2", "usr_2") && is_among("usr_1", "usr_1"));
        for (list, who) in [("", ""), ("", "usr_1"), ("usr_11", "usr_1"), (" , ", "")] {
            assert!(!is_among(list, who), "{list:?} {who:?}");
        }
    }
}
