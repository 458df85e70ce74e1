//! What a value must satisfy by itself, without anything else in the configuration.

/// One rule for the values of an attribute. Unknown and null values are not checked.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number between these, both possible.
    Range(i64, i64),
    /// A text of that many characters, both ends possible.
    Length(usize, usize),
    /// A collection of that many elements, both ends possible.
    Items(usize, usize),
    /// A text that satisfies a function. The first text says the rule in the documentation;
    /// the function's error says what is wrong with this value, and how to mend it.
    Text(&'static str, fn(&str) -> Result<(), String>),
    /// Each element of the list, set or map satisfies a rule.
    Each(&'static Check),
    /// Each key of the map satisfies a rule.
    Keys(&'static Check),
}
