//! `jq`, as far as commands need it: paths (`.a.b`), texts, and their sum, with `-r` and `-j`.

use serde_json::Value;

use super::shell::Done;

/// Runs `jq` with these words.
pub fn run(words: &[String], input: &str) -> Done {
    let (options, rest): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.starts_with('-'));
    let on = |flag: char| options.iter().any(|option| option.contains(flag));
    if let Some(unknown) = options
        .iter()
        .find(|option| option.chars().skip(1).any(|flag| !"rjc".contains(flag)))
    {
        return Done::ended(2, format!("jq: Unknown arguments: {unknown}"));
    }
    let filter = rest.first().map_or(".", |word| word.as_str());
    let mut output = String::new();
    for value in serde_json::Deserializer::from_str(input).into_iter::<Value>() {
        let Ok(value) = value else {
            return Done::ended(2, "jq: parse error: Invalid literal");
        };
        let mut sum = Value::Null;
        for term in filter.split('+').map(str::trim) {
            sum = match term_of(term, &value).and_then(|term| add(sum, term)) {
                Ok(sum) => sum,
                Err((code, error)) => return Done::ended(code, error),
            };
        }
        match &sum {
            Value::String(text) if on('r') || on('j') => output.push_str(text),
            other => output.push_str(&other.to_string()),
        }
        if !on('j') {
            output.push('\n');
        }
    }
    Done::fine(output)
}

type Failure = (i64, String);

fn term_of(term: &str, value: &Value) -> Result<Value, Failure> {
    if term.starts_with('"') {
        return serde_json::from_str(term).map_err(|_| syntax(term));
    }
    let path = term.strip_prefix('.').ok_or_else(|| syntax(term))?;
    let mut at = value;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.chars().all(plain) {
            return Err(syntax(term));
        }
        if !at.is_object() && !at.is_null() {
            let error = format!("jq: error (at <stdin>:1): Cannot index with \"{name}\"");
            return Err((5, error));
        }
        at = &at[name];
    }
    Ok(at.clone())
}

/// Null and anything is the other one (jq's manual, "Addition").
fn add(left: Value, right: Value) -> Result<Value, Failure> {
    match (left, right) {
        (Value::Null, other) | (other, Value::Null) => Ok(other),
        (Value::String(left), Value::String(right)) => Ok(Value::String(left + &right)),
        _ => Err((5, "jq: error (at <stdin>:1): these cannot be added".into())),
    }
}

fn syntax(term: &str) -> Failure {
    (
        3,
        format!("jq: error: syntax error at <top-level>: {term}\njq: 1 compile error"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jq(words: &[&str], input: &str) -> (i64, String) {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let done = run(&words, input);
        (done.code, done.output)
    }

    #[test]
    fn paths_and_texts_are_added_and_printed_raw_or_as_json() {
        let input = r#"{ "a": { "b": "c" } }"#;
        assert_eq!(jq(&["-r", ".a.b"], input), (0, "c\n".to_owned()));
        assert_eq!(jq(&["-j", r#""x " + .a.b"#], input), (0, "x c".to_owned()));
        assert_eq!(jq(&[".a"], input), (0, "{\"b\":\"c\"}\n".to_owned()));
        assert_eq!(jq(&["-r", ".missing"], input), (0, "null\n".to_owned()));
        assert_eq!(jq(&["-r", ".a"], ""), (0, String::new()));
        assert_eq!(jq(&["-r", ".a | keys"], input).0, 3);
        assert_eq!(jq(&["-r", ".a"], "no").0, 2);
    }
}
