//! Tenants, subscriptions and their locations: read-only, in the shapes of Microsoft.Resources 2022-12-01.

use serde_json::{Value, json};

use crate::exchange::Answer;
use crate::regions::REGIONS;
use crate::store::World;

/// `GET /tenants`.
#[must_use]
pub fn tenants(world: &World) -> Answer {
    Answer::json(
        200,
        json!({ "value": [{
            "id": format!("/tenants/{}", world.tenant),
            "tenantId": world.tenant,
            "countryCode": "US",
            "displayName": "Sandbox",
            "domains": ["sandbox.onmicrosoft.com"],
            "defaultDomain": "sandbox.onmicrosoft.com",
            "tenantType": "AAD",
            "tenantCategory": "Home",
        }]}),
    )
}

/// `GET /subscriptions`.
#[must_use]
pub fn list(world: &World) -> Answer {
    let values: Vec<Value> = world
        .subscriptions
        .iter()
        .map(|id| subscription(world, id))
        .collect();
    Answer::json(
        200,
        json!({ "value": values, "count": { "type": "Total", "value": values.len() } }),
    )
}

/// `GET /subscriptions/{id}`; the front door has checked that it is known.
#[must_use]
pub fn get(world: &World, id: &str) -> Answer {
    let spelled = world
        .subscriptions
        .iter()
        .find(|known| known.eq_ignore_ascii_case(id));
    Answer::json(200, subscription(world, spelled.map_or(id, String::as_str)))
}

/// `GET /subscriptions/{id}/locations`.
#[must_use]
pub fn locations(id: &str) -> Answer {
    let value: Vec<Value> = REGIONS
        .iter()
        .map(|(name, display, paired)| json!({
            "id": format!("/subscriptions/{id}/locations/{name}"),
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Recommended",
                "geographyGroup": "Sandbox",
                "pairedRegion": [{ "name": paired, "id": format!("/subscriptions/{id}/locations/{paired}") }],
            },
        }))
        .collect();
    Answer::json(200, json!({ "value": value }))
}

fn subscription(world: &World, id: &str) -> Value {
    let number = world
        .subscriptions
        .iter()
        .position(|known| known == id)
        .unwrap_or_default()
        + 1;
    json!({
        "id": format!("/subscriptions/{id}"),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": id,
        "tenantId": world.tenant,
        "displayName": format!("Sandbox {number}"),
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}
