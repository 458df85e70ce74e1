//! The one query that is understood, compared word by word: white space and line ends count for nothing.

/// The columns that the query groups by.
pub const GROUPS: [&str; 4] = [
    "CallerIpAddress",
    "ArtifactType",
    "OperationName",
    "Identity",
];

/// The published query; the text in quotes is the id of the registry.
const PUBLISHED: &str = r#"
union isfuzzy=true
    (datatable (TimeGenerated: datetime, _ResourceId: string, CallerIpAddress: string, ArtifactType: string, OperationName: string, Identity: string) []),
    ContainerRegistryRepositoryEvents,
    ContainerRegistryLoginEvents
| where _ResourceId =~ "<id>"
| summarize Events = count(), LastSeen = max(TimeGenerated) by CallerIpAddress, ArtifactType, OperationName, Identity
| order by CallerIpAddress asc, ArtifactType asc, OperationName asc, Identity asc
"#;

/// Why a text is not run.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no query.
    Syntax {
        /// What stands where something else was expected.
        token: String,
        /// Its line, from 1.
        line: usize,
        /// Its place in the line, from 0.
        pos: usize,
    },
    /// It names what is not there.
    Semantic {
        /// The name.
        name: String,
    },
}

/// The registry (an id in lower case) that the text asks for.
///
/// # Errors
/// The text is not the published query.
pub fn callers_of(text: &str) -> Result<String, Refused> {
    let published = words(PUBLISHED);
    let given = words(text);
    let mut registry = String::new();
    for (at, word) in given.iter().enumerate() {
        let expected = published.get(at).map(|word| word.text);
        match expected {
            Some("\"<id>\"") => {
                let id = word.text.trim_matches('"');
                if !word.text.ends_with('"') || word.text.len() < 2 || id != id.to_lowercase() {
                    return Err(word.refused(None));
                }
                id.clone_into(&mut registry);
            }
            Some(expected) if expected == word.text => {}
            other => return Err(word.refused(other)),
        }
    }
    match published.get(given.len()) {
        None => Ok(registry),
        Some(_) => Err(given.last().map_or(
            Refused::Syntax {
                token: String::new(),
                line: 1,
                pos: 0,
            },
            |last| last.refused(None),
        )),
    }
}

struct Word<'a> {
    text: &'a str,
    line: usize,
    pos: usize,
}

impl Word<'_> {
    /// A name in place of another name is one that is not there; anything else is no query.
    fn refused(&self, expected: Option<&str>) -> Refused {
        let name = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if name(self.text) && expected.is_some_and(name) {
            return Refused::Semantic {
                name: self.text.to_owned(),
            };
        }
        Refused::Syntax {
            token: self.text.to_owned(),
            line: self.line,
            pos: self.pos,
        }
    }
}

/// Names, texts in quotes, and each other character for itself.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let mut rest = content;
        while let Some(first) = rest.chars().next() {
            let pos = content.len() - rest.len();
            let inside = |c: char| c.is_alphanumeric() || c == '_';
            let length = if first == '"' {
                rest[1..].find('"').map_or(rest.len(), |end| end + 2)
            } else if inside(first) {
                rest.find(|c: char| !inside(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (word, after) = rest.split_at(length);
            if !first.is_whitespace() {
                words.push(Word {
                    text: word,
                    line: line + 1,
                    pos,
                });
            }
            rest = after;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn published() -> String {
        PUBLISHED.replace("<id>", "/subscriptions/s/a")
    }

    #[test]
    fn white_space_and_line_ends_count_for_nothing() {
        let text = published();
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for variant in [
            text.clone(),
            one_line,
            text.replace('\n', "\r\n\t"),
            text.replace(", ", ","),
        ] {
            assert_eq!(
                callers_of(&variant).unwrap(),
                "/subscriptions/s/a",
                "{variant}"
            );
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        let syntax = |text: &str| matches!(callers_of(text), Err(Refused::Syntax { .. }));
        assert!(syntax(""));
        assert!(syntax(&published().replace(" asc\n", "")));
        assert!(syntax(&(published() + "| take 1")));
        assert!(syntax(&published().replace("=~", "==")));
        assert!(syntax(
            &published().replace("/subscriptions/s/a", "/Subscriptions/s/a")
        ));
        assert!(syntax(
            &published().replace("\"/subscriptions", "'/subscriptions")
        ));
        let other = published().replace("ContainerRegistryLoginEvents", "Heartbeat");
        assert_eq!(
            callers_of(&other),
            Err(Refused::Semantic {
                name: "Heartbeat".into()
            })
        );
        assert_eq!(
            callers_of("union isfuzzy=true\n  )"),
            Err(Refused::Syntax {
                token: ")".into(),
                line: 2,
                pos: 2
            })
        );
    }
}
