//! From a path to what it means. ARM paths are regular: a scope, a namespace, and types and names in
//! turn. A path that ends with a type is a collection, or an action of the resource before it.

use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::table::{self, Action, NamespaceAction, Type};
use crate::types;

/// What an ARM path addresses.
pub enum Route {
    /// `/tenants`.
    Tenants,
    /// `/subscriptions`.
    Subscriptions,
    /// `/subscriptions/{s}`.
    Subscription(String),
    /// `/subscriptions/{s}/locations`.
    Locations(String),
    /// `/subscriptions/{s}/resources`, `.../resourceGroups/{g}/resources`.
    Resources(String),
    /// `/providers`, `/subscriptions/{s}/providers`.
    Providers(Option<String>),
    /// `/subscriptions/{s}/providers/{ns}`.
    Provider(Option<String>, String),
    /// `POST /subscriptions/{s}/providers/{ns}/register`, `unregister`.
    Register(String, String, bool),
    /// One resource.
    Instance(&'static Type, ResourceId),
    /// A collection of a type below a scope.
    Collection(&'static Type, String),
    /// An action of a resource.
    Act(&'static Action, &'static Type, ResourceId),
    /// An action of a namespace: subscription and the segments after the namespace.
    NamespaceAct(&'static NamespaceAction, String, Vec<String>),
    /// The URL of an operation.
    Operation(String),
}

/// Finds the route of a path for a method.
///
/// # Errors
/// 404 with ARM's code for unknown namespaces, types and paths.
pub fn find(method: &str, path: &str) -> ArmResult<Route> {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let lower: Vec<String> = segments
        .iter()
        .map(|segment| segment.to_lowercase())
        .collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tenants"] => return Ok(Route::Tenants),
        ["subscriptions"] => return Ok(Route::Subscriptions),
        ["providers"] => return Ok(Route::Providers(None)),
        ["providers", _] => return Ok(Route::Provider(None, segments[1].to_owned())),
        ["subscriptions", _] => return Ok(Route::Subscription(segments[1].to_owned())),
        ["subscriptions", _, "locations"] => return Ok(Route::Locations(segments[1].to_owned())),
        ["subscriptions", _, "providers"] => {
            return Ok(Route::Providers(Some(segments[1].to_owned())));
        }
        ["subscriptions", _, "providers", _] => {
            return Ok(Route::Provider(
                Some(segments[1].to_owned()),
                segments[3].to_owned(),
            ));
        }
        [
            "subscriptions",
            _,
            "providers",
            _,
            word @ ("register" | "unregister"),
        ] if method == "POST" => {
            return Ok(Route::Register(
                segments[1].to_owned(),
                segments[3].to_owned(),
                *word == "register",
            ));
        }
        [
            "subscriptions",
            _,
            "providers",
            _,
            "locations",
            _,
            "operations" | "operationresults",
            id,
        ] => {
            return Ok(Route::Operation((*id).to_owned()));
        }
        ["subscriptions", _, "resources"]
        | ["subscriptions", _, "resourcegroups", _, "resources"] => {
            let scope = &segments[..segments.len() - 1];
            return Ok(Route::Resources(format!("/{}", scope.join("/"))));
        }
        ["subscriptions", _, "resourcegroups"] => {
            return Ok(Route::Collection(
                row("Microsoft.Resources/resourceGroups")?,
                format!("/subscriptions/{}", segments[1]),
            ));
        }
        ["subscriptions", _, "resourcegroups", _] => {
            let id = ResourceId::group_of(segments[1], segments[3]);
            return Ok(Route::Instance(
                row("Microsoft.Resources/resourceGroups")?,
                id,
            ));
        }
        ["providers", ..] => {}
        ["subscriptions", ..] if words.contains(&"providers") => {}
        _ => return Err(unknown_path(path)),
    }
    below_provider(method, path, &segments, &words)
}

/// A path with a `providers` segment: the last one that stands where a type could stand decides.
fn below_provider(method: &str, path: &str, segments: &[&str], words: &[&str]) -> ArmResult<Route> {
    let outside = words[0] == "providers";
    let mut at = if outside { 0 } else { 2 };
    let mut last = None;
    while at < words.len() {
        if words[at] == "providers" {
            last = Some(at);
        }
        at += 2;
    }
    let Some(at) = last else {
        return Err(unknown_path(path));
    };
    let Some(namespace) = segments.get(at + 1) else {
        return Err(unknown_path(path));
    };
    let scope = scope_id(&segments[..at]);
    let rest = &segments[at + 2..];
    if let Some(found) = namespace_action(method, namespace, rest) {
        let rest = rest.iter().map(|segment| (*segment).to_owned()).collect();
        return Ok(Route::NamespaceAct(found, segments[1].to_owned(), rest));
    }
    if !table::namespaces()
        .iter()
        .any(|known| known.eq_ignore_ascii_case(namespace))
    {
        return Err(ArmError::new(
            404,
            "InvalidResourceNamespace",
            format!("The resource namespace '{namespace}' is invalid."),
        ));
    }
    let pairs = rest.len() / 2;
    let kind_of = |count: usize| {
        let name = rest
            .iter()
            .step_by(2)
            .take(count)
            .fold((*namespace).to_owned(), |name, word| {
                format!("{name}/{word}")
            });
        let kind = table::find(&name).ok_or_else(|| unknown_type(&name, namespace))?;
        match kind.tenant || !outside {
            true => Ok(kind),
            false => Err(missing_subscription()),
        }
    };
    if rest.is_empty() {
        return Err(unknown_path(path));
    }
    if rest.len().is_multiple_of(2) {
        let kind = kind_of(pairs)?;
        return Ok(Route::Instance(kind, spelled(&scope, kind, rest)?));
    }
    // The odd last segment: a collection of a type, or an action of the resource before it.
    let word = rest[rest.len() - 1];
    if pairs > 0 {
        let parent = kind_of(pairs)?;
        if let Some(action) = parent
            .actions
            .iter()
            .find(|action| action.method == method && action.name.eq_ignore_ascii_case(word))
        {
            return Ok(Route::Act(
                action,
                parent,
                spelled(&scope, parent, &rest[..rest.len() - 1])?,
            ));
        }
    }
    let kind = kind_of(pairs + 1)?;
    let scope = match pairs {
        0 => scope,
        _ => spelled(&scope, kind_of(pairs)?, &rest[..rest.len() - 1])?
            .as_str()
            .to_owned(),
    };
    Ok(Route::Collection(kind, scope))
}

/// The scope before `providers`, its fixed words in Azure's spelling.
fn scope_id(segments: &[&str]) -> String {
    let mut text = String::new();
    for (at, segment) in segments.iter().enumerate() {
        let word = match (at, segment.to_lowercase().as_str()) {
            (0, "subscriptions") => "subscriptions",
            (1, "microsoft.management") => "Microsoft.Management",
            (2, "resourcegroups") => "resourceGroups",
            (2, "managementgroups") => "managementGroups",
            (_, "providers") if at % 2 == 0 => "providers",
            _ => segment,
        };
        text.push('/');
        text.push_str(word);
    }
    text
}

/// The id of an instance with namespace and types in Azure's spelling.
fn spelled(scope: &str, kind: &Type, rest: &[&str]) -> ArmResult<ResourceId> {
    let mut text = format!("{scope}/providers/{}", kind.namespace());
    for (word, name) in kind.short().split('/').zip(rest.iter().skip(1).step_by(2)) {
        text = format!("{text}/{word}/{name}");
    }
    ResourceId::parse(&text).ok_or_else(|| unknown_path(&text))
}

fn namespace_action(
    method: &str,
    namespace: &str,
    rest: &[&str],
) -> Option<&'static NamespaceAction> {
    types::NAMESPACE_ACTIONS
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|action| {
            action.method == method
                && action.namespace.eq_ignore_ascii_case(namespace)
                && action.path.len() == rest.len()
                && action
                    .path
                    .iter()
                    .zip(rest)
                    .all(|(want, have)| *want == "*" || want.eq_ignore_ascii_case(have))
        })
}

fn row(name: &str) -> ArmResult<&'static Type> {
    table::find(name).ok_or_else(|| unknown_path(name))
}

fn unknown_type(name: &str, namespace: &str) -> ArmError {
    let short = name.split_once('/').map_or(name, |(_, short)| short);
    ArmError::new(
        404,
        "InvalidResourceType",
        format!("The resource type '{short}' could not be found in the namespace '{namespace}'."),
    )
}

fn missing_subscription() -> ArmError {
    ArmError::new(
        404,
        "MissingSubscription",
        "The request did not have a subscription or a valid tenant level resource provider.",
    )
}

fn unknown_path(path: &str) -> ArmError {
    ArmError::new(
        404,
        "InvalidRequestUri",
        format!(
            "The request URI '{path}' does not address a resource, a collection or an operation of Azure Resource Manager."
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn fixed_words_get_azures_spelling_and_names_keep_theirs() {
        let path =
            "/Subscriptions/S/RESOURCEGROUPS/Rg/Providers/microsoft.authorization/LOCKS/MyLock";
        match find("GET", path).unwrap() {
            Route::Instance(kind, id) => {
                assert_eq!(kind.name, "Microsoft.Authorization/locks");
                assert_eq!(
                    id.as_str(),
                    "/subscriptions/S/resourceGroups/Rg/providers/Microsoft.Authorization/locks/MyLock"
                );
            }
            _ => panic!("a lock is an instance"),
        }
    }

    #[test]
    fn unknown_things_get_arms_codes() {
        let code = |path: &str| find("GET", path).err().unwrap().code;
        assert_eq!(
            code("/subscriptions/s/providers/Microsoft.Nothing/things"),
            "InvalidResourceNamespace"
        );
        assert_eq!(
            code("/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/nothings/n"),
            "InvalidResourceType"
        );
        assert_eq!(code("/somewhere"), "InvalidRequestUri");
        assert_eq!(
            code("/subscriptions/s/resourceGroups/g/providers"),
            "InvalidRequestUri"
        );
    }
}
