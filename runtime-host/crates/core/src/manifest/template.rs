//! Text with `{{ variable }}` in it.

use std::fmt;

/// A text whose `{{ name }}` parts stand for values of variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

// === impl Template ===

impl Template {
    /// Takes a text apart; the error says what is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err(format!(
                    "`{source}` opens `{{{{` and does not close it; write `{{{{ name }}}}`"
                ));
            };
            let name = name.trim();
            if !super::name::is_lower_snake(name) {
                return Err(format!(
                    "`{source}` has `{{{{{name}}}}}`, which is not the name of a variable in lower_snake_case"
                ));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self {
            source: source.to_owned(),
            parts,
        })
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The variables it mentions.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text with each variable replaced by what `value` gives for it; left as written where it gives nothing.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut rendered = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.push_str(text),
                Part::Variable(name) => match value(name) {
                    Some(value) => rendered.push_str(value),
                    None => {
                        rendered.push_str("{{ ");
                        rendered.push_str(name);
                        rendered.push_str(" }}");
                    }
                },
            }
        }
        rendered
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn a_template_knows_its_variables_and_renders_them() {
        let template = Template::parse("https://{{ host }}:{{port}}/x").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["host", "port"]);
        let value = |name: &str| (name == "host").then_some("example.com");
        assert_eq!(template.render(value), "https://example.com:{{ port }}/x");
        assert_eq!(template.as_str(), "https://{{ host }}:{{port}}/x");
    }

    #[test]
    fn single_braces_are_text() {
        let template = Template::parse("{\"a\": 1} }}").unwrap();
        assert_eq!(template.render(|_| None), "{\"a\": 1} }}");
    }

    #[test]
    fn an_open_or_empty_variable_is_refused() {
        insta::assert_snapshot!(Template::parse("x {{ a").unwrap_err(), @"`x {{ a` opens `{{` and does not close it; write `{{ name }}`");
        insta::assert_snapshot!(Template::parse("{{ }}").unwrap_err(), @"`{{ }}` has `{{}}`, which is not the name of a variable in lower_snake_case");
        insta::assert_snapshot!(Template::parse("{{ aB }}").unwrap_err(), @"`{{ aB }}` has `{{aB}}`, which is not the name of a variable in lower_snake_case");
    }
}
