//! Microsoft.Network/publicIPPrefixes: a block of public addresses, for NAT gateways and load balancers.

use serde_json::Value;

use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/publicIPPrefixes";

/// The row.
pub const PUBLIC_IP_PREFIXES: Type = Type {
    members: &["sku", "zones", "extendedLocation"],
    properties: &[
        "prefixLength",
        "publicIPAddressVersion",
        "ipTags",
        "ipPrefix",
        "customIPPrefix",
        "natGateway",
        "loadBalancerFrontendIpConfiguration",
        "publicIPAddresses",
    ],
    read_only: &["ipPrefix", "resourceGuid", "publicIPAddresses"],
    check,
    fill,
    ..super::top_level(NAME)
};

const LENGTH: &str = "/properties/prefixLength";

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        let user = super::users(world, &new.id).next();
        return user.map_or(Ok(()), |user| {
            Err(ArmError::bad(
                "InUsePublicIpPrefixCannotBeDeleted",
                format!(
                    "Public IP prefix {} is in use by {} and cannot be deleted.",
                    new.id, user.id
                ),
            ))
        });
    }
    super::check_name(change, 80)?;
    let length = new.at(LENGTH).and_then(Value::as_u64).unwrap_or(28);
    if !(28..=31).contains(&length) {
        return Err(ArmError::bad(
            "PublicIPPrefixLengthInvalid",
            format!("The prefix length {length} is not between 28 and 31."),
        ));
    }
    if change
        .old
        .is_some_and(|old| old.at(LENGTH) != new.at(LENGTH))
    {
        return Err(ArmError::bad(
            "PublicIPPrefixLengthCannotBeChanged",
            format!("The prefix length of {} cannot be changed.", new.id),
        ));
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/sku/name", "Standard");
    new.default("/sku/tier", "Regional");
    new.default("/properties/publicIPAddressVersion", "IPv4");
    new.default(LENGTH, 28);
    let prefix = match old.and_then(|old| old.text("/properties/ipPrefix")) {
        Some(prefix) => prefix.to_owned(),
        // The other half of the benchmarking range that public addresses come from, a /28 each.
        None => {
            let number = world.number();
            let length = new.at(LENGTH).and_then(Value::as_u64).unwrap_or(28);
            format!("198.19.{}.{}/{length}", number / 16 % 256, number % 16 * 16)
        }
    };
    new.set("/properties/ipPrefix", prefix);
    Ok(())
}
