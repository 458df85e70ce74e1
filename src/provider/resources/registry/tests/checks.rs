//! What is refused and warned of, without Azure and with it.

use super::*;

/// The summaries of what validation says, errors before warnings.
fn said(arguments: Json) -> Vec<String> {
    let mut diagnostics = Diagnostics::new();
    let mut given =
        json!({"name": "fkacrprivate", "resource_group_id": group(), "location": "westeurope"});
    given = merge(given, arguments);
    Registry::validate(&value(given), &mut diagnostics);
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.summary)
        .collect()
}

#[test]
fn what_a_lower_tier_does_not_have_is_refused_without_azure_and_all_at_once() {
    assert_eq!(
        said(json!({
            "sku": "Basic", "retention_policy_in_days": 7, "anonymous_pull_enabled": true,
            "georeplications": {"northeurope": {}}
        })),
        [
            "a Basic registry is always public",
            "a Basic registry has no retention_policy_in_days",
            "a Basic registry has no georeplications",
            "a Basic registry has no anonymous pulls",
        ]
    );
    assert!(
        said(json!({"sku": "Standard", "exposure": "public", "anonymous_pull_enabled": true}))
            .is_empty()
    );
    assert!(said(json!({})).is_empty());
}

#[test]
fn mistakes_across_arguments_are_refused_without_azure() {
    assert_eq!(
        said(json!({"exposure": "public", "export_policy_enabled": false})),
        ["exports can be disabled only while the registry is private"]
    );
    assert_eq!(
        said(
            json!({"georeplications": {"West Europe": {}, "north europe": {}, "northeurope": {}}})
        ),
        [
            "\"West Europe\" is the registry's own region",
            "a region has one replica"
        ]
    );
    assert_eq!(
        said(json!({"allowed_ip_ranges": ["203.0.113.7", "203.0.113.7/32"]})),
        ["an address is allowed once"]
    );
    assert_eq!(
        said(json!({"identity": {"type": "UserAssigned"}})),
        ["an identity of the type UserAssigned needs identity_ids"]
    );
    let key = json!({"key_vault_key_id": "https://v.vault.azure.net/keys/k", "identity_client_id": "c", "version_pinned": true});
    assert_eq!(
        said(json!({"customer_managed_key": key})),
        [
            "a customer-managed key needs a user-assigned identity that reads it",
            "there is no version to pin"
        ]
    );
}

#[test]
fn ranges_that_never_reach_a_registry_are_refused_with_the_reason() {
    for (range, reason) in [
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("10.1.0.0/16", "private range"),
        ("2001:db8::/32", "IPv6"),
        ("office", "no address or range"),
    ] {
        let error = validate::ip_range(range).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    for range in ["203.0.113.7", "203.0.113.7/32", "198.51.100.0/24"] {
        assert_eq!(validate::ip_range(range), Ok(()));
    }
}

fn endpoint() -> ArmId {
    group().resource("Microsoft.Network/privateEndpoints", "fk-acr-pe")
}

fn nic() -> ArmId {
    group().resource("Microsoft.Network/networkInterfaces", "fk-acr-pe.nic")
}

fn subnet() -> ArmId {
    let network = group().resource("Microsoft.Network/virtualNetworks", "v");
    network.child("subnets", "pe")
}

fn zone() -> ArmId {
    group().resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.azurecr.io",
    )
}

/// A public registry with an endpoint whose connection has that state, and whose record leads
/// there.
fn linked(state: &str, record: &str) -> Seen {
    let registry = merge(
        found("Premium", "Enabled", "Allow"),
        json!({"properties": {"privateEndpointConnections": [{"name": "pe.1", "properties": {
            "privateEndpoint": {"id": endpoint()},
            "privateLinkServiceConnectionState": {"status": state}
        }}]}}),
    );
    let interface = json!({"properties": {"ipConfigurations": [{"properties": {
        "privateIPAddress": "10.0.0.5",
        "privateLinkConnectionProperties": {
            "groupId": "registry", "requiredMemberName": "registry", "fqdns": ["fkacrprivate.azurecr.io"]
        }
    }}]}});
    let group = json!({"properties": {"privateDnsZoneConfigs": [
        {"name": "acr", "properties": {"privateDnsZoneId": zone()}}
    ]}});
    Seen::of([
        (id(), Some(registry)),
        (
            endpoint(),
            Some(json!({"properties": {
                "networkInterfaces": [{"id": nic()}], "subnet": {"id": subnet()}
            }})),
        ),
        (nic(), Some(interface)),
        (
            subnet(),
            Some(json!({"properties": {
                "addressPrefix": "10.0.0.0/29", "ipConfigurations": [{"id": "a"}, {"id": "b"}]
            }})),
        ),
        (
            zone().child("A", "fkacrprivate"),
            Some(json!({"properties": {"aRecords": [{"ipv4Address": record}]}})),
        ),
    ])
    .with_list(&id(), "replications", Vec::new())
    .with_list(&endpoint(), "privateDnsZoneGroups", vec![group])
}

/// What a plan says that changes the registry from one configuration to another: the summaries,
/// and all details in one text.
fn planned(from: Json, to: Json, seen: &Seen) -> (Vec<String>, String) {
    let with_id = |arguments: Json| value(merge(config(arguments), json!({"id": id()})));
    let (prior, planned) = (with_id(from), with_id(to));
    let diagnostics = check_alone::<Registry>(&planned, Some(&prior), seen).unwrap();
    let (mut summaries, mut details) = (Vec::new(), String::new());
    for diagnostic in diagnostics.iter() {
        let kind = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        summaries.push(format!("{kind}: {}", diagnostic.summary));
        details.push_str(&diagnostic.detail);
    }
    (summaries, details)
}

#[test]
fn a_registry_in_use_is_made_private_only_when_a_private_way_stands() {
    let close = |seen: &Seen, arguments: Json| {
        planned(
            json!({"exposure": "public"}),
            merge(json!({"exposure": "private"}), arguments),
            seen,
        )
    };
    assert_eq!(close(&linked("Approved", "10.0.0.5"), json!({})).0, [""; 0]);

    let refusal = "error: the registry cannot be made private yet: no private way to it stands";
    for (seen, evidence) in [
        (
            seen(found("Premium", "Enabled", "Allow")),
            "it has no private endpoint",
        ),
        (linked("Pending", "10.0.0.5"), "its connection is Pending"),
        (
            linked("Approved", "10.9.9.9"),
            "fkacrprivate.azurecr.io leads to 10.9.9.9, and the endpoint has 10.0.0.5",
        ),
    ] {
        let (summaries, details) = close(&seen, json!({}));
        assert_eq!(summaries, [refusal]);
        assert!(details.contains(evidence), "{details}");
        assert!(details.contains("exposure = \"public\"") && details.contains("take two applies"));
        assert_eq!(close(&seen, json!({"tighten_unverified": true})).0, [""; 0]);
    }
    // Opening and staying need no evidence.
    let open = seen(found("Premium", "Disabled", "Deny"));
    assert_eq!(
        planned(json!({}), json!({"exposure": "public"}), &open).0,
        [""; 0]
    );
    assert_eq!(
        planned(json!({}), json!({"tags": {"a": "b"}}), &open).0,
        [""; 0]
    );
}

#[test]
fn a_registry_in_use_is_put_behind_its_allowlist_only_when_an_address_is_allowed() {
    let open = seen(found("Premium", "Enabled", "Allow"));
    let shut = |ranges: Json| {
        planned(
            json!({"exposure": "public"}),
            json!({"exposure": "allowlist", "allowed_ip_ranges": ranges}),
            &open,
        )
        .0
    };
    let refusal =
        "error: the registry cannot be put behind its allowlist yet: no address is allowed";
    assert_eq!(shut(json!(null)), [refusal]);
    assert_eq!(shut(json!([])), [refusal]);
    assert_eq!(shut(json!(["203.0.113.7"])), [""; 0]);
}

#[test]
fn a_replica_needs_an_address_in_the_subnet_of_every_endpoint() {
    let add = |regions: Json| {
        planned(
            json!({"exposure": "public"}),
            json!({"exposure": "public", "georeplications": regions}),
            &linked("Approved", "10.0.0.5"),
        )
    };
    // A /29 has three usable addresses, and two are taken.
    assert_eq!(add(json!({"northeurope": {}})).0, [""; 0]);
    let (summaries, details) = add(json!({"northeurope": {}, "uksouth": {}}));
    assert_eq!(
        summaries,
        ["error: a subnet has no free address for the new replicas"]
    );
    assert!(
        details.contains(&format!("- {} has 1 free, needs 2", subnet())),
        "{details}"
    );
}

#[test]
fn a_tier_is_not_left_while_endpoints_need_it() {
    let (summaries, details) = planned(
        json!({"exposure": "public"}),
        json!({"exposure": "public", "sku": "Standard"}),
        &linked("Approved", "10.0.0.5"),
    );
    assert_eq!(
        summaries,
        ["error: the registry cannot go from Premium to Standard: it uses what only Premium has"]
    );
    assert!(details.contains(endpoint().as_str()));
    let alone = seen(found("Premium", "Enabled", "Allow"));
    let lower = planned(
        json!({"exposure": "public"}),
        json!({"exposure": "public", "sku": "Standard"}),
        &alone,
    );
    assert_eq!(lower.0, [""; 0]);
}

#[test]
fn what_breaks_pulls_is_warned_of() {
    let closed = seen(found("Premium", "Disabled", "Deny"));
    let warn = |arguments: Json| planned(json!({}), arguments, &closed).0;
    assert_eq!(
        warn(json!({"arm_audience_authentication_enabled": false})),
        ["warning: AKS nodes may lose their pulls"]
    );
    assert_eq!(
        warn(json!({"role_assignment_mode": "AbacRepositoryPermissions"})),
        ["warning: AcrPull, AcrPush and AcrDelete count for nothing in this mode"]
    );
    assert_eq!(
        warn(json!({"trusted_services_enabled": false})),
        ["warning: Defender for Containers cannot scan this registry"]
    );
}
