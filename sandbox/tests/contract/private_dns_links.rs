//! Links of private zones to virtual networks, over sockets: their life, and the conflicts that Azure knows.

use crate::support::{Arm, NETWORK, RESOURCES, SUB, group, id};
use serde_json::{Value, json};

const DNS: &str = "2024-06-01";
const NAME: &str = "privatelink.azurecr.io";

fn zone() -> String {
    id(&format!("Microsoft.Network/privateDnsZones/{NAME}"))
}

fn other_zone(group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/{name}"
    )
}

fn link(zone: &str, name: &str) -> String {
    format!("{zone}/virtualNetworkLinks/{name}")
}

fn network(name: &str) -> String {
    id(&format!("Microsoft.Network/virtualNetworks/{name}"))
}

fn to(network: &str, registration: bool) -> Value {
    json!({ "location": "Global", "properties": { "virtualNetwork": { "id": network }, "registrationEnabled": registration } })
}

async fn with_zone() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(&zone(), DNS, json!({ "location": "global" }))
        .await;
    arm
}

async fn with_networks(names: &[&str]) -> Arm {
    let arm = with_zone().await;
    for (at, name) in names.iter().enumerate() {
        let body = json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": [format!("10.{at}.0.0/16")] } } });
        arm.create(&network(name), NETWORK, body).await;
    }
    arm
}

#[tokio::test]
async fn a_link_is_made_shown_counted_and_keeps_its_zone_from_deletion() {
    let arm = with_networks(&["net"]).await;
    let id = link(&zone(), "aks");
    let reply = arm
        .put(&id, DNS, to(&network("net"), false))
        .await
        .expect(202);
    let running = arm.get(&id, DNS).await.expect(200).body;
    assert_eq!(
        running["properties"]["virtualNetworkLinkState"],
        "InProgress"
    );
    arm.finish(&reply).await.expect(200);
    let made = arm.get(&id, DNS).await.expect(200).body;
    assert_eq!(made["location"], "global");
    assert_eq!(
        made["properties"],
        json!({
            "virtualNetwork": { "id": network("net") }, "registrationEnabled": false, "resolutionPolicy": "Default",
            "virtualNetworkLinkState": "Completed", "provisioningState": "Succeeded",
        })
    );
    assert!(made["networkGuid"].is_null());
    assert_eq!(
        arm.get(&zone(), DNS).await.body["properties"]["numberOfVirtualNetworkLinks"],
        1
    );
    let refused = arm
        .delete(&zone(), DNS)
        .await
        .refused(409, "CannotDeleteResource");
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("nested resources") && message.contains("virtualNetworkLinks/aks"),
        "{message}"
    );
    let patched = arm
        .patch(
            &id,
            DNS,
            json!({ "properties": { "resolutionPolicy": "NxDomainRedirect" } }),
        )
        .await
        .expect(202);
    arm.finish(&patched).await.expect(200);
    let policy = &arm.get(&id, DNS).await.body["properties"]["resolutionPolicy"];
    assert_eq!(policy, "NxDomainRedirect");
    arm.remove(&id, DNS).await;
    arm.delete(&id, DNS).await.expect(204);
    arm.remove(&zone(), DNS).await;
}

#[tokio::test]
async fn links_need_a_network_that_exists_and_settings_that_fit_the_zone() {
    let arm = with_networks(&["net", "other"]).await;
    let id = link(&zone(), "aks");
    let missing = arm
        .put(&id, DNS, to(&network("nowhere"), false))
        .await
        .refused(400, "BadRequest");
    assert_eq!(
        missing.body["error"]["message"],
        format!(
            "Virtual network resource not found for '{}'",
            network("nowhere")
        )
    );
    arm.put(&id, DNS, to(&zone(), false))
        .await
        .refused(400, "BadRequest");
    let without = json!({ "location": "global", "properties": { "virtualNetwork": { "id": network("net") } } });
    arm.put(&id, DNS, without).await.refused(400, "BadRequest");
    let plain = other_zone("rg", "corp.example");
    arm.create(&plain, DNS, json!({ "location": "global" }))
        .await;
    let mut redirect = to(&network("net"), false);
    redirect["properties"]["resolutionPolicy"] = json!("NxDomainRedirect");
    arm.put(&link(&plain, "aks"), DNS, redirect.clone())
        .await
        .refused(400, "BadRequest");
    redirect["properties"]["resolutionPolicy"] = json!("Sometimes");
    arm.put(&id, DNS, redirect).await.refused(400, "BadRequest");
    let made = arm
        .create(&link(&plain, "aks"), DNS, to(&network("net"), true))
        .await;
    assert!(made["properties"]["resolutionPolicy"].is_null(), "{made}");
    arm.put(&link(&plain, "aks"), DNS, to(&network("other"), true))
        .await
        .refused(400, "BadRequest");
}

#[tokio::test]
async fn a_network_links_to_one_zone_of_a_name_and_registers_in_one() {
    let arm = with_networks(&["net"]).await;
    arm.put(
        &group().replace("/rg", "/hub"),
        RESOURCES,
        json!({ "location": "westeurope" }),
    )
    .await
    .expect(201);
    let hub = other_zone("hub", NAME);
    let corp = other_zone("rg", "corp.example");
    let lab = other_zone("rg", "lab.example");
    for zone in [&hub, &corp, &lab] {
        arm.create(zone, DNS, json!({ "location": "global" })).await;
    }
    arm.create(&link(&zone(), "first"), DNS, to(&network("net"), false))
        .await;
    let refusal = async |id: &str, registration: bool| {
        let reply = arm
            .put(
                id,
                DNS,
                to(
                    &network("net")
                        .to_uppercase()
                        .replace("/SUBSCRIPTIONS", "/subscriptions"),
                    registration,
                ),
            )
            .await
            .expect(202);
        let end = arm.finish(&reply).await;
        arm.get(id, DNS).await.refused(404, "ResourceNotFound");
        end
    };
    let same = refusal(&link(&zone(), "second"), false)
        .await
        .refused(409, "Conflict");
    assert!(
        same.body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with(&format!(
                "Private zone '{NAME}' is already linked to the virtual network"
            )),
        "{}",
        same.body
    );
    let overlapping = refusal(&link(&hub, "aks"), false)
        .await
        .refused(400, "BadRequest");
    assert!(
        overlapping.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("multiple zones with overlapping namespaces"),
        "{}",
        overlapping.body
    );
    arm.create(&link(&corp, "aks"), DNS, to(&network("net"), true))
        .await;
    refusal(&link(&lab, "aks"), true)
        .await
        .refused(400, "BadRequest");
    arm.create(&link(&lab, "aks"), DNS, to(&network("net"), false))
        .await;
    // Once the first link is gone the hub's zone can be linked.
    arm.remove(&link(&zone(), "first"), DNS).await;
    arm.create(&link(&hub, "aks"), DNS, to(&network("net"), false))
        .await;
}

#[tokio::test]
async fn a_link_of_a_network_that_was_made_again_is_in_the_way() {
    let arm = with_networks(&["net"]).await;
    let hub = other_zone("rg", "privatelink.blob.core.windows.net");
    arm.create(&hub, DNS, json!({ "location": "global" })).await;
    arm.create(&link(&zone(), "stale"), DNS, to(&network("net"), false))
        .await;
    arm.remove(&network("net"), NETWORK).await;
    arm.get(&link(&zone(), "stale"), DNS).await.expect(200);
    let body = json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } });
    arm.create(&network("net"), NETWORK, body).await;
    let reply = arm
        .put(&link(&hub, "aks"), DNS, to(&network("net"), false))
        .await
        .expect(202);
    let end = arm.finish(&reply).await.refused(409, "Conflict");
    assert!(
        end.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("already in use"),
        "{}",
        end.body
    );
    arm.remove(&link(&zone(), "stale"), DNS).await;
    arm.create(&link(&hub, "aks"), DNS, to(&network("net"), false))
        .await;
}

#[tokio::test]
async fn a_group_goes_with_its_zones_links_and_records() {
    let arm = with_networks(&["net"]).await;
    arm.create(&link(&zone(), "aks"), DNS, to(&network("net"), false))
        .await;
    arm.put(
        &format!("{}/A/x", zone()),
        DNS,
        json!({ "properties": { "ttl": 1 } }),
    )
    .await
    .expect(201);
    arm.remove(&group(), RESOURCES).await;
    assert_eq!(arm.stored(), [""; 0]);
}
