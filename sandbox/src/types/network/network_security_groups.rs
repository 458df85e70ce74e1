//! Microsoft.Network/networkSecurityGroups with the rules of the body and Azure's default rules.

use serde_json::{Value, json};

use super::{inline, security_rules};
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The row.
pub const NETWORK_SECURITY_GROUPS: Type = Type {
    properties: &["flushConnection", "securityRules"],
    read_only: &[
        "defaultSecurityRules",
        "networkInterfaces",
        "subnets",
        "flowLogs",
        "resourceGuid",
    ],
    check,
    fill,
    render,
    ..super::top_level("Microsoft.Network/networkSecurityGroups")
};

/// The default rules as a read-only child type.
pub const DEFAULT_SECURITY_RULES: Type = Type {
    not_found: "NotFound",
    ..Type::computed(
        "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
        super::VERSIONS,
        defaults,
    )
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        let user = super::users(world, &change.new.id).next();
        return user.map_or(Ok(()), |user| Err(ArmError::bad("InUseNetworkSecurityGroupCannotBeDeleted", format!(
            "Network security group {} cannot be deleted because it is in use by the following resources: {}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.", change.new.id, user.id))));
    }
    super::check_name(change, 80)?;
    let rules = inline::read(change.new, &security_rules::SECURITY_RULES)?;
    for rule in &rules {
        security_rules::valid(world, rule)?;
    }
    security_rules::apart(&rules)
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    inline::replace(world, new, &security_rules::SECURITY_RULES)
}

fn render(world: &World, group: &Resource, body: &mut Value) {
    inline::show(world, group, &security_rules::SECURITY_RULES, body);
    body["properties"]["defaultSecurityRules"] = defaults(world, group)
        .into_iter()
        .map(|(_, rule)| rule)
        .collect();
    super::back_references(
        world,
        group,
        body,
        &[
            ("subnets", super::subnets::NAME),
            ("networkInterfaces", "Microsoft.Network/networkInterfaces"),
        ],
    );
}

fn defaults(_: &World, group: &Resource) -> Vec<(String, Value)> {
    [
        ("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
        ("AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
        ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500, "Inbound"),
        ("AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
        ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", "Allow", 65001, "Outbound"),
        ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500, "Outbound"),
    ]
    .into_iter()
    .map(|(name, description, source, destination, access, priority, direction)| {
        let rule = json!({
            "id": group.id.child("defaultSecurityRules", name).as_str(),
            "name": name,
            "type": DEFAULT_SECURITY_RULES.name,
            "properties": {
                "provisioningState": "Succeeded", "description": description, "protocol": "*",
                "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": source, "destinationAddressPrefix": destination,
                "access": access, "priority": priority, "direction": direction,
                "sourcePortRanges": [], "destinationPortRanges": [], "sourceAddressPrefixes": [], "destinationAddressPrefixes": [],
            },
        });
        (name.to_owned(), rule)
    })
    .collect()
}
