#![allow(clippy::unwrap_used)]

mod access;
mod names;
mod way;

use serde_json::json;

use super::*;
use crate::provider::zones::ZONE;

const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";
const ZONE_NAME: &str = "privatelink.azurecr.io";

fn group(name: &str) -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", name)
}

fn cluster() -> ArmId {
    group("rg").resource(CLUSTER, "aks")
}

fn registry() -> ArmId {
    group("rg").resource(REGISTRY, "images")
}

fn network_of(name: &str) -> ArmId {
    group("rg").resource(NETWORK, name)
}

fn nodes() -> ArmId {
    network_of("vnet").child("subnets", "nodes")
}

fn endpoint(name: &str) -> ArmId {
    group("rg").resource("Microsoft.Network/privateEndpoints", name)
}

fn interface(name: &str) -> ArmId {
    group("rg").resource("Microsoft.Network/networkInterfaces", name)
}

fn zone() -> ArmId {
    group("rg").resource(ZONE, ZONE_NAME)
}

fn record(name: &str) -> ArmId {
    zone().child("A", name)
}

fn link_to(network: &ArmId) -> Json {
    json!({"id": zone().child("virtualNetworkLinks", network.name()), "properties": {
        "virtualNetwork": {"id": network}, "virtualNetworkLinkState": "Completed",
    }})
}

fn leads(ip: &str) -> Json {
    json!({"properties": {"aRecords": [{"ipv4Address": ip}]}})
}

fn assignment(role: &str, condition: Option<&str>) -> Json {
    json!({
        "id": registry().resource("Microsoft.Authorization/roleAssignments", "a"),
        "properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": "kubelet", "condition": condition,
        },
    })
}

/// Azure, as objects and lists by id, so that a test can break one thing.
struct Azure {
    objects: BTreeMap<ArmId, Option<Json>>,
    lists: BTreeMap<(ArmId, String), Vec<Json>>,
    denied: Vec<ArmId>,
    denied_lists: Vec<(ArmId, String)>,
}

impl Azure {
    /// Everything is right: the endpoint stands in the nodes' network, and the registry has a
    /// replica.
    fn right() -> Self {
        let member = |name: &str, ip: &str| {
            json!({"properties": {
                "privateIPAddress": ip,
                "privateLinkConnectionProperties": {"requiredMemberName": name, "fqdns": []},
            }})
        };
        let subnet = |id: &ArmId| json!({"id": id, "name": id.name(), "properties": {}});
        let place = network_of("vnet").child("subnets", "endpoints");
        let objects = BTreeMap::from([
            (
                cluster(),
                Some(json!({"properties": {
                    "nodeResourceGroup": "nodes",
                    "identityProfile": {"kubeletidentity": {"objectId": "kubelet", "clientId": "c"}},
                    "agentPoolProfiles": [{"name": "system", "vnetSubnetID": nodes()}],
                    "networkProfile": {"outboundType": "userDefinedRouting"},
                }})),
            ),
            (
                registry(),
                Some(json!({
                    "location": "westeurope", "sku": {"name": "Premium"},
                    "properties": {
                        "loginServer": "images.azurecr.io", "publicNetworkAccess": "Disabled",
                        "privateEndpointConnections": [{"name": "c", "properties": {
                            "privateEndpoint": {"id": endpoint("pe")},
                            "privateLinkServiceConnectionState": {"status": "Approved"},
                        }}],
                    },
                })),
            ),
            (
                network_of("vnet"),
                Some(json!({"id": network_of("vnet"), "properties": {
                    "addressSpace": {"addressPrefixes": ["10.10.0.0/16"]},
                    "subnets": [subnet(&nodes()), subnet(&place)],
                }})),
            ),
            (nodes(), Some(subnet(&nodes()))),
            (place.clone(), Some(subnet(&place))),
            (
                endpoint("pe"),
                Some(json!({"properties": {
                    "subnet": {"id": place}, "networkInterfaces": [{"id": interface("nic")}],
                }})),
            ),
            (
                interface("nic"),
                Some(json!({"properties": {"ipConfigurations": [
                    member("registry", "10.10.20.4"), member("registry_data_westeurope", "10.10.20.5"),
                    member("registry_data_northeurope", "10.10.20.6"),
                ]}})),
            ),
            (record("images"), Some(leads("10.10.20.4"))),
            (record("images.westeurope.data"), Some(leads("10.10.20.5"))),
            (record("images.northeurope.data"), Some(leads("10.10.20.6"))),
        ]);
        let subscription = ArmId::subscription(cluster().subscription_id());
        let question = "providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20%27kubelet%27";
        let lists = BTreeMap::from([
            (
                (registry(), "replications".to_owned()),
                vec![
                    json!({"location": "westeurope"}),
                    json!({"location": "northeurope"}),
                ],
            ),
            (
                (registry(), question.to_owned()),
                vec![assignment(PULL, None)],
            ),
            (
                (endpoint("pe"), "privateDnsZoneGroups".to_owned()),
                Vec::new(),
            ),
            (
                (subscription, format!("providers/{ZONE}")),
                vec![json!({"id": zone()})],
            ),
            (
                (zone(), "virtualNetworkLinks".to_owned()),
                vec![link_to(&network_of("vnet"))],
            ),
        ]);
        Self {
            objects,
            lists,
            denied: Vec::new(),
            denied_lists: Vec::new(),
        }
    }

    fn body(&mut self, id: &ArmId) -> &mut Json {
        self.objects.get_mut(id).unwrap().as_mut().unwrap()
    }

    fn list(&mut self, parent: &ArmId, part: &str) -> &mut Vec<Json> {
        let mut lists = self.lists.iter_mut();
        let found = lists.find(|((id, name), _)| id == parent && name.contains(part));
        found.unwrap().1
    }

    fn ask(&self) -> Output {
        let mut seen = Seen::of(self.objects.clone());
        for ((parent, child), items) in &self.lists {
            seen = seen.with_list(parent, child, items.clone());
        }
        for id in &self.denied {
            seen.deny(id);
        }
        for (parent, child) in &self.denied_lists {
            seen.deny_list(parent, child);
        }
        let input = Input {
            cluster_id: cluster(),
            registry_id: registry(),
            repositories: None,
            private_dns_zone_id: None,
        };
        loop {
            match ImagePath::answer(&input, &seen) {
                Ok(answer) => return answer.output,
                Err(Unanswered::Failed(failures)) => panic!("{failures:?}"),
                // What a test does not name is not there.
                Err(Unanswered::Unread) => seen.leave_out_what_is_missing(),
            }
        }
    }
}

fn finding(output: &Output, check: Check) -> &Finding {
    output
        .findings
        .iter()
        .find(|one| one.check == check)
        .unwrap()
}

/// Breaks one thing, and expects one check to say so in these words.
fn broken(change: impl FnOnce(&mut Azure), check: Check, verdict: Verdict, words: &str) -> Output {
    let mut azure = Azure::right();
    change(&mut azure);
    let output = azure.ask();
    let found = finding(&output, check);
    assert_eq!(found.verdict, verdict, "{output:#?}");
    let text = format!("{} {}", found.summary, found.evidence.join(" "));
    assert!(text.contains(words), "{words} in {text}");
    if verdict == Verdict::Problem {
        assert!(found.fix.is_some(), "a problem has a way out: {found:?}");
    }
    output
}

#[test]
fn everything_right_is_ok_with_all_checks_in_order() {
    let output = Azure::right().ask();
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(true), Some(true)),
        "{output:#?}"
    );
    let checks: Vec<Check> = output.findings.iter().map(|one| one.check).collect();
    let mut sorted = checks.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(checks, sorted);
    assert_eq!(checks.len(), 13);
    assert!(output.findings.iter().all(|one| one.verdict == Verdict::Ok));
    let names = serde_json::to_value(&output).unwrap();
    assert_eq!(names["findings"][0]["check"], "kubelet_identity");
    assert_eq!(names["findings"][0]["verdict"], "ok");
}

#[test]
fn what_may_not_be_read_is_unknown_with_the_missing_action() {
    for (denied, check, words) in [
        (
            record("images"),
            Check::LoginRecord,
            "Microsoft.Network/privateDnsZones/A/read",
        ),
        (
            network_of("vnet"),
            Check::Zone,
            "Microsoft.Network/virtualNetworks/read",
        ),
        (
            endpoint("pe"),
            Check::LoginRecord,
            "Microsoft.Network/privateEndpoints/read",
        ),
        (
            interface("nic"),
            Check::LoginRecord,
            "Microsoft.Network/networkInterfaces/read",
        ),
        (
            nodes(),
            Check::Route,
            "Microsoft.Network/virtualNetworks/subnets/read",
        ),
    ] {
        broken(
            |azure| azure.denied.push(denied),
            check,
            Verdict::Unknown,
            words,
        );
    }
    let link = "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read";
    let output = broken(
        |azure| {
            azure
                .denied_lists
                .push((zone(), "virtualNetworkLinks".to_owned()));
        },
        Check::ZoneLink,
        Verdict::Unknown,
        link,
    );
    assert_eq!((output.can_pull, output.privately), (None, None));
    broken(
        |azure| {
            let key = azure
                .lists
                .keys()
                .find(|(_, name)| name.contains("roleAssignments"));
            let key = key.unwrap().clone();
            azure.denied_lists.push(key);
        },
        Check::Role,
        Verdict::Unknown,
        "Microsoft.Authorization/roleAssignments/read",
    );
}

#[test]
fn a_cluster_in_a_network_of_akss_own_is_looked_for_beside_its_nodes() {
    let mut azure = Azure::right();
    azure.body(&cluster())["properties"]["agentPoolProfiles"] = json!([{"name": "system"}]);
    let found = azure.body(&network_of("vnet")).clone();
    let list = format!("providers/{NETWORK}");
    azure.lists.insert((group("nodes"), list), vec![found]);
    assert_eq!(azure.ask().privately, Some(true));
}

#[test]
fn several_networks_count_by_the_worst() {
    let mut azure = Azure::right();
    let other = network_of("other").child("subnets", "nodes");
    let pool = json!({"name": "apps", "vnetSubnetID": other});
    let pools = &mut azure.body(&cluster())["properties"]["agentPoolProfiles"];
    pools.as_array_mut().unwrap().push(pool);
    let body = json!({"id": network_of("other"), "properties": {}});
    azure.objects.insert(network_of("other"), Some(body));
    let output = azure.ask();
    assert_eq!(output.privately, Some(false));
    let link = finding(&output, Check::ZoneLink);
    assert_eq!(link.verdict, Verdict::Problem);
    assert!(
        link.evidence
            .iter()
            .any(|line| line.contains("virtualNetworks/other"))
    );
    assert_eq!(output.findings.len(), 13);
}
