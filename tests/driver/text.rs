//! What a command prints, made comparable.

/// The words of a text: without colours and box drawing, each run of white space one space.
///
/// Diagnostics are wrapped at a width that differs between commands, so that texts are compared by their words.
pub fn words(text: &str) -> String {
    let plain = without_colours(text);
    let words = plain.split(|c: char| c.is_whitespace() || ('\u{2500}'..='\u{257f}').contains(&c));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text without the escape sequences that set colours.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}
