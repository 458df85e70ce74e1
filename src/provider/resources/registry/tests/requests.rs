//! The requests of a change, and their order.

use super::*;

#[test]
fn a_higher_tier_comes_first_and_a_lower_one_last() {
    let basic = found("Basic", "Enabled", "Allow");
    let up = requests(&input(json!({"data_endpoint_enabled": true})), &basic, None);
    assert_eq!(up[0], json!({"sku": {"name": "Premium"}}));
    assert_eq!(up[1]["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(up[1]["properties"]["dataEndpointEnabled"], true);
    assert_eq!(up.len(), 2);

    let premium = merge(
        found("Premium", "Disabled", "Deny"),
        json!({"properties": {
            "anonymousPullEnabled": true,
            "dataEndpointEnabled": true,
            "networkRuleSet": {"ipRules": [{"action": "Allow", "value": "203.0.113.7"}]},
            "policies": {"exportPolicy": {"status": "disabled"}, "retentionPolicy": {"status": "enabled"}},
        }}),
    );
    let down = requests(
        &input(json!({"sku": "Basic", "exposure": "public"})),
        &premium,
        None,
    );
    assert_eq!(
        down,
        [
            json!({"properties": {
                "anonymousPullEnabled": false,
                "dataEndpointEnabled": false,
                "publicNetworkAccess": "Enabled",
                "networkRuleSet": {"defaultAction": "Allow", "ipRules": []},
                "policies": {
                    "exportPolicy": {"status": "enabled"},
                    "retentionPolicy": {"status": "disabled", "days": 7}
                },
            }}),
            json!({"sku": {"name": "Basic"}}),
        ]
    );
}

#[test]
fn exports_end_and_come_back_together_with_public_access() {
    let open = found("Premium", "Enabled", "Allow");
    let ended = requests(&input(json!({"export_policy_enabled": false})), &open, None);
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(
        ended[0]["properties"]["policies"]["exportPolicy"]["status"],
        "disabled"
    );

    // Already closed, and still both in one request.
    let closed = found("Premium", "Disabled", "Deny");
    let ended = requests(
        &input(json!({"export_policy_enabled": false})),
        &closed,
        None,
    );
    assert_eq!(ended[0]["properties"]["publicNetworkAccess"], "Disabled");

    let ended = merge(
        closed,
        json!({"properties": {"policies": {"exportPolicy": {"status": "disabled"}}}}),
    );
    let back = requests(&input(json!({"exposure": "public"})), &ended, None);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0]["properties"]["publicNetworkAccess"], "Enabled");
    assert_eq!(
        back[0]["properties"]["policies"]["exportPolicy"]["status"],
        "enabled"
    );
}

#[test]
fn a_change_touches_only_what_it_is_about_and_zone_redundancy_never() {
    let closed = found("Premium", "Disabled", "Deny");
    assert_eq!(
        requests(&input(json!({"tags": {"env": "test"}})), &closed, None),
        [json!({"tags": {"env": "test"}})]
    );
    assert_eq!(
        requests(&input(json!({"admin_enabled": true})), &closed, None),
        [json!({"properties": {"adminUserEnabled": true}})]
    );
    assert!(
        !body::of(&input(json!({})), None, None)
            .to_string()
            .contains("zoneRedundancy")
    );
}

#[test]
fn an_identity_is_added_removed_and_taken_off_in_one_patch() {
    let of =
        |name: &str| group().resource("Microsoft.ManagedIdentity/userAssignedIdentities", name);
    let upper = of("old").as_str().to_uppercase();
    let there = merge(
        found("Premium", "Disabled", "Deny"),
        json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {
            upper.clone(): {"principalId": "p", "clientId": "c"}
        }}}),
    );
    let same = input(json!({"identity": {"type": "UserAssigned", "identity_ids": [of("old")]}}));
    assert_eq!(requests(&same, &there, None), [json!("PUT")]);
    let observed = observe::observe(&id(), Some(&same), &seen(there.clone())).unwrap();
    assert_eq!(observed.input.identity, same.identity);

    let other = input(json!({"identity": {"type": "UserAssigned", "identity_ids": [of("new")]}}));
    assert!(
        unassigned_identity(&other, &there)
            .unwrap()
            .contains("/new is not assigned")
    );
    assert_eq!(
        requests(&other, &there, None),
        [
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {
                of("new").as_str(): {}, upper: null
            }}})
        ]
    );
    assert_eq!(
        requests(&input(json!({})), &there, None),
        [json!({"identity": {"type": "None"}})]
    );
}
