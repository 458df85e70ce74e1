//! What the texts of single arguments must be, as functions for the checks of the schema.

use crate::arm::ArmId;

/// Checks a number of nodes or a percentage.
///
/// # Errors
/// What is wrong with it.
pub fn surge(text: &str) -> Result<(), String> {
    let digits = text.strip_suffix('%').unwrap_or(text);
    match digits.parse::<u32>() {
        Ok(number) if number >= 1 && (digits == text || number <= 100) => Ok(()),
        _ => Err(format!(
            "{text:?} is neither a number of nodes such as \"2\" nor a percentage such as \"33%\""
        )),
    }
}

/// Checks a taint.
///
/// # Errors
/// What is wrong with it.
pub fn taint(text: &str) -> Result<(), String> {
    let effects = ["NoSchedule", "NoExecute", "PreferNoSchedule"];
    let valid = text
        .rsplit_once(':')
        .is_some_and(|(key, effect)| !key.is_empty() && effects.contains(&effect));
    valid.then_some(()).ok_or_else(|| {
        format!("{text:?} is no taint; write key=value:effect, where the effect is NoSchedule, NoExecute or PreferNoSchedule")
    })
}

/// Checks the beginning of a host name.
///
/// # Errors
/// What is wrong with it.
pub fn dns_prefix(text: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric();
    let valid = (1..=54).contains(&text.len())
        && text.chars().all(|c| letter(c) || c == '-')
        && text.starts_with(letter)
        && text.ends_with(letter);
    valid
        .then_some(())
        .ok_or_else(|| format!("{text:?} cannot begin a host name"))
}

/// Checks an address, or a range of them.
///
/// # Errors
/// What is wrong with it.
pub fn range(text: &str) -> Result<(), String> {
    let single = text.parse::<std::net::Ipv4Addr>().is_ok();
    let range = || text.parse::<ipnet::Ipv4Net>().is_ok();
    (single || range())
        .then_some(())
        .ok_or_else(|| format!("{text:?} is neither an IPv4 address nor a range of them"))
}

/// Checks where the private name stands.
///
/// # Errors
/// What is wrong with it.
pub fn zone(text: &str) -> Result<(), String> {
    if ["system", "none"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
    {
        return Ok(());
    }
    ArmId::parse(text)
        .map(drop)
        .map_err(|error| format!("{text:?} is neither \"system\" nor \"none\", and: {error}"))
}

/// Checks an object id.
///
/// # Errors
/// What is wrong with it.
pub fn object_id(text: &str) -> Result<(), String> {
    uuid::Uuid::try_parse(text).map(drop).map_err(|_| {
        format!("{text:?} is no object id such as \"11111111-2222-3333-4444-555555555555\"")
    })
}
