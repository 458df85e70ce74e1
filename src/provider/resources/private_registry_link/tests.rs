#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app";

fn group() -> ArmId {
    ArmId::parse(GROUP).unwrap()
}

fn input() -> Input {
    serde_json::from_value(json!({
        "name": "fk-acr-pe",
        "resource_group_id": GROUP,
        "registry_id": format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrprivate"),
        "subnet_id": format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/pe"),
        "dns": {
            "virtual_network_ids": {
                "aks": format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/v")
            },
            "records": "zone_group",
            "zone_group_name": "default",
            "resolution_policy": "Default"
        }
    }))
    .unwrap()
}

fn nic() -> ArmId {
    group().resource("Microsoft.Network/networkInterfaces", "fk-acr-pe.nic")
}

fn endpoint_json(state: &str) -> Json {
    json!({
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "subnet": {"id": input().subnet_id},
            "networkInterfaces": [{"id": nic()}],
            "privateLinkServiceConnections": [{
                "name": "theirs",
                "properties": {
                    "privateLinkServiceId": input().registry_id,
                    "groupIds": ["registry"],
                    "privateLinkServiceConnectionState": {"status": state}
                }
            }]
        }
    })
}

fn nic_json() -> Json {
    let configuration = |member: &str, ip: &str, fqdn: &str| {
        json!({"properties": {
            "privateIPAddress": ip,
            "privateLinkConnectionProperties": {
                "groupId": "registry", "requiredMemberName": member, "fqdns": [fqdn]
            }
        }})
    };
    // The data endpoint comes first, as Azure may have it.
    json!({"properties": {"ipConfigurations": [
        configuration("registry_data_westeurope", "10.10.20.4", "fkacrprivate.westeurope.data.azurecr.io"),
        configuration("registry", "10.10.20.5", "fkacrprivate.azurecr.io"),
    ]}})
}

fn zone_json() -> ArmId {
    group().resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.azurecr.io",
    )
}

fn record(ip: &str) -> Json {
    json!({"properties": {"aRecords": [{"ipv4Address": ip}], "metadata": {
        "creator": "created by private endpoint fk-acr-pe with resource guid 1"
    }}})
}

fn standing() -> Vec<(ArmId, Option<Json>)> {
    let zone = zone_json();
    vec![
        (input().id(), Some(endpoint_json("Approved"))),
        (nic(), Some(nic_json())),
        (zone.clone(), Some(json!({"location": "global"}))),
        (zone.child("A", "fkacrprivate"), Some(record("10.10.20.5"))),
        (
            zone.child("A", "fkacrprivate.westeurope.data"),
            Some(record("10.10.20.4")),
        ),
        (input().zone_group_id(), Some(json!({"name": "default"}))),
    ]
}

fn standing_but(id: &ArmId, json: Option<Json>) -> Seen {
    let mut objects = standing();
    objects.retain(|(other, _)| other != id);
    objects.push((id.clone(), json));
    Seen::of(objects)
}

#[test]
fn addresses_go_by_member_and_never_by_position() {
    let id = input().id();
    let mut prior = input();
    prior.location = Some("West Europe".into());
    let observed = observe::observe(&id, Some(&prior), &Seen::of(standing())).unwrap();
    let endpoints = observed.output.endpoints;
    assert_eq!(endpoints["fkacrprivate.azurecr.io"].ip, "10.10.20.5");
    assert_eq!(endpoints["fkacrprivate.azurecr.io"].region, None);
    let data = &endpoints["fkacrprivate.westeurope.data.azurecr.io"];
    assert_eq!(
        (data.ip.as_str(), data.region.as_deref()),
        ("10.10.20.4", Some("westeurope"))
    );
    assert_eq!(
        data.record_id.as_ref().unwrap().name(),
        "fkacrprivate.westeurope.data"
    );
    assert_eq!(observed.input.location.as_deref(), Some("West Europe"));
}

#[test]
fn a_connection_of_anothers_making_keeps_its_name() {
    let seen = Seen::of(standing());
    let wanted = endpoint(&input(), &seen.with_location()).unwrap().remove(0);
    let body = wanted.body.unwrap();
    assert_eq!(
        body["properties"]["privateLinkServiceConnections"][0]["name"],
        "theirs"
    );
    assert_eq!(wanted.remake, None);
}

#[test]
fn a_disconnected_endpoint_is_made_anew_and_a_rejected_one_is_not() {
    for (state, remade) in [
        ("Disconnected", true),
        ("Rejected", false),
        ("Pending", false),
    ] {
        let seen = standing_but(&input().id(), Some(endpoint_json(state))).with_location();
        let wanted = endpoint(&input(), &seen).unwrap().remove(0);
        assert_eq!(wanted.remake.is_some(), remade, "{state}");
    }
}

#[test]
fn an_overwritten_or_missing_record_is_a_disagreement_with_its_reason() {
    assert_eq!(disagreement(&input(), &Seen::of(standing())).unwrap(), None);
    let id = zone_json().child("A", "fkacrprivate");
    let seen = standing_but(&id, Some(record("10.9.9.9")));
    assert_eq!(
        disagreement(&input(), &seen).unwrap().unwrap(),
        "A record fkacrprivate in privatelink.azurecr.io leads to 10.9.9.9, and the endpoint has 10.10.20.5"
    );
    let seen = standing_but(&id, None);
    assert!(
        disagreement(&input(), &seen)
            .unwrap()
            .unwrap()
            .contains("is missing")
    );
}

#[test]
fn the_record_of_another_living_endpoint_is_not_taken_back() {
    let id = zone_json().child("A", "fkacrprivate");
    let other = group().resource("Microsoft.Network/privateEndpoints", "other-pe");
    let mut theirs = record("10.9.9.9");
    theirs["properties"]["metadata"]["creator"] =
        json!("created by private endpoint other-pe with resource guid 2");
    let mut objects = standing();
    objects.retain(|(known, _)| *known != id);
    objects.push((id, Some(theirs)));
    let registry = |state: &str| {
        json!({"properties": {"privateEndpointConnections": [{"properties": {
            "privateEndpoint": {"id": other},
            "privateLinkServiceConnectionState": {"status": state}
        }}]}})
    };
    let with = |state: &str| {
        let mut objects = objects.clone();
        objects.push((input().registry_id, Some(registry(state))));
        Seen::of(objects)
    };
    assert_eq!(disagreement(&input(), &with("Approved")).unwrap(), None);
    let observed = observe::observe(&input().id(), Some(&input()), &with("Approved")).unwrap();
    let record = zone_json().child("A", "fkacrprivate");
    assert_eq!(
        observed.released,
        [record],
        "so that no destroy takes it along"
    );
    assert!(
        disagreement(&input(), &with("Disconnected"))
            .unwrap()
            .is_some()
    );
}

#[test]
fn records_of_a_changed_zone_are_written_before_any_link_moves() {
    let former = ArmId::group("00000000-0000-0000-0000-000000000001", "hub").resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.azurecr.io",
    );
    let seen = Seen::of(standing()).with_prior(json!({"zone_id": former}));
    assert_eq!(zone_links(&input(), &seen).unwrap_err(), Unread);
    assert_eq!(records(&input(), &seen).unwrap_err(), Unread);
    assert_eq!(bridge(&input(), &seen).unwrap().len(), 2);
    let seen = Seen::of(standing())
        .with_prior(json!({"zone_id": former}))
        .with_finished("bridge");
    let links = zone_links(&input(), &seen).unwrap();
    assert_eq!(
        links[0].instead_of,
        [former.child("virtualNetworkLinks", "fk-acr-pe-aks")]
    );
}

impl Seen {
    /// The network's region, which the endpoint takes by default.
    fn with_location(mut self) -> Self {
        let network = input().subnet_id.parent().unwrap();
        self.insert(&network, json!({"location": "westeurope"}));
        self
    }
}
