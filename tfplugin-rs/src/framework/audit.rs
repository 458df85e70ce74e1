//! The rules that both CLIs check when they load a provider, over everything that it offers. A provider's test calls
//! [`audit`] and expects nothing back.

use std::collections::BTreeSet;

use super::{FunctionSignature, Provider, Resource};
use crate::schema::{self, Kind};

/// What is wrong with a provider's schemas and names. Empty: nothing.
#[must_use]
pub fn audit(provider: &dyn Provider) -> Vec<String> {
    let mut problems = schema::audit_provider("provider", &provider.schema());
    let resources = provider.resources();
    let mut names = Names {
        prefix: format!("{}_", provider.name()),
        problems: Vec::new(),
    };
    names.check("resources", resources.iter().map(|it| it.type_name()));
    names.check(
        "data sources",
        provider.data_sources().iter().map(|it| it.type_name()),
    );
    names.check(
        "ephemeral resources",
        provider
            .ephemeral_resources()
            .iter()
            .map(|it| it.type_name()),
    );
    names.check(
        "actions",
        provider.actions().iter().map(|it| it.type_name()),
    );
    problems.append(&mut names.problems);
    for resource in &resources {
        let schema = resource.schema().with_timeouts(&resource.timeouts());
        problems.extend(schema::audit(resource.type_name(), &schema));
        problems.extend(audit_identity(resource.as_ref()));
    }
    for it in provider.data_sources() {
        problems.extend(schema::audit(
            &format!("data.{}", it.type_name()),
            &it.schema().with_timeouts(&it.timeouts()),
        ));
    }
    for it in provider.ephemeral_resources() {
        problems.extend(schema::audit(
            &format!("ephemeral.{}", it.type_name()),
            &it.schema(),
        ));
    }
    for it in provider.actions() {
        problems.extend(schema::audit(
            &format!("action.{}", it.type_name()),
            &it.schema(),
        ));
    }
    for it in provider.list_resources() {
        let name = it.type_name();
        problems.extend(schema::audit(&format!("list.{name}"), &it.schema()));
        if !resources
            .iter()
            .any(|resource| resource.type_name() == name)
        {
            problems.push(format!(
                "list.{name}: there is no managed resource of that name"
            ));
        }
    }
    for it in provider.functions() {
        problems.extend(audit_function(it.name(), &it.signature()));
    }
    problems
}

struct Names {
    prefix: String,
    problems: Vec<String>,
}

impl Names {
    fn check(&mut self, things: &str, names: impl Iterator<Item = &'static str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !name.starts_with(&self.prefix) {
                self.problems
                    .push(format!("{name}: a type name begins with {}", self.prefix));
            }
            if !seen.insert(name) {
                self.problems
                    .push(format!("{name}: two {things} have that name"));
            }
        }
    }
}

fn audit_identity(resource: &dyn Resource) -> Vec<String> {
    let identity = resource.identity_schema();
    let place = resource.type_name();
    let mut problems = Vec::new();
    if identity.version < 0 {
        problems.push(format!("{place}: the version of its identity is negative"));
    }
    for attribute in identity.attributes {
        let scalar = |kind: &Kind| {
            matches!(
                kind,
                Kind::Bool | Kind::Number | Kind::Integer | Kind::String
            )
        };
        let good = match attribute.kind {
            Kind::List(element) => scalar(element),
            kind => scalar(&kind),
        };
        if !good {
            problems.push(format!(
                "{place}: identities hold scalars and lists of them, and not `{}`",
                attribute.name
            ));
        }
    }
    problems
}

fn audit_function(name: &str, signature: &FunctionSignature) -> Vec<String> {
    let mut problems = Vec::new();
    let identifier = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if !identifier(name) {
        problems.push(format!("function {name}: the name is no identifier"));
    }
    let mut seen = BTreeSet::new();
    for parameter in signature.parameters.iter().chain(&signature.variadic) {
        if !identifier(parameter.name) || !seen.insert(parameter.name) {
            problems.push(format!(
                "function {name}: the parameter `{}` needs a name of its own",
                parameter.name
            ));
        }
    }
    problems
}
