//! The data plane of a vault, as far as a pod in a cluster needs it: the newest version of a secret is read
//! (Key Vault REST API, "Get Secret", 7.4). A vault without public access lets in who comes through an
//! approved private endpoint, and one that denies by default also who comes from a subnet of its rules;
//! where its name leads to is not looked at, nor which public address the pod has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{connections, secrets, vaults};
use crate::auth;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::authorization::has_data_right;

const RIGHT: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
const AUDIENCE: &str = "https://vault.azure.net";

/// What is asked of a vault, and from where.
pub struct Ask<'a> {
    /// The path behind the host.
    pub path: &'a str,
    /// The query.
    pub query: &'a BTreeMap<String, String>,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// The subnets that it may come from.
    pub subnets: &'a [ResourceId],
}

/// Status and body of a GET below a vault's address; `None` when there is no such vault.
#[must_use]
pub fn get(world: &World, host: &str, ask: &Ask<'_>) -> Option<(u16, Value)> {
    let uri = format!("https://{host}/");
    let vault = world.of_type(vaults::NAME).find(|vault| {
        vault
            .text("/properties/vaultUri")
            .is_some_and(|address| address.eq_ignore_ascii_case(&uri))
    })?;
    Some(answer(world, vault, ask).unwrap_or_else(|refusal| refusal))
}

fn answer(world: &World, vault: &Resource, ask: &Ask<'_>) -> Result<(u16, Value), (u16, Value)> {
    let refuse = |status: u16, code: &str, message: &str, inner: Option<&str>| {
        let mut error = json!({ "code": code, "message": message });
        if let Some(inner) = inner {
            error["innererror"] = json!({ "code": inner });
        }
        (status, json!({ "error": error }))
    };
    match admission(world, vault, ask.subnets) {
        Admission::Open => {}
        Admission::ByLinkAlone => {
            return Err(refuse(
                403,
                "Forbidden",
                "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
                Some("ForbiddenByConnection"),
            ));
        }
        Admission::ByRuleAlone => {
            return Err(refuse(
                403,
                "Forbidden",
                "Client address is not authorized and caller is not a trusted service.",
                Some("ForbiddenByFirewall"),
            ));
        }
    }
    let unauthorized = || {
        refuse(
            401,
            "Unauthorized",
            "AKV10000: Request is missing a Bearer or PoP token.",
            None,
        )
    };
    let caller = ask
        .token
        .and_then(|token| bearer(world, token))
        .ok_or_else(unauthorized)?;
    if !ask.query.contains_key("api-version") {
        return Err(refuse(
            400,
            "BadParameter",
            "api-version must be specified",
            None,
        ));
    }
    let parts: Vec<&str> = ask
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let (name, version) = match parts[..] {
        ["secrets", name] => (name, None),
        ["secrets", name, version] => (name, Some(version)),
        _ => return Err(refuse(404, "NotFound", "There is no such resource.", None)),
    };
    let id = vault.id.child("secrets", name);
    if !may_read(world, vault, id.as_str(), &caller) {
        return Err(refuse(
            403,
            "Forbidden",
            "Caller is not authorized to perform action on resource.",
            Some("ForbiddenByRbac"),
        ));
    }
    let uri = |secret: &Resource| {
        secret
            .text("/properties/secretUriWithVersion")
            .unwrap_or_default()
            .to_owned()
    };
    let found = world.get(id.as_str()).filter(|secret| {
        secret.type_name == secrets::NAME
            && version.is_none_or(|version| uri(secret).ends_with(&format!("/{version}")))
    });
    let Some(secret) = found else {
        let message = format!("A secret with (name/id) {name} was not found in this key vault.");
        return Err(refuse(404, "SecretNotFound", &message, None));
    };
    if !secrets::in_force(world, secret) {
        return Err(refuse(
            403,
            "Forbidden",
            "Operation get is not allowed on a disabled secret.",
            Some("SecretDisabled"),
        ));
    }
    let body = json!({ "value": secrets::value(secret), "id": uri(secret), "attributes": secret.at("/properties/attributes") });
    Ok((200, body))
}

/// Who has the token, when it is one for vaults.
fn bearer(world: &World, token: &str) -> Option<String> {
    let claims = auth::valid(world, token)?;
    let audience = claims["aud"].as_str()?.trim_end_matches('/') == AUDIENCE;
    audience.then(|| claims["oid"].as_str().unwrap_or_default().to_owned())
}

fn may_read(world: &World, vault: &Resource, secret: &str, caller: &str) -> bool {
    if vault.at("/properties/enableRbacAuthorization") == Some(&Value::Bool(true)) {
        return has_data_right(world, caller, RIGHT, secret, &[]);
    }
    vault
        .items("/properties/accessPolicies")
        .iter()
        .any(|policy| {
            let his = policy["objectId"]
                .as_str()
                .is_some_and(|id| id.eq_ignore_ascii_case(caller));
            let words = policy["permissions"]["secrets"].as_array();
            his && words.into_iter().flatten().any(|word| {
                let word = word.as_str().unwrap_or_default().to_lowercase();
                word == "get" || word == "all"
            })
        })
}

/// Whether the network lets somebody in (Microsoft Learn, "Configure network security for Azure Key Vault").
enum Admission {
    Open,
    /// Public access is off.
    ByLinkAlone,
    /// The default is to deny, and no rule is about who asks.
    ByRuleAlone,
}

fn admission(world: &World, vault: &Resource, subnets: &[ResourceId]) -> Admission {
    let mut connections = world.list(vault.id.as_str(), connections::NAME);
    let linked = connections.any(|connection| {
        connection.text("/properties/privateLinkServiceConnectionState/status") == Some("Approved")
    });
    if linked {
        return Admission::Open;
    }
    if vault.text("/properties/publicNetworkAccess") == Some("Disabled") {
        return Admission::ByLinkAlone;
    }
    let mut rules = vault
        .items("/properties/networkAcls/virtualNetworkRules")
        .iter();
    let of_rule = rules.any(|rule| {
        let id = rule["id"].as_str().unwrap_or_default();
        let mut subnets = subnets.iter();
        subnets.any(|subnet| subnet.as_str().eq_ignore_ascii_case(id))
    });
    match vault.text("/properties/networkAcls/defaultAction") == Some("Deny") && !of_rule {
        true => Admission::ByRuleAlone,
        false => Admission::Open,
    }
}
