//! A function that configurations call.

use crate::value::{Type, Value};

/// What a function takes and gives.
#[derive(Debug, Clone)]
pub struct FunctionSignature {
    /// The parameters by position.
    pub parameters: Vec<Parameter>,
    /// The parameter that takes all further arguments.
    pub variadic: Option<Parameter>,
    /// The type of the result.
    pub returns: Type,
    /// One line.
    pub summary: &'static str,
    /// What it does, in Markdown.
    pub description: &'static str,
}

/// One parameter of a function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name, for messages and documentation.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Whether it may be null.
    pub allow_null: bool,
    /// What it means, in Markdown.
    pub description: &'static str,
}

/// Why a function has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong.
    pub text: String,
    /// The argument that it is about, counted from 0.
    pub argument: Option<usize>,
}

/// A pure function: the same arguments give the same result, in plan and in apply.
pub trait Function: Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it takes and gives.
    fn signature(&self) -> FunctionSignature;

    /// Computes it, without a provider configuration and without the network.
    ///
    /// # Errors
    /// When the arguments have no result.
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}
