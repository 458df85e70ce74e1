//! Whom the nodes ask, and what they are told.

use serde_json::json;

use super::*;

#[test]
fn dns_servers_of_the_networks_own_leave_it_open_and_their_network_must_ask_the_zone() {
    let output = broken(
        |azure| {
            azure.body(&network_of("vnet"))["properties"]["dhcpOptions"] =
                json!({"dnsServers": ["10.10.0.4"]});
        },
        Check::DnsServers,
        Verdict::Unknown,
        "DNS server 10.10.0.4, in",
    );
    assert_eq!((output.can_pull, output.privately), (None, None));
    let output = broken(
        |azure| {
            let network = azure.body(&network_of("vnet"));
            network["properties"]["dhcpOptions"] = json!({"dnsServers": ["10.0.0.4"]});
            network["properties"]["virtualNetworkPeerings"] = json!([{
                "id": network_of("vnet").child("virtualNetworkPeerings", "hub"),
                "properties": {
                    "peeringState": "Connected", "remoteVirtualNetwork": {"id": network_of("hub")},
                    "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                },
            }]);
            azure.body(&cluster())["properties"]["agentPoolProfiles"][0]["localDNSProfile"] =
                json!({"mode": "Required"});
        },
        Check::ZoneLink,
        Verdict::Unknown,
        "virtualNetworks/hub",
    );
    assert_eq!((output.can_pull, output.privately), (None, None));
    let dns = finding(&output, Check::DnsServers);
    assert!(
        dns.evidence
            .iter()
            .any(|line| line.contains("LocalDNS is Required"))
    );
    let azure_s = |azure: &mut Azure| {
        azure.body(&network_of("vnet"))["properties"]["dhcpOptions"] =
            json!({"dnsServers": ["168.63.129.16"]});
    };
    broken(azure_s, Check::DnsServers, Verdict::Ok, "asks Azure DNS");
}

#[test]
fn without_a_zone_or_a_link_the_registry_is_asked_for_in_public() {
    let output = broken(
        |azure| {
            let subscription = ArmId::subscription(cluster().subscription_id());
            azure.list(&subscription, ZONE).clear();
        },
        Check::Zone,
        Verdict::Problem,
        "looked for in subscription 00000000-0000-0000-0000-000000000001",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(false), Some(false))
    );
    let output = broken(
        |azure| azure.list(&zone(), "virtualNetworkLinks").clear(),
        Check::ZoneLink,
        Verdict::Problem,
        "is not linked to the zone",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(false), Some(false))
    );
    assert_eq!(
        finding(&output, Check::PublicAccess).verdict,
        Verdict::Problem
    );
}

#[test]
fn a_record_that_is_missing_or_leads_elsewhere_is_a_problem() {
    let output = broken(
        |azure| drop(azure.objects.insert(record("images"), None)),
        Check::LoginRecord,
        Verdict::Problem,
        "does not exist for the nodes",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(false), Some(false))
    );
    let output = broken(
        |azure| {
            azure.objects.insert(record("images"), None);
            azure.body(&registry())["properties"]["publicNetworkAccess"] = json!("Enabled");
            azure.list(&zone(), "virtualNetworkLinks")[0]["properties"]["resolutionPolicy"] =
                json!("NxDomainRedirect");
        },
        Check::LoginRecord,
        Verdict::Problem,
        "asked for in public",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(true), Some(false))
    );
    let output = broken(
        |azure| {
            let mut other = leads("10.99.0.4");
            other["properties"]["metadata"] =
                json!({"creator": "created by private endpoint other with resource guid x"});
            azure.objects.insert(record("images"), Some(other));
        },
        Check::LoginRecord,
        Verdict::Problem,
        "the record was created by private endpoint other",
    );
    assert_eq!(output.privately, Some(false));
}

#[test]
fn every_region_needs_its_data_record() {
    let output = broken(
        |azure| {
            azure
                .objects
                .insert(record("images.northeurope.data"), None);
        },
        Check::DataRecords,
        Verdict::Problem,
        "images.northeurope.data.azurecr.io",
    );
    assert_eq!(
        (output.can_pull, output.privately),
        (Some(false), Some(false))
    );
    broken(
        |azure| {
            azure
                .denied_lists
                .push((registry(), "replications".to_owned()));
        },
        Check::DataRecords,
        Verdict::Unknown,
        "Microsoft.ContainerRegistry/registries/replications/read",
    );
}

#[test]
fn a_hubs_zone_is_found_by_the_endpoints_zone_group() {
    let output = broken(
        |azure| {
            let subscription = ArmId::subscription(cluster().subscription_id());
            azure.list(&subscription, ZONE).clear();
            *azure.list(&endpoint("pe"), "privateDnsZoneGroups") =
                vec![json!({"properties": {"privateDnsZoneConfigs": [
                    {"properties": {"privateDnsZoneId": zone()}},
                ]}})];
        },
        Check::Zone,
        Verdict::Ok,
        ZONE_NAME,
    );
    assert_eq!(output.privately, Some(true));
}
