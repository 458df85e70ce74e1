//! Conditions of role assignments (Azure ABAC, version 2.0): read and evaluated as Microsoft Learn's
//! "Azure role assignment condition format and syntax" has them, for text attributes.

/// A condition, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// One holds at least.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// `ActionMatches{'pattern'}`.
    Action(String),
    /// `@Request[attribute] Operator 'value'`; several values: any of them.
    Compare(String, String, Vec<String>),
}

impl Condition {
    /// True when the condition holds for an action and the attributes of the request.
    #[must_use]
    pub fn holds(&self, action: &str, attributes: &[(&str, &str)]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(action, attributes)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(action, attributes)),
            Self::Not(part) => !part.holds(action, attributes),
            Self::Action(pattern) => super::rights::matches(pattern, action),
            Self::Compare(attribute, operator, values) => attributes
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(attribute))
                .is_some_and(|(_, have)| compare(operator, have, values)),
        }
    }
}

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringStartsWith",
    "StringNotStartsWith",
    "StringLike",
    "StringNotLike",
];

fn compare(operator: &str, have: &str, values: &[String]) -> bool {
    let (base, fold) = match operator.strip_suffix("IgnoreCase") {
        Some(base) => (base, true),
        None => (operator, false),
    };
    let folded = |text: &str| {
        if fold {
            text.to_lowercase()
        } else {
            text.to_owned()
        }
    };
    let have = folded(have);
    let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(&folded(value)));
    match base {
        "StringEquals" => any(&|value| have == value),
        "StringNotEquals" => !any(&|value| have == value),
        "StringStartsWith" => any(&|value| have.starts_with(value)),
        "StringNotStartsWith" => !any(&|value| have.starts_with(value)),
        "StringLike" => any(&|value| super::rights::matches(value, &have)),
        _ => !any(&|value| super::rights::matches(value, &have)),
    }
}

/// Reads a condition.
///
/// # Errors
/// What is wrong with it, as text.
pub fn parse(text: &str) -> Result<Condition, String> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
    };
    let condition = reader.any()?;
    match reader.peek() {
        None => Ok(condition),
        Some(token) => Err(format!("'{}' is not expected here", token.text())),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// `(`, `)`, `!`, `{`, `}`, `,`.
    Sign(char),
    /// `AND`, `ActionMatches`, `StringEquals`, `ForAnyOfAnyValues:StringEquals`.
    Word(String),
    /// `'text'`.
    Text(String),
    /// `@Request[name]`.
    Attribute(String),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Sign(sign) => sign.to_string(),
            Self::Word(text) | Self::Text(text) | Self::Attribute(text) => text.clone(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' | ')' | '!' | '{' | '}' | ',' => {
                tokens.push(Token::Sign(first));
                1
            }
            '\'' => {
                let end = rest[1..].find('\'').ok_or("a text has no end")?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '@' => {
                let (from, to) = (
                    rest.find('[').ok_or("an attribute has no name")?,
                    rest.find(']').ok_or("an attribute has no end")?,
                );
                let source = &rest[1..from];
                if !["Request", "Resource", "Principal", "Environment"].contains(&source)
                    || to < from
                {
                    return Err(format!("'@{source}' is no source of attributes"));
                }
                tokens.push(Token::Attribute(rest[from + 1..to].to_owned()));
                to + 1
            }
            _ => {
                let end = rest
                    .find(|c: char| {
                        !(c.is_ascii_alphanumeric() || matches!(c, ':' | '&' | '|' | '.'))
                    })
                    .unwrap_or(rest.len());
                if end == 0 {
                    return Err(format!("'{first}' is not expected here"));
                }
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn word(&mut self, words: &[&str]) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match self.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            found => Err(format!(
                "'{sign}' is expected and not '{}'",
                found.map(|token| token.text()).unwrap_or_default()
            )),
        }
    }

    fn any(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.all()?];
        while self.word(&["OR", "||"]) {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Condition::Any(parts)
        })
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.word(&["AND", "&&"]) {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Condition::All(parts)
        })
    }

    fn one(&mut self) -> Result<Condition, String> {
        match self.next() {
            Some(Token::Sign('!')) => Ok(Condition::Not(Box::new(self.one()?))),
            Some(Token::Sign('(')) => {
                let inner = self.any()?;
                self.sign(')')?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "NOT" => Ok(Condition::Not(Box::new(self.one()?))),
            Some(Token::Word(word)) if word == "ActionMatches" || word == "SubOperationMatches" => {
                self.sign('{')?;
                let Some(Token::Text(pattern)) = self.next() else {
                    return Err(format!("{word} needs a text"));
                };
                self.sign('}')?;
                Ok(Condition::Action(pattern))
            }
            Some(Token::Attribute(name)) => self.comparison(name),
            found => Err(format!(
                "'{}' is not expected here",
                found.map(|token| token.text()).unwrap_or_default()
            )),
        }
    }

    fn comparison(&mut self, attribute: String) -> Result<Condition, String> {
        let Some(Token::Word(word)) = self.next() else {
            return Err(format!("'{attribute}' is compared with nothing"));
        };
        let operator = word
            .strip_prefix("ForAnyOfAnyValues:")
            .unwrap_or(&word)
            .to_owned();
        let base = operator.strip_suffix("IgnoreCase").unwrap_or(&operator);
        if !OPERATORS.contains(&base) {
            return Err(format!("'{word}' is no operator"));
        }
        let mut values = Vec::new();
        match self.next() {
            Some(Token::Text(value)) => values.push(value),
            Some(Token::Sign('{')) => loop {
                match self.next() {
                    Some(Token::Text(value)) => values.push(value),
                    _ => return Err("a list holds texts".to_owned()),
                }
                match self.next() {
                    Some(Token::Sign(',')) => {}
                    Some(Token::Sign('}')) => break,
                    _ => return Err("a list has no end".to_owned()),
                }
            },
            _ => return Err(format!("{operator} needs a text")),
        }
        Ok(Condition::Compare(attribute, operator, values))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const READ: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";
    const NAME: &str = "Microsoft.ContainerRegistry/registries/repositories:name";

    #[test]
    fn the_documented_repository_condition_opens_that_repository_alone() {
        let text = format!(
            "((!(ActionMatches{{'{READ}'}})) OR (@Request[{NAME}] StringEqualsIgnoreCase 'nginx' OR @Request[{NAME}] StringStartsWithIgnoreCase 'team/'))"
        );
        let condition = parse(&text).unwrap();
        let may = |repository: &str| condition.holds(READ, &[(NAME, repository)]);
        assert!(may("NGINX") && may("team/web"));
        assert!(!may("nginx2") && !may("teams/web"));
        assert!(condition.holds("Microsoft.ContainerRegistry/registries/catalog/read", &[]));
    }

    #[test]
    fn and_binds_closer_than_or() {
        let condition =
            parse("ActionMatches{'a'} OR ActionMatches{'b'} AND ActionMatches{'c'}").unwrap();
        assert!(condition.holds("a", &[]));
        assert!(!condition.holds("b", &[]));
    }

    #[test]
    fn broken_conditions_are_refused_with_a_reason() {
        for text in [
            "",
            "(",
            "nginx",
            "@Request[x]",
            "@Other[x] StringEquals 'a'",
            "@Request[x] Near 'a'",
            "ActionMatches{'a'} ActionMatches{'b'}",
            "'open",
        ] {
            assert!(!parse(text).unwrap_err().is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[@A-Za-z(){}\\[\\]'!,: ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
