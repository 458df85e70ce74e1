//! Does this cluster pull from this registry privately? Answered from Azure Resource Manager alone:
//! who pulls and whether he may, how the registry's name is resolved where the nodes are, where the
//! address leads, and who else gets in. Each check has its verdict and what shows it.

mod access;
mod endpoints;
mod finding;
mod names;
mod public;
mod schema;
mod way;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::{Path, Value};

use self::endpoints::Endpoint;
use self::finding::{Check, Finding, Verdict, hidden, merged};
use self::names::{Names, Resolution};
use self::way::Nodes;
use crate::arm::{ArmId, Json};
use crate::provider::egress::node_subnets;
use crate::provider::parts::{
    Answer, Composite, Inquiry, Look, Page, Seen, Unanswered, Unread, both, is_of, need,
};
use crate::provider::resources::{self, network};
use crate::provider::zones::{self, Zones};

const CLUSTER: &str = resources::Cluster::ANCHOR;
const REGISTRY: &str = resources::Registry::ANCHOR;
const NETWORK: &str = resources::Network::ANCHOR;

/// `fkaks_image_path`
pub struct ImagePath;

/// What the user wrote.
#[derive(Debug, Deserialize)]
pub struct Input {
    cluster_id: ArmId,
    registry_id: ArmId,
    repositories: Option<BTreeSet<String>>,
    private_dns_zone_id: Option<ArmId>,
}

/// What is answered.
#[derive(Debug, Serialize)]
pub struct Output {
    login_server: String,
    can_pull: Option<bool>,
    privately: Option<bool>,
    findings: Vec<Finding>,
}

impl Inquiry for ImagePath {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_image_path";
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        for (kind, argument) in [(CLUSTER, "cluster_id"), (REGISTRY, "registry_id")] {
            let path = Path::attribute(argument);
            is_of(kind, config.get(argument), path, diagnostics);
        }
        let argument = "private_dns_zone_id";
        zones::of_registries(config.get(argument), Path::attribute(argument), diagnostics);
    }

    fn answer(input: &Input, seen: &Seen) -> Result<Answer<Output>, Unanswered> {
        let cluster = need(seen, &input.cluster_id, "cluster_id");
        let registry = need(seen, &input.registry_id, "registry_id");
        let (cluster, registry) = both(cluster, registry)?;
        let facts = Facts {
            input,
            cluster,
            registry,
            login_server: login_server(&input.registry_id, registry, seen),
        };
        Ok(Answer::of(facts.judge(seen)?))
    }
}

/// What is known from the start.
struct Facts<'a> {
    input: &'a Input,
    cluster: &'a Json,
    registry: &'a Json,
    login_server: String,
}

/// A network with nodes in it.
struct Place<'a> {
    network: ArmId,
    subnets: Vec<ArmId>,
    look: Look<&'a Json>,
}

/// What was found out for one network.
struct Judged {
    findings: Vec<Finding>,
    /// Whether pulls reach the registry by the private endpoint.
    privately: Verdict,
    /// Whether they reach it at all.
    reaches: Verdict,
}

/// Checks that are notes: what they cannot tell leaves the answer as it is.
const NOTES: [Check; 3] = [Check::SecurityGroup, Check::Route, Check::TokenAudience];

impl Facts<'_> {
    fn judge(&self, seen: &Seen) -> Result<Output, Unread> {
        // Everything is asked for before anything is used.
        let access = access::findings(
            &self.input.cluster_id,
            self.cluster,
            &self.input.registry_id,
            self.registry,
            self.input.repositories.as_ref(),
            seen,
        );
        let replicas = self.replicas(seen);
        let endpoints = endpoints::endpoints(self.registry, seen);
        let places = self.places(seen);
        let (replicas, endpoints, places) = (replicas?, endpoints?, places?);
        let (zones, looked_in) = self.zones(&endpoints, &places, seen)?;
        let judged: Vec<_> = places
            .iter()
            .map(|place| self.judge_place(place, replicas, &endpoints, &zones, &looked_in, seen))
            .collect();
        let mut findings = access?;
        let allowed = findings
            .iter()
            .filter(|finding| !NOTES.contains(&finding.check))
            .map(|finding| finding.verdict)
            .min()
            .unwrap_or(Verdict::Unknown);
        let (mut privately, mut reaches) = (Verdict::Ok, Verdict::Ok);
        for place in judged {
            let place = place?;
            privately = privately.min(place.privately);
            reaches = reaches.min(place.reaches);
            findings.extend(place.findings);
        }
        Ok(Output {
            login_server: self.login_server.clone(),
            can_pull: reaches.min(allowed).truth(),
            privately: privately.truth(),
            findings: merged(findings),
        })
    }

    /// The replicas of the registry; none where they may not be listed.
    fn replicas<'s>(&self, seen: &'s Seen) -> Result<Option<&'s [Json]>, Unread> {
        if self.registry["sku"]["name"] != "Premium" {
            return Ok(Some(&[]));
        }
        Ok(match seen.list(&self.input.registry_id, "replications")? {
            Look::Found(replicas) => Some(replicas),
            Look::Absent => Some(&[]),
            Look::Denied(_) => None,
        })
    }

    /// The networks of the nodes. A cluster without a subnet of the user's stands in a network that
    /// AKS made in the group of the nodes.
    fn places<'s>(&self, seen: &'s Seen) -> Result<Vec<Place<'s>>, Unread> {
        let mut networks: BTreeMap<ArmId, Vec<ArmId>> = BTreeMap::new();
        for subnet in node_subnets(self.cluster) {
            if let Some(network) = subnet.parent() {
                networks.entry(network).or_default().push(subnet);
            }
        }
        if networks.is_empty() {
            let nodes = self.cluster["properties"]["nodeResourceGroup"].as_str();
            let subscription = self.input.cluster_id.subscription_id();
            let group = ArmId::group(subscription, nodes.unwrap_or_default());
            let unknown = || group.resource(NETWORK, "*");
            let list = seen.list(&group, &format!("providers/{NETWORK}"))?;
            let place = |network, subnets, look| Place {
                network,
                subnets,
                look,
            };
            let found = match list {
                Look::Denied(error) => {
                    return Ok(vec![place(unknown(), Vec::new(), Look::Denied(error))]);
                }
                Look::Absent => &[],
                Look::Found(found) => found,
            };
            let mut places: Vec<Place<'_>> = found
                .iter()
                .filter_map(|body| {
                    let id = ArmId::parse(body["id"].as_str()?).ok()?;
                    let subnets = network::subnets_within(&id, body).into_iter();
                    let subnets = subnets.map(|(id, _)| id).collect();
                    Some(place(id, subnets, Look::Found(body)))
                })
                .collect();
            if places.is_empty() {
                places.push(place(unknown(), Vec::new(), Look::Absent));
            }
            return Ok(places);
        }
        let looks: Vec<_> = networks
            .into_iter()
            .map(|(network, subnets)| {
                let look = seen.look(&network);
                (network, subnets, look)
            })
            .collect();
        looks
            .into_iter()
            .map(|(network, subnets, look)| {
                Ok(Place {
                    network,
                    subnets,
                    look: look?,
                })
            })
            .collect()
    }

    /// The zones of registries in every subscription that something here is in, and those that the
    /// endpoints' zone groups and the user name.
    fn zones(
        &self,
        endpoints: &[Endpoint],
        places: &[Place<'_>],
        seen: &Seen,
    ) -> Result<(Zones, BTreeSet<String>), Unread> {
        let own = [&self.input.registry_id, &self.input.cluster_id];
        let looked_in: BTreeSet<String> = own
            .into_iter()
            .chain(places.iter().map(|place| &place.network))
            .chain(endpoints.iter().filter_map(|endpoint| endpoint.id.as_ref()))
            .map(ArmId::subscription_id)
            .chain(seen.subscription_id())
            .map(str::to_lowercase)
            .collect();
        let name = names::zone_name(&self.login_server);
        let is_ours = |zone: &ArmId| zone.name().eq_ignore_ascii_case(&name);
        let named = endpoints.iter().flat_map(Endpoint::zones);
        let given: BTreeSet<ArmId> = named
            .chain(self.input.private_dns_zone_id.clone())
            .filter(is_ours)
            .collect();
        let accepts = |zone: &str| zone.eq_ignore_ascii_case(&name);
        let found = zones::find(&looked_in, given, &accepts, seen)?;
        Ok((found, looked_in))
    }

    fn judge_place(
        &self,
        place: &Place<'_>,
        replicas: Option<&[Json]>,
        endpoints: &[Endpoint],
        zones: &Zones,
        looked_in: &BTreeSet<String>,
        seen: &Seen,
    ) -> Result<Judged, Unread> {
        let found = match &place.look {
            Look::Found(found) => *found,
            Look::Denied(_) => return Ok(unseen(&hidden(&place.network))),
            Look::Absent => return Ok(unseen(&format!("{}: it does not exist", place.network))),
        };
        let nodes = Nodes {
            network: &place.network,
            found,
            subnets: place.subnets.clone(),
        };
        let members = names::members(self.registry, replicas.unwrap_or_default());
        let names = Names {
            login_server: &self.login_server,
            members: &members,
        };
        let (asking, dns) = names::askers(&place.network, found, self.cluster);
        let zone_name = names::zone_name(&self.login_server);
        let (link, mut findings) = names::zone(&asking, &zone_name, zones, looked_in);
        let (resolution, mut records) = names::records(link, zones, &names, endpoints, seen)?;
        if replicas.is_none()
            && let Some(data) = records
                .iter_mut()
                .find(|one| one.check == Check::DataRecords)
            && data.verdict == Verdict::Ok
        {
            *data = Finding::unknown(
                Check::DataRecords,
                "In which regions the registry is may not be read.",
            )
            .evidence(data.evidence.clone())
            .evidence([hidden(&self.input.registry_id.child("replications", "*"))]);
        }
        let asks_azure = dns.verdict == Verdict::Ok;
        if !asks_azure && link.is_none() {
            // Those servers may ask others on, from a network that is linked and not seen here.
            for finding in findings.iter_mut().chain(&mut records) {
                finding.verdict = finding.verdict.max(Verdict::Unknown);
            }
        }
        let led_to = led_to(&resolution, endpoints);
        // Without a name that leads there, the way is that to the endpoint which is nearest.
        let nearest = led_to.or_else(|| nearest(&place.network, endpoints));
        let peering = way::peering(&nodes, nearest, seen);
        let groups = way::security_groups(&nodes, nearest, seen);
        let routes = way::routes(&nodes, nearest, seen);
        let (public, open) = public::finding(
            &self.input.cluster_id,
            self.cluster,
            &self.input.registry_id,
            self.registry,
            asks_azure && resolution == Resolution::Public,
            seen,
        )?;
        findings.push(dns);
        findings.extend(records);
        findings.push(endpoints::finding(
            endpoints,
            led_to,
            &self.input.registry_id,
        ));
        findings.extend([peering?, groups?, routes?]);
        let way = findings
            .iter()
            .filter(|one| !(NOTES.contains(&one.check) && one.verdict == Verdict::Unknown))
            .map(|one| one.verdict)
            .min()
            .unwrap_or(Verdict::Unknown);
        let (privately, reaches) = match resolution {
            // What other servers answer is not known, whatever the zone says.
            Resolution::Unknown => either(way, open),
            _ if !asks_azure => either(way, open),
            Resolution::Private(_) => (way, way),
            Resolution::Public => (Verdict::Problem, open),
            Resolution::Nowhere => (Verdict::Problem, Verdict::Problem),
        };
        findings.push(public);
        Ok(Judged {
            findings,
            privately,
            reaches,
        })
    }
}

/// Nobody knows whether the name leads to the endpoint or into public: nothing is certain, but where
/// neither would do.
fn either(way: Verdict, open: Verdict) -> (Verdict, Verdict) {
    let at_best = |verdict: Verdict| verdict.min(Verdict::Unknown);
    (at_best(way), at_best(way.max(open)))
}

/// The endpoint that a private address belongs to.
fn led_to<'e>(resolution: &Resolution, endpoints: &'e [Endpoint]) -> Option<&'e Endpoint> {
    let Resolution::Private(addresses) = resolution else {
        return None;
    };
    endpoints
        .iter()
        .find(|endpoint| addresses.iter().any(|ip| endpoint.has(ip)))
}

/// An approved endpoint in the network, or elsewhere.
fn nearest<'e>(network: &ArmId, endpoints: &'e [Endpoint]) -> Option<&'e Endpoint> {
    let approved = || endpoints.iter().filter(|endpoint| endpoint.is_approved());
    let here = approved().find(|endpoint| endpoint.network().as_ref() == Some(network));
    here.or_else(|| approved().next())
}

/// A network that may not be read leaves open all that depends on it.
fn unseen(why: &str) -> Judged {
    let checks = [
        Check::DnsServers,
        Check::Zone,
        Check::ZoneLink,
        Check::LoginRecord,
        Check::DataRecords,
        Check::Endpoint,
        Check::Peering,
        Check::SecurityGroup,
        Check::Route,
        Check::PublicAccess,
    ];
    let summary = "The nodes' network cannot be looked at.";
    let findings = checks.map(|check| Finding::unknown(check, summary).evidence([why]));
    Judged {
        findings: findings.to_vec(),
        privately: Verdict::Unknown,
        reaches: Verdict::Unknown,
    }
}

fn login_server(id: &ArmId, registry: &Json, seen: &Seen) -> String {
    let found = registry["properties"]["loginServer"].as_str();
    found.map_or_else(
        || {
            format!(
                "{}.{}",
                id.name().to_lowercase(),
                seen.cloud().registry_suffix
            )
        },
        str::to_lowercase,
    )
}

#[cfg(test)]
mod tests;
