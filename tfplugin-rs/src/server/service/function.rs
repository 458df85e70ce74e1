//! Functions. They have no messages for the user but one error, at an argument.

use std::collections::BTreeMap;

use crate::schema::Diagnostics;
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::Registry;
use crate::server::wire;

pub(super) fn messages(registry: &Registry) -> BTreeMap<String, pb::Function> {
    let functions = registry.functions.iter();
    functions
        .map(|(name, callable)| ((*name).to_owned(), wire::function(&callable.signature)))
        .collect()
}

pub(super) fn all(registry: &Registry) -> Option<pb::get_functions::Response> {
    Some(pb::get_functions::Response {
        functions: messages(registry),
        diagnostics: Vec::new(),
    })
}

pub(super) fn call(
    registry: &Registry,
    request: &pb::call_function::Request,
) -> pb::call_function::Response {
    match result(registry, request) {
        Ok(result) => pb::call_function::Response {
            result: Some(result),
            error: None,
        },
        Err((text, argument)) => failed(text, argument),
    }
}

pub(super) fn crashed(name: &str, panic: &str) -> pb::call_function::Response {
    failed(
        format!(
            "The provider crashed in {name}: {panic}. This is a bug in the provider; please report it."
        ),
        None,
    )
}

fn failed(text: String, argument: Option<usize>) -> pb::call_function::Response {
    let function_argument = argument.and_then(|argument| i64::try_from(argument).ok());
    pb::call_function::Response {
        result: None,
        error: Some(pb::FunctionError {
            text,
            function_argument,
        }),
    }
}

fn result(
    registry: &Registry,
    request: &pb::call_function::Request,
) -> Result<pb::DynamicValue, (String, Option<usize>)> {
    let name = &request.name;
    let callable = registry
        .functions
        .get(name.as_str())
        .ok_or_else(|| (format!("This provider has no function `{name}`."), None))?;
    let signature = &callable.signature;
    let fixed = signature.parameters.len();
    if request.arguments.len() < fixed {
        return Err((format!("`{name}` takes {fixed} arguments."), None));
    }
    let mut arguments = Vec::with_capacity(request.arguments.len());
    for (index, message) in request.arguments.iter().enumerate() {
        let parameter = signature
            .parameters
            .get(index)
            .or(signature.variadic.as_ref())
            .ok_or_else(|| (format!("`{name}` takes {fixed} arguments."), Some(index)))?;
        let mut problems = Diagnostics::new();
        let argument = wire::decode(&parameter.kind, Some(message), "argument", &mut problems)
            .ok_or_else(|| (told(&problems), Some(index)))?;
        if argument.is_null() && !parameter.allow_null {
            return Err((
                format!("`{}` must not be null.", parameter.name),
                Some(index),
            ));
        }
        arguments.push(argument);
    }
    let value = callable
        .it
        .call(arguments)
        .map_err(|error| (error.text, error.argument))?;
    let mut problems = Diagnostics::new();
    wire::encode(&signature.returns, &value, "result", &mut problems)
        .ok_or_else(|| (told(&problems), None))
}

fn told(problems: &Diagnostics) -> String {
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.summary, problem.detail))
        .collect()
}
