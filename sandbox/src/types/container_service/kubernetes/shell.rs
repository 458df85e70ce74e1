//! The shell of run commands, as small as they need it: commands in sequence (`&&`, `;`, new lines), pipes,
//! here-documents, quotes, and of programs `kubectl`, `curl`, `jq`, `sha256sum`, `echo`, `printf`, `cat`,
//! `base64 -d`, `sh -c`. The end of a pipe is that of its last program.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use sha2::{Digest as _, Sha256};

use super::objects::Objects;
use super::web::Web;
use super::{Outcome, curl, jq, kubectl};

/// The files beside a command, by name: the context of the request.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Where a command runs.
pub struct Pod<'a> {
    /// The files beside it.
    pub files: &'a Files,
    /// What the cluster holds.
    pub objects: Objects<'a>,
    /// What can be reached.
    pub web: Web<'a>,
}

/// Runs a command line.
pub fn run(command: &str, pod: &mut Pod<'_>) -> Outcome {
    let (text, documents) = here_documents(command);
    let mut logs = String::new();
    let mut code = 0;
    let mut needs_success = false;
    for (pipeline, then) in split(&text) {
        let skipped = needs_success && code != 0;
        needs_success = then;
        if pipeline.trim().is_empty() || skipped {
            continue;
        }
        let mut input = String::new();
        let stages: Vec<String> = parts(&pipeline, &["|"])
            .into_iter()
            .map(|(stage, _)| stage)
            .collect();
        for (at, stage) in stages.iter().enumerate() {
            let done = program(stage, &input, &documents, pod);
            code = done.code;
            logs.push_str(&done.errors);
            if at + 1 == stages.len() {
                logs.push_str(&done.output);
            }
            input = done.output;
        }
    }
    Outcome { code, logs }
}

/// What one program did.
pub struct Done {
    /// Its exit code.
    pub code: i64,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Done {
    /// It went well and printed this.
    #[must_use]
    pub fn fine(output: impl Into<String>) -> Self {
        Self {
            code: 0,
            output: output.into(),
            errors: String::new(),
        }
    }

    /// It failed with exit code 1 and this complaint.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self::ended(1, error)
    }

    /// It failed with that exit code and this complaint.
    #[must_use]
    pub fn ended(code: i64, error: impl Into<String>) -> Self {
        Self {
            code,
            output: String::new(),
            errors: format!("{}\n", error.into()),
        }
    }
}

fn program(stage: &str, input: &str, documents: &[String], pod: &mut Pod<'_>) -> Done {
    let Some(mut words) = shlex::split(stage) else {
        return Done {
            code: 2,
            output: String::new(),
            errors: "sh: syntax error: unterminated quoted string\n".into(),
        };
    };
    let mut input = input.to_owned();
    if let Some(at) = words.iter().position(|word| word.starts_with(MARK)) {
        let number: usize = words[at][MARK.len()..].parse().unwrap_or(0);
        input = documents.get(number).cloned().unwrap_or_default();
        words.remove(at);
    }
    let Some((name, rest)) = words.split_first() else {
        return Done::fine("");
    };
    match name.as_str() {
        "kubectl" => kubectl::run(rest, &input, pod.files, &mut pod.objects),
        "curl" => curl::run(rest, &input, &pod.web),
        "jq" => jq::run(rest, &input),
        "sha256sum" if rest.is_empty() || rest == ["-"] => {
            let digest = Sha256::digest(&input);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            Done::fine(format!("{hex}  -\n"))
        }
        "true" | ":" | "set" | "export" => Done::fine(""),
        "false" => Done {
            code: 1,
            output: String::new(),
            errors: String::new(),
        },
        "echo" => echo(rest),
        "printf" => printf(rest),
        "cat" => cat(rest, &input, pod.files),
        "base64"
            if rest
                .iter()
                .any(|word| ["-d", "-D", "--decode"].contains(&word.as_str())) =>
        {
            match STANDARD.decode(input.split_whitespace().collect::<String>()) {
                Ok(bytes) => Done::fine(String::from_utf8_lossy(&bytes)),
                Err(_) => Done::failed("base64: invalid input"),
            }
        }
        "base64" => Done::fine(format!("{}\n", STANDARD.encode(input))),
        "sh" | "bash" | "/bin/sh" | "/bin/bash"
            if rest.first().is_some_and(|word| word.ends_with('c')) =>
        {
            let done = run(rest.get(1).map(String::as_str).unwrap_or_default(), pod);
            Done {
                code: done.code,
                output: done.logs,
                errors: String::new(),
            }
        }
        other => Done {
            code: 127,
            output: String::new(),
            errors: format!("sh: {other}: not found\n"),
        },
    }
}

fn echo(words: &[String]) -> Done {
    let (options, rest): (Vec<&String>, Vec<&String>) = words
        .iter()
        .partition(|word| ["-n", "-e"].contains(&word.as_str()));
    let text = rest
        .iter()
        .map(|word| word.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let end = if options.iter().any(|option| *option == "-n") {
        ""
    } else {
        "\n"
    };
    Done::fine(format!("{text}{end}"))
}

fn printf(words: &[String]) -> Done {
    let Some((format, rest)) = words.split_first() else {
        return Done::failed("printf: usage: printf format [arguments]");
    };
    let format = format.replace("\\n", "\n");
    let mut rest = rest.iter();
    let mut out = String::new();
    let mut pieces = format.split("%s");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(rest.next().map(String::as_str).unwrap_or_default());
        out.push_str(piece);
    }
    Done::fine(out)
}

fn cat(words: &[String], input: &str, files: &Files) -> Done {
    if words.is_empty() || words == ["-"] {
        return Done::fine(input);
    }
    let mut out = String::new();
    for name in words {
        match file(files, name) {
            Some(text) => out.push_str(&text),
            None => return Done::failed(format!("cat: {name}: No such file or directory")),
        }
    }
    Done::fine(out)
}

/// A file of the context as text.
#[must_use]
pub fn file(files: &Files, name: &str) -> Option<String> {
    let name = name.trim_start_matches("./");
    files
        .get(name)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Stands in a command for the here-document of that number.
const MARK: &str = "\u{1}here";

/// Takes the here-documents out of a command.
fn here_documents(command: &str) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut documents = Vec::new();
    let mut lines = command.lines();
    while let Some(line) = lines.next() {
        let Some((before, after)) = line.split_once("<<") else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let after = after.trim_start_matches('-').trim_start();
        let end = after.find([' ', ';', '|', '&', ')']).unwrap_or(after.len());
        let word = after[..end].trim_matches(['\'', '"']);
        text.push_str(&format!(
            "{before} {MARK}{} {}\n",
            documents.len(),
            &after[end..]
        ));
        let mut document = String::new();
        for line in lines.by_ref() {
            if line.trim() == word {
                break;
            }
            document.push_str(line);
            document.push('\n');
        }
        documents.push(document);
    }
    (text, documents)
}

/// The pipelines of a command, and whether the next one needs the success of this one.
fn split(text: &str) -> Vec<(String, bool)> {
    parts(text, &["&&", ";", "\n"])
        .into_iter()
        .map(|(part, by)| (part, by == "&&"))
        .collect()
}

/// Splits at separators outside quotes; each part with the separator behind it.
fn parts(text: &str, separators: &[&'static str]) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let mut part = String::new();
    let mut quote: Option<char> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if quote.is_none()
            && let Some(separator) = separators
                .iter()
                .find(|separator| rest.starts_with(**separator))
        {
            found.push((std::mem::take(&mut part), *separator));
            rest = &rest[separator.len()..];
            continue;
        }
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        part.push(c);
        rest = &rest[c.len_utf8()..];
        if c == '\\' && quote != Some('\'') {
            // What follows a backslash stands for itself; a line goes on behind one.
            if let Some(next) = rest.chars().next() {
                if next == '\n' {
                    part.pop();
                } else {
                    part.push(next);
                }
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    found.push((part, ""));
    found
}
