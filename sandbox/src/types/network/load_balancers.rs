//! Microsoft.Network/loadBalancers, as clusters make them in their node resource group. Clients read them.

use crate::table::Type;

/// The type's name.
pub const NAME: &str = "Microsoft.Network/loadBalancers";

/// The row. Nothing in scope makes a load balancer of its own, so PUT and DELETE answer 405.
pub const LOAD_BALANCERS: Type = Type {
    writable: false,
    fill: |world, new, old| super::resource_guid(world, new, old),
    ..super::top_level(NAME)
};
