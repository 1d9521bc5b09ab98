//! As much of Rust's grammar as the rules need: which characters are code, which literals there are, where functions
//! begin and end. Not a parser: it has no opinion on code that does not compile.

mod functions;
mod reader;

pub(super) use self::functions::Function;

/// One Rust file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The lines with comments blanked out and the contents of literals replaced, so that braces are braces.
    pub(super) code: Vec<String>,
    /// String literals, with the line (counted from 1) on which each begins.
    pub(super) literals: Vec<(usize, String)>,
    /// Functions with a body, outer before inner.
    pub(super) functions: Vec<Function>,
    /// How many lines come before the inline module of tests.
    pub(super) lines: usize,
    /// Modules in files of their own that only tests have.
    pub(super) test_modules: Vec<String>,
}

impl Source {
    /// Lines that hold code, outside tests. Neither blank lines nor comments count, so that nobody saves on them.
    pub(super) fn code_lines(&self) -> usize {
        self.code
            .iter()
            .take(self.lines)
            .filter(|line| !line.trim().is_empty())
            .count()
    }
}

/// Reads a file.
pub(super) fn read(text: &str) -> Source {
    let (code, literals) = reader::read(text);
    let code: Vec<String> = code.lines().map(str::to_owned).collect();
    let (mut lines, mut test_modules) = (code.len(), Vec::new());
    for (at, name, is_inline) in modules_of_tests(&code) {
        if is_inline {
            lines = lines.min(at);
        } else {
            test_modules.push(name.to_owned());
        }
    }
    Source {
        functions: functions::find(&code),
        lines,
        test_modules,
        code,
        literals,
    }
}

/// Modules under `#[cfg(test)]`: the line of that attribute, the name, and whether the module is written right there.
fn modules_of_tests(code: &[String]) -> impl Iterator<Item = (usize, &str, bool)> {
    code.iter().enumerate().filter_map(|(at, attribute)| {
        let attribute = attribute.trim();
        if !(attribute.starts_with("#[cfg(test)") || attribute.starts_with("#[cfg(all(test")) {
            return None;
        }
        let mut following = code.iter().skip(at + 1).map(|line| line.trim());
        let item = following.find(|line| !line.is_empty() && !line.starts_with("#["))?;
        let (visibility, module) = item.split_once("mod ")?;
        let is_module = visibility.is_empty() || visibility.starts_with("pub");
        let name = module.trim_end_matches([' ', '{', ';']);
        is_module.then_some((at, name, module.ends_with('{')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_tests_ends_what_is_counted() {
        assert_eq!(read("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n").lines, 2);
        assert_eq!(read("#[cfg(all(test, unix))]\nmod tests {\n}\n").lines, 0);
    }

    #[test]
    fn a_declaration_of_tests_does_not() {
        assert_eq!(read("#[cfg(test)]\nmod tests;\nfn a() {}\n").lines, 3);
        assert_eq!(read("#[cfg(test)]\nuse super::*;\nfn a() {\n}\n").lines, 4);
    }

    #[test]
    fn comments_and_blank_lines_are_no_code() {
        assert_eq!(
            read("//! Words.\n\n/* more\nwords */ fn a() {\n    // why\n}\n").code_lines(),
            2
        );
    }
}
