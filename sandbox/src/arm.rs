//! The front door of Azure Resource Manager: api-version, subscription, registration, then the route.
//! What the services behind it do is in `resources.rs` and in the rows of `types/`.

use crate::actions;
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::operations;
use crate::resources::{self, Context};
use crate::route::{self, Route};
use crate::store::{Registration, World};
use crate::table::{Style, Type, Verb};
use crate::types::authorization;
use crate::types::resources::{lists, providers, subscriptions};

/// Answers a request that carries a valid token.
pub fn handle(world: &mut World, context: &Context<'_>) -> Answer {
    answer(world, context).unwrap_or_else(Answer::from)
}

fn answer(world: &mut World, context: &Context<'_>) -> ArmResult<Answer> {
    let request = context.request;
    let method = request.method.as_str();
    let route = route::find(method, &request.path)?;
    if let Route::Operation(id) = &route {
        return operations::poll(world, id, request);
    }
    let Some(version) = request.api_version() else {
        return Err(ArmError::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    };
    if !looks_like_a_version(&version) {
        return Err(ArmError::bad(
            "InvalidApiVersionParameter",
            format!(
                "The api-version '{version}' is invalid. An api-version is a date, such as '2024-03-01'."
            ),
        ));
    }
    known_subscription(world, &request.path)?;
    match route {
        Route::Tenants
        | Route::Subscriptions
        | Route::Subscription(_)
        | Route::Locations(_)
        | Route::Providers(_)
        | Route::Provider(..)
        | Route::Register(..)
        | Route::Resources(_) => {
            resource_manager_version(&version)?;
            own(world, &route, method, context)
        }
        Route::Operation(id) => operations::poll(world, &id, request),
        Route::NamespaceAct(action, subscription, rest) => {
            accepted_version(
                action.path.last().copied().unwrap_or_default(),
                action.namespace,
                action.versions,
                &version,
            )?;
            let mut draft = world.clone();
            let mut answer = (action.run)(&mut draft, &subscription, &rest, request)?;
            if let Some(target) = answer.started.take() {
                let failure = context.failure.clone();
                answer = actions::later(&mut draft, target, Style::Location, failure, context);
            }
            *world = draft;
            Ok(answer)
        }
        Route::Act(action, kind, id) => {
            version_of(kind, &version)?;
            let deed = format!("{}/{}/action", kind.name, action.name);
            authorization::permissions::check(world, &deed, id.as_str())?;
            actions::act(world, action, &id, context)
        }
        Route::Collection(kind, scope) => {
            version_of(kind, &version)?;
            authorization::permissions::check(world, &format!("{}/read", kind.name), &scope)?;
            match method {
                "GET" => resources::list(world, kind, &scope, context),
                "POST" => Err(unsupported_action(request)),
                _ => Err(not_supported(request)),
            }
        }
        Route::Instance(kind, id) => {
            version_of(kind, &version)?;
            let id = (kind.home)(&id);
            let verb = match method {
                "PUT" | "PATCH" => "write",
                "DELETE" => "delete",
                _ => "read",
            };
            authorization::permissions::check(
                world,
                &format!("{}/{verb}", kind.name),
                id.as_str(),
            )?;
            match method {
                "GET" => resources::get(world, kind, &id, request),
                "HEAD" => Ok(resources::head(world, kind, &id)),
                "PUT" | "PATCH" => {
                    registered(world, kind, id.subscription())?;
                    let verb = if method == "PUT" {
                        Verb::Put
                    } else {
                        Verb::Patch
                    };
                    resources::write(world, kind, &id, verb, context)
                }
                "DELETE" => resources::delete(world, kind, &id, context),
                _ => Err(not_supported(request)),
            }
        }
    }
}

/// Resource Manager's own: subscriptions, providers and lists across types.
fn own(world: &mut World, route: &Route, method: &str, context: &Context<'_>) -> ArmResult<Answer> {
    match (method, route) {
        ("POST", Route::Register(subscription, namespace, register)) => {
            providers::register(world, subscription, namespace, *register)
        }
        ("GET" | "HEAD", Route::Tenants) => Ok(subscriptions::tenants(world)),
        ("GET", Route::Subscriptions) => Ok(subscriptions::list(world)),
        ("GET", Route::Subscription(id)) => Ok(subscriptions::get(world, id)),
        ("GET", Route::Locations(id)) => Ok(subscriptions::locations(id)),
        ("GET", Route::Providers(subscription)) => {
            Ok(providers::list(world, subscription.as_deref()))
        }
        ("GET", Route::Provider(subscription, namespace)) => {
            providers::get(world, subscription.as_deref(), namespace)
        }
        ("GET", Route::Resources(scope)) => lists::resources(world, scope, context),
        _ => Err(not_supported(context.request)),
    }
}

fn looks_like_a_version(version: &str) -> bool {
    let date = version.get(..10).unwrap_or_default();
    let digits = |range: std::ops::Range<usize>| {
        date.get(range)
            .is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && date.matches('-').count() == 2
        && matches!(
            version.get(10..),
            Some("" | "-preview" | "-privatepreview" | "-alpha" | "-beta")
        )
}

/// Resource Manager's own paths take any of its versions.
fn resource_manager_version(version: &str) -> ArmResult<()> {
    let supported = crate::types::resources::VERSIONS;
    if supported.contains(&version) {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidApiVersionParameter",
        format!(
            "The api-version '{version}' is invalid. The supported versions are '{}'.",
            newest_first(supported)
        ),
    ))
}

fn version_of(kind: &Type, version: &str) -> ArmResult<()> {
    if kind.namespace() == "Microsoft.Resources" {
        return resource_manager_version(version);
    }
    accepted_version(kind.short(), kind.namespace(), kind.versions, version)
}

fn accepted_version(
    short: &str,
    namespace: &str,
    supported: &[&str],
    version: &str,
) -> ArmResult<()> {
    if supported.contains(&version) {
        return Ok(());
    }
    Err(ArmError::bad(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for API version '{version}' for type '{short}' in namespace '{namespace}'. The supported api-versions are '{}'.",
            newest_first(supported)
        ),
    ))
}

fn newest_first(versions: &[&str]) -> String {
    versions
        .iter()
        .rev()
        .copied()
        .collect::<Vec<_>>()
        .join(", ")
}

fn known_subscription(world: &World, path: &str) -> ArmResult<()> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    if !segments
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("subscriptions"))
    {
        return Ok(());
    }
    let Some(id) = segments.next() else {
        return Ok(());
    };
    if world
        .subscriptions
        .iter()
        .any(|known| known.eq_ignore_ascii_case(id))
    {
        return Ok(());
    }
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(ArmError::bad(
            "InvalidSubscriptionId",
            format!("The provided subscription identifier '{id}' is malformed or invalid."),
        ));
    }
    Err(ArmError::new(
        404,
        "SubscriptionNotFound",
        format!("The subscription '{id}' could not be found."),
    ))
}

/// Writes need the namespace to be registered in the subscription.
fn registered(world: &World, kind: &Type, subscription: &str) -> ArmResult<()> {
    let namespace = kind.namespace();
    let state = providers::state(world, subscription, namespace);
    if matches!(
        state,
        Registration::Registered | Registration::Registering(_)
    ) {
        return Ok(());
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
    );
    Err(
        ArmError::conflict("MissingSubscriptionRegistration", message.clone())
            .with(ArmError::conflict("MissingSubscriptionRegistration", message).at(namespace)),
    )
}

fn not_supported(request: &Request) -> ArmError {
    ArmError::new(
        405,
        "HttpMethodNotSupported",
        format!(
            "The HTTP method '{}' is not supported at '{}'.",
            request.method, request.path
        ),
    )
}

fn unsupported_action(request: &Request) -> ArmError {
    ArmError::new(
        404,
        "UnsupportedAction",
        format!("The action of '{}' is not supported.", request.path),
    )
}
