//! What Microsoft Entra ID answers: OpenID and instance discovery, token endpoints v1 and v2 for client
//! credentials, and the OIDC endpoints of build services.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::auth::{self, Subject};
use crate::exchange::{Answer, Request};
use crate::metadata;
use crate::store::{World, timestamp};

/// Answers a login or metadata request; `None` when the path is neither.
#[must_use]
pub fn handle(world: &World, request: &Request, lifetime: u64) -> Option<Answer> {
    let segments = request.segments();
    let lower: Vec<String> = segments
        .iter()
        .map(|segment| segment.to_lowercase())
        .collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (request.method.as_str(), words.as_slice()) {
        ("GET", ["metadata", "endpoints"]) => Some(metadata::clouds(request)),
        ("GET", ["metadata", "identity", "oauth2", "token"]) => {
            Some(metadata::identity(world, request, lifetime))
        }
        ("GET", [tenant @ .., ".well-known", "openid-configuration"]) => {
            let tenant = segments[..tenant.len()]
                .first()
                .copied()
                .unwrap_or("common");
            Some(openid(world, request, tenant))
        }
        ("GET", [_, "discovery", "instance"]) => Some(instances(request)),
        ("GET", [_, "discovery", ..]) => Some(Answer::json(200, json!({ "keys": [] }))),
        ("POST", [_, "oauth2", "token"]) => {
            Some(token(world, request, segments[0], lifetime, false))
        }
        ("POST", [_, "oauth2", "v2.0", "token"]) => {
            Some(token(world, request, segments[0], lifetime, true))
        }
        _ => None,
    }
}

fn openid(world: &World, request: &Request, tenant: &str) -> Answer {
    let base = &request.base;
    let tenant =
        if tenant.eq_ignore_ascii_case("common") || tenant.eq_ignore_ascii_case("organizations") {
            &world.tenant
        } else {
            tenant
        };
    let v2 = request.path.contains("/v2.0/");
    let (issuer, part) = if v2 {
        (format!("{base}/{tenant}/v2.0"), "/v2.0")
    } else {
        (format!("{base}/{tenant}/"), "")
    };
    Answer::json(
        200,
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{base}/{tenant}/oauth2{part}/authorize"),
            "token_endpoint": format!("{base}/{tenant}/oauth2{part}/token"),
            "device_authorization_endpoint": format!("{base}/{tenant}/oauth2{part}/devicecode"),
            "end_session_endpoint": format!("{base}/{tenant}/oauth2{part}/logout"),
            "jwks_uri": format!("{base}/{tenant}/discovery{part}/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "NA",
            "cloud_instance_name": "microsoftonline.com",
        }),
    )
}

fn instances(request: &Request) -> Answer {
    let host = request
        .base
        .split_once("://")
        .map_or("localhost", |(_, host)| host);
    let tenant = request.param("authorization_endpoint").and_then(|url| {
        let path = url.split_once("://")?.1.split_once('/')?.1.to_owned();
        path.split('/').next().map(ToOwned::to_owned)
    });
    let tenant = tenant.unwrap_or_else(|| "common".into());
    Answer::json(
        200,
        json!({
            "tenant_discovery_endpoint": format!("{}/{tenant}/v2.0/.well-known/openid-configuration", request.base),
            "api-version": "1.1",
            "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
        }),
    )
}

fn token(world: &World, request: &Request, tenant: &str, lifetime: u64, v2: bool) -> Answer {
    let form: BTreeMap<String, String> =
        form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| {
        form.get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    let refuse = |status, error: &str, code: u32, message: &str| {
        Answer::json(
            status,
            json!({
                "error": error,
                "error_description": format!("AADSTS{code}: {message} Trace ID: {0} Correlation ID: {0} Timestamp: {1}", world.seed, timestamp(world.now)),
                "error_codes": [code],
                "timestamp": timestamp(world.now),
                "trace_id": world.seed,
                "correlation_id": request.header("client-request-id").unwrap_or_default(),
                "error_uri": format!("{}/error?code={code}", request.base),
            }),
        )
    };
    let known = tenant.eq_ignore_ascii_case(&world.tenant) || !is_guid(tenant);
    if !known {
        return refuse(
            400,
            "invalid_request",
            90002,
            &format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            ),
        );
    }
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(other) => {
            return refuse(
                400,
                "unsupported_grant_type",
                70003,
                &format!("The app requested an unsupported grant type '{other}'."),
            );
        }
        None => {
            return refuse(
                400,
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'grant_type'.",
            );
        }
    }
    let basic = request.header("authorization").and_then(basic_credentials);
    let client = field("client_id")
        .map(ToOwned::to_owned)
        .or_else(|| basic.as_ref().map(|(id, _)| id.clone()));
    let Some(client) = client else {
        return refuse(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_id'.",
        );
    };
    let secret = field("client_secret")
        .map(ToOwned::to_owned)
        .or_else(|| basic.map(|(_, secret)| secret));
    match (secret, field("client_assertion")) {
        (Some(secret), _) if secret == "invalid" => {
            return refuse(
                401,
                "invalid_client",
                7_000_215,
                &format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
                ),
            );
        }
        (Some(_), _) => {}
        (None, Some(assertion)) => {
            if field("client_assertion_type")
                != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            {
                return refuse(
                    400,
                    "invalid_request",
                    900_144,
                    "The request body must contain the following parameter: 'client_assertion_type'.",
                );
            }
            let Some(claims) = auth::claims(assertion) else {
                return refuse(
                    401,
                    "invalid_client",
                    50027,
                    "JWT token is invalid or malformed.",
                );
            };
            if claims["exp"].as_u64().unwrap_or(0) * 1000 <= world.now {
                return refuse(
                    401,
                    "invalid_client",
                    700_024,
                    "Client assertion is not within its valid time range.",
                );
            }
            let audience = claims["aud"].as_str().unwrap_or_default();
            if audience != "api://AzureADTokenExchange"
                && !audience.contains("/oauth2/")
                && !audience.starts_with(&request.base)
            {
                return refuse(
                    401,
                    "invalid_client",
                    700_212,
                    &format!(
                        "No matching federated identity record found for presented assertion audience '{audience}'."
                    ),
                );
            }
        }
        (None, None) => {
            return refuse(
                401,
                "invalid_client",
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            );
        }
    }
    let audience = if v2 {
        let Some(scope) = field("scope") else {
            return refuse(
                400,
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'scope'.",
            );
        };
        let Some(audience) = scope
            .split(' ')
            .find_map(|scope| scope.strip_suffix("/.default"))
        else {
            return refuse(
                400,
                "invalid_scope",
                1_002_012,
                &format!(
                    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
                ),
            );
        };
        audience.to_owned()
    } else {
        let Some(resource) = field("resource") else {
            return refuse(
                400,
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'resource'.",
            );
        };
        resource.to_owned()
    };
    let access = auth::issue(
        world,
        &Subject {
            tenant: &world.tenant,
            client: &client,
            audience: &audience,
        },
        lifetime,
    );
    Answer::json(
        200,
        if v2 {
            json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": access })
        } else {
            json!({
                "token_type": "Bearer", "expires_in": lifetime.to_string(), "ext_expires_in": lifetime.to_string(),
                "expires_on": (world.now / 1000 + lifetime).to_string(), "not_before": (world.now / 1000).to_string(),
                "resource": audience, "access_token": access,
            })
        },
    )
}

fn basic_credentials(header: &str) -> Option<(String, String)> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD
        .decode(header.strip_prefix("Basic ")?)
        .ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        form_urlencoded::parse(format!("v={part}").as_bytes())
            .next()
            .map(|(_, value): (_, std::borrow::Cow<'_, str>)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

/// Body members for the OIDC endpoints of the remote control.
#[must_use]
pub fn federated_token(world: &World, request: &Request, github: bool) -> Answer {
    if !request
        .header("authorization")
        .is_some_and(|header| header.to_lowercase().starts_with("bearer "))
    {
        return Answer::json(401, Value::String("a request token is required".into()));
    }
    let audience = request
        .param("audience")
        .unwrap_or_else(|| "api://AzureADTokenExchange".into());
    if github {
        let token = auth::federated(
            world,
            "https://token.actions.githubusercontent.com",
            "repo:sandbox/sandbox:ref:refs/heads/main",
            &audience,
        );
        Answer::json(200, json!({ "value": token }))
    } else {
        if request.param("serviceConnectionId").is_none() {
            return Answer::json(400, json!({ "message": "serviceConnectionId is required" }));
        }
        let token = auth::federated(
            world,
            "https://vstoken.dev.azure.com/sandbox",
            "sc://sandbox/project/connection",
            &audience,
        );
        Answer::json(200, json!({ "oidcToken": token }))
    }
}
