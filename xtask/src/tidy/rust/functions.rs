//! Finds functions in code that is free of comments and literals.

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tidy) struct Function {
    pub(in crate::tidy) name: String,
    /// The line of its `fn`, counted from 1.
    pub(in crate::tidy) line: usize,
    /// Lines of code between its braces; clippy's `too_many_lines` counts in the same way.
    pub(in crate::tidy) length: usize,
}

/// A word or a single other character, with the line it is on.
type Token<'a> = (usize, &'a str);

/// All functions, in the order of their `fn`.
pub(super) fn find(code: &[String]) -> Vec<Function> {
    let tokens: Vec<Token<'_>> = (1..)
        .zip(code)
        .flat_map(|(line, text)| words(line, text))
        .collect();
    let mut functions = Vec::new();
    for (at, (line, word)) in tokens.iter().enumerate() {
        if *word != "fn" {
            continue;
        }
        // The type `fn(u32)` has no name, and a macro's `fn $name` has no fixed one.
        let Some((_, name)) = tokens.get(at + 1).filter(|(_, name)| is_name(name)) else {
            continue;
        };
        let Some((first, last)) = tokens.get(at..).and_then(body) else {
            continue;
        };
        let between = code.get(first..last.saturating_sub(1)).unwrap_or_default();
        let length = between
            .iter()
            .filter(|line| !line.trim().is_empty())
            .count();
        functions.push(Function {
            name: (*name).to_owned(),
            line: *line,
            length,
        });
    }
    functions
}

/// The lines of the braces around the body; none for a declaration.
fn body(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    let (mut depth, mut first) = (0_usize, None);
    for (line, token) in tokens {
        match *token {
            ";" if depth == 0 => return None,
            "{" if depth == 0 => {
                first = Some(*line);
                depth = 1;
            }
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(first) = first.filter(|_| depth == 0) {
            return Some((first, *line));
        }
    }
    None
}

fn words(line: usize, text: &str) -> impl Iterator<Item = Token<'_>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let pieces = text
        .split_inclusive(move |c| !is_part(c))
        .flat_map(move |piece| {
            let word = piece.trim_end_matches(|c| !is_part(c));
            [word, piece.strip_prefix(word).unwrap_or_default().trim()]
        });
    pieces
        .filter(|piece| !piece.is_empty())
        .map(move |piece| (line, piece))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &[(&str, usize, usize)]) {
        let lines: Vec<_> = code.lines().map(str::to_owned).collect();
        let found = find(&lines);
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.name.as_str(), it.line, it.length))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_function_is_as_long_as_the_code_between_its_braces() {
        check("fn a() {\n    b();\n\n    c();\n}\n", &[("a", 1, 2)]);
        check(
            "fn a() {}\nfn b() -> u8 { 1 }\n",
            &[("a", 1, 0), ("b", 2, 0)],
        );
    }

    #[test]
    fn a_signature_may_take_lines_of_its_own() {
        check(
            "fn a(\n    b: [u8; 4],\n) -> u8\nwhere\n    u8: Copy,\n{\n    1\n}\n",
            &[("a", 1, 1)],
        );
    }

    #[test]
    fn inner_functions_count_for_the_outer_too() {
        check(
            "impl A {\n    fn a() {\n        fn b() {\n            1;\n        }\n    }\n}\n",
            &[("a", 2, 3), ("b", 3, 1)],
        );
    }

    #[test]
    fn declarations_and_types_are_no_functions() {
        check(
            "trait A {\n    fn a(&self) -> [u8; 4];\n}\ntype B = fn(u8) -> u8;\nstruct C { f: fn() }\n",
            &[],
        );
    }
}
