//! Which failure is told with which way out.

use super::*;
use crate::arm::AzureError;
use crate::provider::failure::Cause;

fn told(id: ArmId, doing: Doing, status: u16, code: &str) -> Option<String> {
    let error: Error = AzureError {
        status,
        code: Some(code.to_owned()),
        ..AzureError::default()
    }
    .into();
    let failure = Failure {
        doing,
        id,
        argument: "",
        cause: Cause::Azure(error.clone()),
    };
    of(&failure, &error, None)
}

fn group() -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
}

#[test]
fn a_code_counts_only_on_the_type_that_it_is_about() {
    let network = group().resource("Microsoft.Network/virtualNetworks", "hub");
    let peering = network.child("virtualNetworkPeerings", "to-app");
    let code = "VnetAddressSpacesOverlap";
    let found = told(peering, Doing::Creating, 400, code).unwrap_or_default();
    assert!(found.contains("another range"), "{found}");
    assert_eq!(told(network, Doing::Creating, 400, code), None);
}

#[test]
fn a_drain_that_budgets_hold_up_is_let_go_by_name_on_a_pool_and_on_its_cluster() {
    let error: Error = AzureError {
        status: 200,
        operation: true,
        code: Some("UpgradeFailed".to_owned()),
        message: "PDB debug info: shop/web-0 blocked by pdb web with 0 unready pods.".to_owned(),
        ..AzureError::default()
    }
    .into();
    let cluster = group().resource(CLUSTER, "aks");
    for id in [cluster.child("agentPools", "apps"), cluster] {
        let failure = Failure {
            doing: Doing::Changing,
            id,
            argument: "node_pools",
            cause: Cause::Azure(error.clone()),
        };
        let (summary, detail) = failure.text(None);
        assert!(summary.ends_with("its nodes could not be drained"));
        for part in [
            "- the disruption budget shop/web lets the pod shop/web-0 not go",
            "Fix: have the budget allow a disruption",
            "kubectl --namespace shop patch pdb web",
            "--resource-group rg --name aks --command",
            "Azure said:",
        ] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
}

#[test]
fn what_stands_on_something_that_is_not_there_names_it() {
    let registry = group().resource(REGISTRY, "images");
    let token = registry.child("tokens", "pull");
    let plan = ArmId::subscription("00000000-0000-0000-0000-000000000009")
        .resource("Microsoft.Security/pricings", "Containers");
    for (id, code, named) in [
        (&token, "ParentResourceNotFound", registry.to_string()),
        (&token, "ResourceGroupNotFound", group().to_string()),
        (
            &plan,
            "SubscriptionNotFound",
            plan.subscription_id().to_owned(),
        ),
    ] {
        let found = told(id.clone(), Doing::Creating, 404, code).unwrap_or_default();
        assert!(found.contains(&named), "{code}: {found}");
    }
}

#[test]
fn whoever_may_not_assign_policies_is_told_the_role_and_the_scope_that_it_takes() {
    let policy = "Microsoft.Authorization/policyAssignments";
    let corp = "/providers/Microsoft.Management/managementGroups/corp";
    let corp = ArmId::parse(corp).unwrap_or_else(|_| group());
    for scope in [group(), corp] {
        let id = scope.resource(policy, "rules-network");
        let found = told(id, Doing::Creating, 403, "AuthorizationFailed").unwrap_or_default();
        for part in [
            "policyAssignments/write",
            "\"Resource Policy Contributor\"",
            &format!("= \"{scope}\""),
        ] {
            assert!(found.contains(part), "{part}: {found}");
        }
    }
}

#[test]
fn whoever_may_not_read_needs_no_more_than_a_reader() {
    let plan = ArmId::subscription("00000000-0000-0000-0000-000000000001")
        .resource("Microsoft.Security/pricings", "Containers");
    let role = |doing| told(plan.clone(), doing, 403, "AuthorizationFailed").unwrap_or_default();
    assert!(role(Doing::Reading).contains("= \"Reader\""));
    assert!(role(Doing::Changing).contains("= \"Security Admin\""));
}
