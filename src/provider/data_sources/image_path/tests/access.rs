//! Who may pull, and who else gets in.

use serde_json::json;

use super::*;

#[test]
fn a_cluster_without_an_identity_cannot_pull() {
    let output = broken(
        |azure| azure.body(&cluster())["properties"]["identityProfile"] = Json::Null,
        Check::KubeletIdentity,
        Verdict::Problem,
        "no kubelet identity",
    );
    assert_eq!(output.can_pull, Some(false));
    let output = broken(
        |azure| {
            let properties = &mut azure.body(&cluster())["properties"];
            properties["identityProfile"] = Json::Null;
            properties["servicePrincipalProfile"] = json!({"clientId": "app"});
        },
        Check::KubeletIdentity,
        Verdict::Unknown,
        "client id app",
    );
    assert_eq!((output.can_pull, output.privately), (None, Some(true)));
}

#[test]
fn a_missing_role_and_one_of_the_wrong_mode_are_problems_and_a_condition_is_open() {
    let output = broken(
        |azure| azure.list(&registry(), "roleAssignments").clear(),
        Check::Role,
        Verdict::Problem,
        "does not have the role AcrPull",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(false), Some(true))
    );
    let abac = |azure: &mut Azure| {
        azure.body(&registry())["properties"]["roleAssignmentMode"] =
            json!("AbacRepositoryPermissions");
    };
    broken(
        abac,
        Check::Role,
        Verdict::Problem,
        "its AcrPull opens no image",
    );
    let output = broken(
        |azure| {
            abac(azure);
            *azure.list(&registry(), "roleAssignments") = vec![assignment(READER, Some("@x"))];
        },
        Check::Role,
        Verdict::Unknown,
        "condition: @x",
    );
    assert_eq!(output.can_pull, None);
    let output = broken(
        |azure| {
            azure.list(&registry(), "roleAssignments").clear();
            azure.body(&registry())["properties"]["anonymousPullEnabled"] = true.into();
        },
        Check::Role,
        Verdict::Ok,
        "Nobody needs a role",
    );
    assert_eq!(output.can_pull, Some(true));
}

#[test]
fn a_registry_that_refuses_arm_tokens_is_a_note() {
    let output = broken(
        |azure| {
            azure.body(&registry())["properties"]["policies"] =
                json!({"azureADAuthenticationAsArmPolicy": {"status": "disabled"}});
        },
        Check::TokenAudience,
        Verdict::Unknown,
        "refuses tokens",
    );
    assert_eq!(output.can_pull, Some(true));
}

#[test]
fn an_open_registry_is_a_problem_of_its_own_and_leaves_a_private_pull_private() {
    let output = broken(
        |azure| azure.body(&registry())["properties"]["publicNetworkAccess"] = json!("Enabled"),
        Check::PublicAccess,
        Verdict::Problem,
        "Everyone reaches",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(true), Some(true))
    );
}

#[test]
fn a_cluster_that_asks_in_public_gets_in_where_its_addresses_are_allowed() {
    let ip = group("nodes").resource("Microsoft.Network/publicIPAddresses", "out");
    let public = |rule: &'static str| {
        let ip = ip.clone();
        move |azure: &mut Azure| {
            azure.list(&zone(), "virtualNetworkLinks").clear();
            let properties = &mut azure.body(&registry())["properties"];
            properties["publicNetworkAccess"] = json!("Enabled");
            properties["networkRuleSet"] =
                json!({"defaultAction": "Deny", "ipRules": [{"value": rule}]});
            azure.body(&cluster())["properties"]["networkProfile"] = json!({
                "outboundType": "loadBalancer",
                "loadBalancerProfile": {"effectiveOutboundIPs": [{"id": ip}]},
            });
            let body = json!({"properties": {"ipAddress": "203.0.113.7"}});
            azure.objects.insert(ip, Some(body));
        }
    };
    let allowed = broken(
        public("203.0.113.0/24"),
        Check::PublicAccess,
        Verdict::Ok,
        "203.0.113.7/32",
    );
    assert_eq!(
        (allowed.can_pull, allowed.privately),
        (Some(true), Some(false))
    );
    let refused = broken(
        public("198.51.100.0/24"),
        Check::PublicAccess,
        Verdict::Problem,
        "are not allowed there",
    );
    assert_eq!(
        (refused.can_pull, refused.privately),
        (Some(false), Some(false))
    );
}
