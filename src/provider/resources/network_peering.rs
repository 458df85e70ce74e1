//! The peering of two virtual networks: both directions as one, or the local side alone where the
//! other network is someone else's. One ARM type (`virtualNetworkPeerings`, on each network), and one
//! resource, because neither side leads anywhere without the other: when one goes, the other is
//! `Disconnected`, and only making both anew connects them again.

mod check;
mod observe;
mod overlap;
mod schema;
mod standing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

pub use self::observe::{peerings_of, shown};
pub use self::overlap::{Peer, peers_of, space_of};
use self::standing::{disconnected, leads_elsewhere, stale, state_of, triggered};
use super::network::address_lock;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Change, Check, Composite, Evidence, Lock, Look, Observed, Page, Part, Seen, Surroundings,
    Unread, Wanted,
};

/// `fkaks_network_peering`
pub struct NetworkPeering;

const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
const NETWORK: &str = "Microsoft.Network/virtualNetworks";

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    name: String,
    virtual_network_id: ArmId,
    remote_virtual_network_id: ArmId,
    manage: Manage,
    #[serde(flatten)]
    flags: Flags,
    remote: Option<Remote>,
    triggers: Option<BTreeMap<String, String>>,
}

/// Which sides the resource makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Manage {
    /// Both.
    Both,
    /// The one in `virtual_network_id`.
    Local,
}

/// What one side lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Flags {
    allow_virtual_network_access: bool,
    allow_forwarded_traffic: bool,
    allow_gateway_transit: bool,
    use_remote_gateways: bool,
}

/// The side in the remote network.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remote {
    name: Option<String>,
    #[serde(flatten)]
    flags: Flags,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    remote_id: Option<ArmId>,
    peering_state: Option<String>,
    peering_sync_level: Option<String>,
    remote_address_space: Vec<String>,
}

impl Composite for NetworkPeering {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_network_peering";
    const ANCHOR: &'static str = PEERING;
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("local", local).locks(both_networks),
        Part::new("remote", remote)
            .existing(someone_elses_side)
            .leaves(handed_over)
            .locks(both_networks),
        // Neither side tells the truth about itself until the other stands.
        Part::new("connection", |_, _| Ok(Vec::new()))
            .after(&["local", "remote"])
            .until(connected),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn known_by(state: &Value) -> Vec<ArmId> {
        let remote = state.get("remote_id").as_str();
        remote
            .and_then(|id| ArmId::parse(id).ok())
            .into_iter()
            .collect()
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        if let Some(id) = planned_id(plan) {
            known.push(("id", Value::from(id.as_str())));
        }
        match plan.get("manage").as_str() {
            Some("both") => {
                if let Some(id) = planned_remote_id(plan) {
                    known.push(("remote_id", Value::from(id.as_str())));
                }
            }
            Some(_) => known.push(("remote_id", Value::Null)),
            None => {}
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::before_writing(check)
    }
}

impl Default for Flags {
    /// What a side lets through when nothing is said.
    fn default() -> Self {
        Self {
            allow_virtual_network_access: true,
            allow_forwarded_traffic: false,
            allow_gateway_transit: false,
            use_remote_gateways: false,
        }
    }
}

impl Flags {
    /// Those of a peering as Azure has it.
    fn of(peering: &Json) -> Self {
        let on = |name: &str, default: bool| {
            let value = &peering["properties"][name];
            value.as_bool().unwrap_or(default)
        };
        Self {
            allow_virtual_network_access: on("allowVirtualNetworkAccess", true),
            allow_forwarded_traffic: on("allowForwardedTraffic", false),
            allow_gateway_transit: on("allowGatewayTransit", false),
            use_remote_gateways: on("useRemoteGateways", false),
        }
    }
}

impl Input {
    fn id(&self) -> ArmId {
        side(&self.virtual_network_id, &self.name)
    }

    /// The side in the remote network, where it is ours.
    fn remote_id(&self) -> Option<ArmId> {
        let name = self.remote.as_ref().and_then(|remote| remote.name.as_ref());
        let name = name.map_or(self.virtual_network_id.name(), String::as_str);
        (self.manage == Manage::Both).then(|| side(&self.remote_virtual_network_id, name))
    }

    fn remote_flags(&self) -> Flags {
        self.remote
            .as_ref()
            .map(|remote| remote.flags)
            .unwrap_or_default()
    }
}

fn side(network: &ArmId, name: &str) -> ArmId {
    network.child("virtualNetworkPeerings", name)
}

/// The id of a planned peering, where it is known.
fn planned_id(plan: &Value) -> Option<ArmId> {
    let network = ArmId::parse(plan.get("virtual_network_id").as_str()?).ok()?;
    Some(side(&network, plan.get("name").as_str()?))
}

/// The id of its other side, if that is ours. By default it is named by the network that it leads to.
fn planned_remote_id(plan: &Value) -> Option<ArmId> {
    let parsed = |name| ArmId::parse(plan.get(name).as_str()?).ok();
    let remote = parsed("remote_virtual_network_id")?;
    let own = plan.get("remote");
    if own.is_unknown() {
        return None;
    }
    match own.get("name") {
        name if name.is_null() => {
            let network: ArmId = parsed("virtual_network_id")?;
            Some(side(&remote, network.name()))
        }
        name => Some(side(&remote, name.as_str()?)),
    }
}

/// Azure refuses a write in a network while another goes on there, and a peering is a write in both.
fn both_networks(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![
        address_lock(&input.virtual_network_id),
        address_lock(&input.remote_virtual_network_id),
    ]
}

/// Only `manage = "local"` wants no other side; then it is its network's owner's, and stays.
fn handed_over(input: &Input, _: &ArmId) -> bool {
    input.manage == Manage::Local
}

fn someone_elses_side(id: &ArmId) -> Option<String> {
    let network = id.parent()?;
    Some(format!(
        "if the owner of {network} keeps that side, manage the local one alone:\n\n  \
         manage = \"local\"\n\nOr, if both should be managed here, take it over: swap the two networks \
         in the configuration, so that this side is the local one, and import it (with your resource's \
         address):\n\n  import {{\n    to = fkaks_network_peering.example\n    id = \"{id}\"\n  }}"
    ))
}

fn local(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let (own, other) = (input.id(), input.remote_id());
    let network = &input.remote_virtual_network_id;
    let wanted = one_side(
        input,
        seen,
        own,
        other.as_ref(),
        network,
        input.flags,
        false,
    );
    Ok(vec![wanted.argument("virtual_network_id")])
}

fn remote(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let Some(own) = input.remote_id() else {
        return Ok(Vec::new());
    };
    let (other, network) = (input.id(), &input.virtual_network_id);
    let flags = input.remote_flags();
    let wanted = one_side(input, seen, own, Some(&other), network, flags, true);
    Ok(vec![wanted.argument("remote_virtual_network_id")])
}

/// One side, with what must go before it can stand.
fn one_side(
    input: &Input,
    seen: &Seen,
    id: ArmId,
    other: Option<&ArmId>,
    leads_to: &ArmId,
    flags: Flags,
    is_remote: bool,
) -> Wanted {
    // Asked for at the same time.
    let own = seen.look(&id).map(Look::found);
    let far = other.map_or(Ok(None), |other| seen.look(other).map(Look::found));
    let renamed = renamed(input, seen);
    let order = in_turn(input, seen, is_remote);
    let facts = [
        own.map(drop),
        far.map(drop),
        renamed.clone().map(drop),
        order,
    ];
    let body = facts.into_iter().collect::<Result<(), Unread>>().map(|()| {
        json!({
            "properties": {
                "remoteVirtualNetwork": {"id": leads_to},
                "allowVirtualNetworkAccess": flags.allow_virtual_network_access,
                "allowForwardedTraffic": flags.allow_forwarded_traffic,
                "allowGatewayTransit": flags.allow_gateway_transit,
                "useRemoteGateways": flags.use_remote_gateways,
            }
        })
    });
    let own = own.ok().flatten();
    let former = renamed.ok().flatten();
    let remake = own.and_then(|found| {
        disconnected(input, &id, found)
            .or_else(|| leads_elsewhere(&id, found, leads_to))
            .or_else(|| {
                let former = former.as_ref()?;
                Some(format!(
                    "peering {}: its other side {former} is renamed",
                    id.name()
                ))
            })
    });
    // A side cannot be made while the other is disconnected, and making one anew disconnects the other.
    let lost = far.ok().flatten().is_some_and(|found| {
        remake.is_some() || former.is_some() || state_of(found) == "Disconnected"
    });
    let first: Vec<ArmId> = former
        .into_iter()
        .chain(other.filter(|_| lost).cloned())
        .collect();
    let rewrite = own.and_then(|found| stale(&id, found).or_else(|| triggered(input, seen, &id)));
    Wanted::new(id, body)
        .remake(remake)
        .rewrite(rewrite)
        .instead_of(first)
        .changed_by(in_sync)
}

/// Every change takes over the other network's address space of now, as a sync does.
fn in_sync(_: &crate::provider::parts::Gap<'_>) -> Vec<Change> {
    let sync = ("syncRemoteAddressSpace".to_owned(), "true".to_owned());
    vec![Change::Put(vec![sync])]
}

/// The two sides are written one after the other: a network can use the other's gateways only while
/// the other allows it.
fn in_turn(input: &Input, seen: &Seen, is_remote: bool) -> Result<(), Unread> {
    let Some(remote) = input.remote_id() else {
        return Ok(());
    };
    let local = input.id();
    let (own, far) = (seen.look(&local), seen.look(&remote));
    let (own, far) = (own?.found(), far?.found());
    let stops = far.is_some_and(|found| {
        Flags::of(found).use_remote_gateways && !input.remote_flags().use_remote_gateways
    });
    // What is not ours is refused before ours connects to it.
    let foreign = |found: Option<&Json>, id| found.is_some() && !seen.owns(id);
    let uses = input.flags.use_remote_gateways || stops;
    let remote_first = !foreign(own, &local) && (uses || foreign(far, &remote));
    match (is_remote, remote_first) {
        (false, true) => seen.after("remote"),
        (true, false) => seen.after("local"),
        _ => Ok(()),
    }
}

/// The other side under its name before this change, while it stands: it gives way to the new one.
fn renamed(input: &Input, seen: &Seen) -> Result<Option<ArmId>, Unread> {
    let former = seen.prior().and_then(|prior| prior["remote_id"].as_str());
    let former = former.and_then(|id| ArmId::parse(id).ok());
    match (former, input.remote_id()) {
        (Some(former), Some(remote)) if former != remote => {
            Ok(seen.look(&former)?.found().map(|_| former))
        }
        _ => Ok(None),
    }
}

/// Both sides show that they are connected and in sync; the local one alone may wait for the other.
fn connected(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let sides: Vec<(ArmId, Result<Look<&Json>, Unread>)> = [Some(input.id()), input.remote_id()]
        .into_iter()
        .flatten()
        .map(|id| {
            let look = seen.look(&id);
            (id, look)
        })
        .collect();
    for (id, look) in sides {
        let why = match look? {
            Look::Denied(_) => None,
            Look::Absent => Some(format!("peering {} does not show yet", id.name())),
            Look::Found(found) => disconnected(input, &id, found)
                .or_else(|| stale(&id, found))
                .or_else(|| {
                    let state = state_of(found);
                    let waits = input.manage == Manage::Both && state != "Connected";
                    waits.then(|| format!("peering {} is {state}, not yet Connected", id.name()))
                }),
        };
        if let Some(why) = why {
            return Ok(Evidence::Waiting(why));
        }
    }
    Ok(Evidence::Done)
}

#[cfg(test)]
mod tests;
