//! Tells code from comments and literals.

/// The text with comments blank and literals filled with `_`, line by line as before; and the string literals.
pub(super) fn read(text: &str) -> (String, Vec<(usize, String)>) {
    let mut reader = Reader {
        rest: text,
        code: String::with_capacity(text.len()),
        line: 1,
        literals: Vec::new(),
    };
    while reader.step() {}
    (reader.code, reader.literals)
}

struct Reader<'a> {
    rest: &'a str,
    code: String,
    line: usize,
    literals: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    /// Reads the next thing, whatever it is; false at the end.
    fn step(&mut self) -> bool {
        let Some(next) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(end, |_| ' ');
        } else if self.rest.starts_with("/*") {
            self.take(comment(self.rest), |_| ' ');
        } else if next == '"' {
            self.string(1, 1, |rest| escaped(rest, '"'));
        } else if next == '\'' {
            self.take(character(self.rest), |_| '_');
        } else if next.is_alphabetic() || next == '_' {
            self.word();
        } else {
            self.take(next.len_utf8(), |same| same);
        }
        true
    }

    /// A word, and the raw string it may introduce.
    fn word(&mut self) {
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let word = self.take(end, |same| same);
        if !matches!(word, "r" | "br" | "cr") {
            return;
        }
        let hashes = self.rest.len() - self.rest.trim_start_matches('#').len();
        if self.rest.trim_start_matches('#').starts_with('"') {
            let closing = format!("\"{}", "#".repeat(hashes));
            self.string(hashes + 1, hashes + 1, |rest| rest.find(&closing));
        }
    }

    /// A string: its opening, its content (the rest of the text if it never ends), and its closing.
    fn string(&mut self, opening: usize, closing: usize, end: impl Fn(&str) -> Option<usize>) {
        let line = self.line;
        self.take(opening, |_| '_');
        let content = self.take(end(self.rest).unwrap_or(self.rest.len()), |_| '_');
        self.literals.push((line, content.to_owned()));
        self.take(closing.min(self.rest.len()), |_| '_');
    }

    /// Moves `length` bytes to the code, each character but newlines as `shown` says.
    fn take(&mut self, length: usize, shown: impl Fn(char) -> char) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.code
            .extend(taken.chars().map(|c| if c == '\n' { c } else { shown(c) }));
        self.rest = rest;
        taken
    }
}

/// The length of the comment at the start, with those inside it.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the character literal at the start, or of the quote alone where it begins a lifetime.
fn character(text: &str) -> usize {
    let rest = text.strip_prefix('\'').unwrap_or(text);
    let mut following = rest.chars();
    match (following.next(), following.next()) {
        (Some('\\'), _) => escaped(rest, '\'').map_or(1, |length| length + 2),
        (Some(one), Some('\'')) => one.len_utf8() + 2,
        (_, _) => 1,
    }
}

/// How far it is to `closing`, past whatever is escaped.
fn escaped(text: &str, closing: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == closing && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, literals: &[&str]) {
        let (read, found) = read(text);
        assert_eq!(read, code);
        assert_eq!(
            found
                .iter()
                .map(|(_, text)| text.as_str())
                .collect::<Vec<_>>(),
            literals
        );
    }

    #[test]
    fn comments_are_blank() {
        check("a // b {\nc", "a       \nc", &[]);
        check("a /* b /* { */ */ c", "a                 c", &[]);
        check("/* never closed", "               ", &[]);
    }

    #[test]
    fn strings_are_filled_and_kept() {
        check(r#"f("}")"#, "f(___)", &["}"]);
        check(r#"f("\"}\\");"#, "f(_______);", &[r#"\"}\\"#]);
        check(r##"r"\" }"##, "r___ }", &["\\"]);
        check("f(r#\"a\"b\"#)", "f(r_______)", &["a\"b"]);
        check("b\"x\" // \"y\"", "b___       ", &["x"]);
        check("\"two\nlines\" }", "____\n______ }", &["two\nlines"]);
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        check(r"'{' '\'' 'a' '\u{7d}'", "___ ____ ___ ________", &[]);
        check("fn f<'a>(x: &'a str) {}", "fn f<_a>(x: &_a str) {}", &[]);
    }

    #[test]
    fn a_raw_word_is_no_string() {
        check("r#fn", "r#fn", &[]);
        check("bar\"x\"", "bar___", &["x"]);
    }

    #[test]
    fn a_literal_is_reported_where_it_begins() {
        assert_eq!(
            read("\n\n\"a\nb\" \"c\"").1,
            [(3, "a\nb".to_owned()), (4, "c".to_owned())]
        );
    }
}
