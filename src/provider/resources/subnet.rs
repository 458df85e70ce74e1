//! One subnet of someone else's network, with the checks of `fkaks_network`: what stands in the
//! network is read and planned around, never changed. One ARM type, `virtualNetworks/subnets`.

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::{Attribute, Check as Rule, Computed, Kind, Literal, Schema};
use tfplugin_rs::value::{Path, Value};

use super::network::addresses::{self, Others};
use super::network::check::{bullets, tell};
use super::network::schema as shared;
use super::network::subnets::{SUBNET, Subnet as Arguments};
use super::network::{address_lock, subnets_within, users};
use crate::arm::{ArmId, Json};
use crate::network::names;
use crate::network::plan::{self, Place};
use crate::provider::parts::{
    Check, Composite, DRIFT, ID, Ledger, Lock, Look, OBJECTS, Observed, Page, Part, Seen,
    Surroundings, Unread, Wanted, same_id,
};

/// `fkaks_subnet`
pub struct Subnet;

const NETWORK: &str = "Microsoft.Network/virtualNetworks";

/// What the user wrote: a network, and the arguments of a subnet with its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub struct Input {
    virtual_network_id: ArmId,
    name: String,
    subnet: Arguments,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    usable_addresses: Option<u64>,
    free_addresses: Option<u64>,
}

// The arguments of a subnet stand beside the network's id.
impl TryFrom<Json> for Input {
    type Error = serde_json::Error;

    fn try_from(json: Json) -> Result<Self, Self::Error> {
        Ok(Self {
            virtual_network_id: ArmId::deserialize(&json["virtual_network_id"])?,
            name: String::deserialize(&json["name"])?,
            subnet: Arguments::deserialize(json)?,
        })
    }
}

impl From<Input> for Json {
    fn from(input: Input) -> Self {
        let mut json = serde_json::to_value(input.subnet).unwrap_or_default();
        json["virtual_network_id"] = input.virtual_network_id.as_str().into();
        json["name"] = input.name.into();
        json
    }
}

impl Composite for Subnet {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_subnet";
    const ANCHOR: &'static str = SUBNET;
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 30);
    const PARTS: &'static [Part<Input>] = &[Part::new("subnet", subnet)
        .keep(users::keep)
        .locks(one_at_a_time)];
    const EMBEDDED: &'static [&'static str] = &[SUBNET];

    const SCHEMA: Schema = Schema::new(
        "One subnet of a network that someone else manages, with the checks of `fkaks_network`: \
         its purpose, its size, and its place among the subnets that are there.",
        &[
            Attribute::required("name", Kind::String)
                .describe("The name.")
                .checked(&[Rule::Text(names::NETWORK_RESOURCE, names::subnet)])
                .replaces(),
            Attribute::required("virtual_network_id", Kind::String)
                .describe("The network, in any subscription.")
                .checked(&[Rule::Text("the id of a virtual network", |text| {
                    shared::id_of(NETWORK, text)
                })])
                .same_when(same_id)
                .replaces(),
            shared::PURPOSE,
            shared::ADDRESS_PREFIXES,
            shared::PREFIX_LENGTH,
            shared::SERVICE_ENDPOINTS,
            shared::DELEGATIONS,
            shared::POLICIES,
            shared::SECURITY_GROUP,
            shared::ROUTE_TABLE,
            shared::NAT_GATEWAY,
            shared::OUTBOUND,
            Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
            Attribute::computed("usable_addresses", Kind::Integer, Computed::Volatile)
                .describe("The IPv4 addresses that Azure gives out; it keeps five of each prefix."),
            Attribute::computed("free_addresses", Kind::Integer, Computed::Volatile)
                .describe("Those that nobody has."),
            Attribute::computed(
                "objects",
                Kind::Map(&Kind::List(&Kind::String)),
                Computed::Volatile,
            )
            .describe(OBJECTS),
            Attribute::computed(
                "drift",
                Kind::List(&Kind::String),
                Computed::Always(Literal::EmptyList),
            )
            .describe(DRIFT),
        ],
    );

    const PAGE: Page = Page {
        subcategory: "Network",
        permissions: &[
            (
                "Microsoft.Network/virtualNetworks/read",
                "to check its place at plan, and to place it; on the network",
            ),
            (
                "Microsoft.Network/virtualNetworks/subnets/read",
                "to read it",
            ),
            (
                "Microsoft.Network/virtualNetworks/subnets/write",
                "to create and change it",
            ),
            (
                "Microsoft.Network/virtualNetworks/subnets/delete",
                "to delete it",
            ),
            (
                "Microsoft.Network/networkSecurityGroups/join/action",
                "on the security group, for `network_security_group_id`",
            ),
            (
                "Microsoft.Network/routeTables/join/action",
                "on the route table, for `route_table_id`",
            ),
            (
                "Microsoft.Network/natGateways/join/action",
                "on the NAT gateway, for `nat_gateway_id`",
            ),
        ],
        failures: &[
            (
                "the prefix overlaps another subnet, or lies outside the network",
                "The plan says which, and offers a free block to paste.",
            ),
            (
                "the subnet cannot be deleted: something else still depends on it",
                "The message names what uses it. Delete that, or move it to another subnet.",
            ),
            (
                "the network cannot be read, so the subnet cannot be placed",
                "`prefix_length` needs the subnets that are there. Give `address_prefixes`, or the \
                 permission to read the network.",
            ),
        ],
        notes: "A subnet with `prefix_length` is placed when it is made, in the first free block of the \
                network, so that several configurations can share one; its prefixes are known after that, \
                and stay. The purposes are those of [`fkaks_network`](network.md#purposes).\n\n\
                A network that is managed with `azurerm_virtual_network` and inline `subnet` blocks deletes \
                every subnet that is not among them: leave these blocks out there.",
    };

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn embedded(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
        subnets_within(id, body)
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        let found = seen.look(id)?.found();
        let none = Json::Null;
        let (subnet, counts) = match (found, prior) {
            (None, Some(prior)) => (prior.subnet.clone(), None),
            (found, prior) => {
                let found = found.unwrap_or(&none);
                let mut subnet =
                    Arguments::observed(prior.map(|prior| &prior.subnet), id.name(), found);
                subnet.name = Some(id.name().to_owned());
                let prefixes = subnet.address_prefixes.as_deref().unwrap_or_default();
                let counts = addresses::counts(prefixes, found);
                (subnet, Some(counts))
            }
        };
        let input = Input {
            virtual_network_id: prior
                .map(|prior| prior.virtual_network_id.clone())
                .or_else(|| id.parent())
                .unwrap_or_else(|| id.clone()),
            name: prior.map_or_else(|| id.name().to_owned(), |prior| prior.name.clone()),
            subnet,
        };
        Ok(Observed::new(
            input,
            Output {
                usable_addresses: counts.map(|(usable, _)| usable),
                free_addresses: counts.map(|(_, free)| free),
            },
        ))
    }

    fn complete(config: &Value, planned: &mut Value, prior: Option<&Value>, _: &Surroundings) {
        let before = prior.map(|prior| prior.get("address_prefixes"));
        let before = before.and_then(addresses::strings).unwrap_or_default();
        let length = config.get("prefix_length");
        // Where a size was given, the place is found when the subnet is made, and kept after that.
        let kept = (length.is_null()
            || length.as_i64() == addresses::length_of(&before).map(i64::from))
        .then(|| addresses::parsed(&before))
        .filter(|prefixes| !prefixes.is_empty());
        addresses::fill(planned, config, kept.as_deref());
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        planned_id(plan)
            .map(|id| ("id", Value::from(id.as_str())))
            .into_iter()
            .collect()
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        let question = question(config, None, None, Others::new());
        report(&question, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check_place(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.virtual_network_id.child("subnets", &self.name)
    }
}

fn planned_id(plan: &Value) -> Option<ArmId> {
    let network = ArmId::parse(plan.get("virtual_network_id").as_str()?).ok()?;
    Some(network.child("subnets", plan.get("name").as_str()?))
}

fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![address_lock(&input.virtual_network_id)]
}

fn subnet(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let found = seen.look(&id).map(Look::found);
    let before = seen.prior();
    let (prefixes, placed_now) = match &input.subnet.address_prefixes {
        Some(prefixes) => (Ok(prefixes.clone()), false),
        None => (placed(input, seen), true),
    };
    let body = prefixes.and_then(|prefixes| Ok(input.subnet.body(&prefixes, found?, before)));
    let wanted = Wanted::new(id, body)
        .shared(&["/properties"])
        .argument("address_prefixes");
    Ok(vec![if placed_now {
        wanted.decided_under_lock()
    } else {
        wanted
    }])
}

/// A free block of the network for this subnet, around its old place if it has one.
fn placed(input: &Input, seen: &Seen) -> Result<Vec<String>, Unread> {
    let Look::Found(network) = seen.look(&input.virtual_network_id)? else {
        return Ok(Vec::new());
    };
    let facts = Facts::of(&input.virtual_network_id, network, &input.name);
    let size = input.subnet.prefix_length;
    let question = plan::Wanted {
        address_space: Some(facts.space),
        reserved: Some(Vec::new()),
        subnets: [(
            input.name.clone(),
            plan::Subnet {
                name: Some(input.name.clone()),
                purpose: Some(input.subnet.purpose),
                size: size.map_or(plan::Size::Missing, plan::Size::Length),
                previous: addresses::parsed(&facts.own),
                attachments: Default::default(),
            },
        )]
        .into(),
        others: facts.others,
    };
    let prefixes = plan::plan(&question).prefixes.remove(&input.name).flatten();
    let prefixes = prefixes.into_iter().flatten();
    Ok(prefixes.map(|prefix| prefix.to_string()).collect())
}

/// What stands in the network.
struct Facts {
    space: Vec<String>,
    /// The prefixes of the subnet itself.
    own: Vec<String>,
    others: Others,
}

impl Facts {
    fn of(id: &ArmId, network: &Json, name: &str) -> Self {
        let properties = &network["properties"];
        let mut facts = Self {
            space: addresses::texts(&properties["addressSpace"]["addressPrefixes"]),
            own: Vec::new(),
            others: Others::new(),
        };
        for (id, subnet) in subnets_within(id, network) {
            let prefixes = addresses::found_prefixes(&subnet);
            if id.name().eq_ignore_ascii_case(name) {
                facts.own = prefixes;
            } else {
                let prefixes = addresses::parsed(&prefixes);
                facts.others.insert(id.name().to_owned(), prefixes);
            }
        }
        facts
    }
}

/// The question to the planner that this subnet asks, in a network of which perhaps nothing is
/// known.
fn question(
    config: &Value,
    prior: Option<&Value>,
    space: Option<Vec<String>>,
    others: Others,
) -> plan::Wanted {
    let name = config.get("name").as_str().unwrap_or("new");
    let mut subnet = addresses::subnet_question(name, config);
    let before = prior.map(|prior| prior.get("address_prefixes"));
    let before = before.and_then(addresses::strings).unwrap_or_default();
    subnet.previous = addresses::parsed(&before);
    plan::Wanted {
        address_space: space,
        reserved: Some(Vec::new()),
        subnets: [(name.to_owned(), subnet)].into(),
        others,
    }
}

/// Tells what is wrong with the subnet; the network itself is not this resource's business.
fn report(question: &plan::Wanted, diagnostics: &mut Diagnostics) {
    for problem in plan::plan(question).problems {
        if let Place::Subnet { argument, .. } = problem.place {
            tell(&problem, &Path::attribute(argument), diagnostics);
        }
    }
}

fn check_place(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(id) = check.id("virtual_network_id").filter(|id| id.is(NETWORK)) else {
        return Ok(());
    };
    let name = check.planned.get("name").as_str().unwrap_or_default();
    let network = match check.seen.look(&id)? {
        Look::Found(network) => network,
        Look::Absent => return Ok(()),
        Look::Denied(_) => {
            if check.planned.get("address_prefixes").is_unknown() {
                check.error(
                    Path::attribute("prefix_length"),
                    format!("Subnet {name:?} cannot be placed: its network cannot be read"),
                    format!(
                        "- {id}\n\nA size is placed around the subnets that are there.\n\nFix: give \
                         `address_prefixes`, or give the caller the action \
                         `Microsoft.Network/virtualNetworks/read` on the network."
                    ),
                );
            }
            return Ok(());
        }
    };
    let mut facts = Facts::of(&id, network, name);
    // What this one replaces is gone by then.
    let replaced = check
        .replaced
        .iter()
        .flat_map(Ledger::iter)
        .map(|(_, id)| id);
    for former in replaced.chain(&check.prior.and_then(planned_id)) {
        if former.parent() == Some(id.clone()) {
            facts
                .others
                .retain(|name, _| !name.eq_ignore_ascii_case(former.name()));
        }
    }
    let question = question(check.config, check.prior, Some(facts.space), facts.others);
    report(&question, check.diagnostics);
    replaced_in_use(check)
}

/// A replacement deletes the subnet first, unless its users leave with it.
fn replaced_in_use(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(prior) = check.prior else {
        return Ok(());
    };
    let Some(id) = planned_id(prior).filter(|id| planned_id(check.planned).as_ref() != Some(id))
    else {
        return Ok(());
    };
    let Some(found) = check.look(&id)? else {
        return Ok(());
    };
    let users = users::of(found, check.seen)?;
    if !users.is_empty() {
        check.warning(
            Path::attribute("name"),
            format!("Subnet {:?} is to be replaced while it is in use", id.name()),
            format!(
                "- {id}\n{}\nIt is not deleted while anything uses it.\n\nFix: have its users leave in the \
                 same apply, with a new subnet that is made first:\n\n  lifecycle {{\n    \
                 create_before_destroy = true\n  }}",
                bullets(&users)
            ),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
