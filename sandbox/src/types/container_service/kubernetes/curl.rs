//! `curl`, as far as commands need it: GET with headers, `-f`, and the complaints with their exit codes
//! (curl's manual, "EXIT CODES").

use super::shell::Done;
use super::web::Web;

/// Options that take a value and change nothing here.
const IDLE: &[&str] = &[
    "--retry",
    "--retry-delay",
    "--connect-timeout",
    "--max-time",
    "-m",
];

/// Runs `curl` with these words.
pub fn run(words: &[String], input: &str, web: &Web<'_>) -> Done {
    let (mut url, mut headers, mut fails) = (None, Vec::new(), false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-H" | "--header" => match rest.next().map(String::as_str) {
                Some("@-") => headers.extend(input.lines().filter_map(header)),
                Some(line) => headers.extend(header(line)),
                None => return Done::ended(2, format!("curl: option {word}: requires parameter")),
            },
            idle if IDLE.contains(&idle) => drop(rest.next()),
            "--fail" => fails = true,
            "--silent" | "--show-error" | "--location" | "--retry-all-errors" => {}
            flags if flags.starts_with('-') && !flags.starts_with("--") => {
                if let Some(unknown) = flags[1..].chars().find(|flag| !"fsSL".contains(*flag)) {
                    return Done::ended(2, format!("curl: option -{unknown}: is unknown"));
                }
                fails |= flags.contains('f');
            }
            unknown if unknown.starts_with('-') => {
                return Done::ended(2, format!("curl: option {unknown}: is unknown"));
            }
            given => url = Some(given),
        }
    }
    let Some(url) = url else {
        return Done::ended(2, "curl: (2) no URL specified");
    };
    match web.get(url, &headers) {
        None => {
            let host = url.split('/').nth(2).unwrap_or(url);
            Done::ended(6, format!("curl: (6) Could not resolve host: {host}"))
        }
        Some((status, _)) if fails && status >= 400 => Done::ended(
            22,
            format!("curl: (22) The requested URL returned error: {status}"),
        ),
        Some((_, body)) => Done::fine(body.to_string()),
    }
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_lowercase(), value.trim().to_owned()))
}
