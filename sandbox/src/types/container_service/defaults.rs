//! Completes a cluster as the service does: what the body leaves out, what an update keeps.
//! A PUT replaces a cluster's body; the facts of its network, identity and API server stay when the body
//! is silent about them, because they cannot go.

use serde_json::{Value, json};

use super::{on, versions};
use crate::bodies;
use crate::store::Resource;

/// What an update keeps when its body does not mention it.
const KEPT: &[&str] = &[
    "kubernetesVersion",
    "dnsPrefix",
    "fqdnSubdomain",
    "nodeResourceGroup",
    "linuxProfile",
    "windowsProfile",
    "servicePrincipalProfile",
    "addonProfiles",
    "oidcIssuerProfile",
    "aadProfile",
    "apiServerAccessProfile",
    "enableRBAC",
    "diskEncryptionSetID",
    "disableLocalAccounts",
    "identityProfile",
    "autoScalerProfile",
    "bootstrapProfile",
];

/// What the service computed earlier and does not compute again.
const COMPUTED: &[&str] = &[
    "maxAgentPools",
    "fqdn",
    "privateFQDN",
    "azurePortalFQDN",
    "resourceUID",
    "powerState",
    "currentKubernetesVersion",
];

/// Service addresses of a cluster that names none, and the address of its DNS.
const SERVICE_CIDR: &str = "10.0.0.0/16";
const DNS_SERVICE_IP: &str = "10.0.0.10";
/// Pod addresses of a cluster whose pods have no addresses of the network.
const POD_CIDR: &str = "10.244.0.0/16";

/// Fills in everything that follows from the body and the stored cluster alone.
pub fn complete(new: &mut Resource, old: Option<&Resource>) {
    new.unset("/eTag");
    if let Some(old) = old {
        for name in KEPT {
            let pointer = format!("/properties/{name}");
            if let Some(value) = old.at(&pointer) {
                new.default(&pointer, value.clone());
            }
        }
        for name in COMPUTED {
            let pointer = format!("/properties/{name}");
            if let Some(value) = old.at(&pointer) {
                new.set(&pointer, value.clone());
            }
        }
        for pointer in ["/sku", "/identity", "/kind"] {
            if let Some(value) = old.at(pointer) {
                new.default(pointer, value.clone());
            }
        }
        network_of_before(new, old);
    }
    version(new, old);
    general(new);
    network(new);
    api_server(new);
    add_ons(new);
}

/// The members of the network profile that the body leaves out are those of before.
fn network_of_before(new: &mut Resource, old: &Resource) {
    let Some(mut merged) = old.at("/properties/networkProfile").cloned() else {
        return;
    };
    let given = new
        .at("/properties/networkProfile")
        .cloned()
        .unwrap_or_else(|| json!({}));
    // The ways out replace each other as wholes.
    for profile in ["loadBalancerProfile", "natGatewayProfile"] {
        if given.get(profile).is_some()
            && let Value::Object(map) = &mut merged
        {
            map.remove(profile);
        }
    }
    let outbound = given.get("outboundType").cloned();
    if outbound.is_some()
        && outbound != merged.get("outboundType").cloned()
        && let Value::Object(map) = &mut merged
    {
        map.remove("loadBalancerProfile");
        map.remove("natGatewayProfile");
    }
    bodies::merge(&mut merged, given);
    new.set("/properties/networkProfile", merged);
}

fn version(new: &mut Resource, old: Option<&Resource>) {
    let wanted = match new.text("/properties/kubernetesVersion") {
        None | Some("") => versions::DEFAULT.to_owned(),
        Some(text) => text.to_owned(),
    };
    let current = old.and_then(|old| old.text("/properties/currentKubernetesVersion"));
    new.set(
        "/properties/currentKubernetesVersion",
        versions::after(&wanted, current),
    );
    new.set("/properties/kubernetesVersion", wanted);
}

fn general(new: &mut Resource) {
    new.default("/sku/name", "Base");
    if new.text("/sku/name") == Some("Basic") {
        new.set("/sku/name", "Base");
    }
    new.default("/sku/tier", "Free");
    new.default("/kind", "Base");
    let id = new.id.clone();
    let location = new.text("/location").unwrap_or_default().to_owned();
    new.default(
        "/properties/nodeResourceGroup",
        node_group(id.group().unwrap_or_default(), id.name(), &location),
    );
    new.default("/properties/enableRBAC", true);
    new.default("/properties/disableLocalAccounts", false);
    new.default("/properties/supportPlan", "KubernetesOfficial");
    new.default("/properties/maxAgentPools", 100);
    new.default("/properties/powerState", json!({ "code": "Running" }));
    new.default("/properties/servicePrincipalProfile/clientId", "msi");
    new.unset("/properties/servicePrincipalProfile/secret");
    new.unset("/properties/windowsProfile/adminPassword");
    new.default("/properties/nodeProvisioningProfile/mode", "Manual");
    new.default(
        "/properties/nodeProvisioningProfile/defaultNodePools",
        "Auto",
    );
    new.default("/properties/bootstrapProfile/artifactSource", "Direct");
    new.default(
        "/properties/autoUpgradeProfile/nodeOSUpgradeChannel",
        "NodeImage",
    );
    new.default("/properties/storageProfile/diskCSIDriver/enabled", true);
    new.default("/properties/storageProfile/fileCSIDriver/enabled", true);
    new.default(
        "/properties/storageProfile/snapshotController/enabled",
        true,
    );
    new.default("/properties/metricsProfile/costAnalysis/enabled", false);
    new.default("/properties/securityProfile", json!({}));
    // New clusters have the issuer on since 1.34 (AKS release notes); older ones when they ask for it.
    new.default("/properties/oidcIssuerProfile/enabled", true);
    if on(new, "/properties/aadProfile/managed") {
        new.default("/properties/aadProfile/enableAzureRBAC", false);
        new.default("/properties/aadProfile/adminGroupObjectIDs", Value::Null);
    }
    if new.at("/properties/aadProfile").is_some() {
        new.unset("/properties/aadProfile/serverAppSecret");
    }
}

/// The name that a node resource group has unless the body gives one; Azure cuts it at 80 characters.
#[must_use]
pub fn node_group(group: &str, cluster: &str, location: &str) -> String {
    format!("MC_{group}_{cluster}_{location}")
        .chars()
        .take(80)
        .collect()
}

/// How pods get their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// Pods behind their node, routes in a route table.
    Kubenet,
    /// Pods in an overlay.
    Overlay,
    /// Pods with addresses of a subnet.
    Flat,
    /// The user brings the plugin.
    Own,
}

/// The plugin of a completed cluster.
#[must_use]
pub fn plugin(cluster: &Resource) -> Plugin {
    let profile = "/properties/networkProfile";
    match (
        cluster.text(&format!("{profile}/networkPlugin")),
        cluster.text(&format!("{profile}/networkPluginMode")),
    ) {
        (Some("azure"), Some("overlay")) => Plugin::Overlay,
        (Some("azure"), _) => Plugin::Flat,
        (Some("none"), _) => Plugin::Own,
        _ => Plugin::Kubenet,
    }
}

fn network(new: &mut Resource) {
    let at = |name: &str| format!("/properties/networkProfile/{name}");
    for name in [
        "networkPlugin",
        "networkPluginMode",
        "networkPolicy",
        "networkDataplane",
        "loadBalancerSku",
    ] {
        if let Some(text) = new.text(&at(name)).map(str::to_lowercase) {
            new.set(&at(name), text);
        }
    }
    new.default(&at("networkPlugin"), "kubenet");
    let policy = new.text(&at("networkPolicy")).unwrap_or("none").to_owned();
    if policy == "cilium" {
        new.default(&at("networkDataplane"), "cilium");
    }
    if new.text(&at("networkPlugin")) == Some("azure") {
        new.default(&at("networkDataplane"), "azure");
    }
    new.default(&at("networkPolicy"), "none");
    new.default(&at("loadBalancerSku"), "standard");
    new.default(&at("outboundType"), "loadBalancer");
    new.default(&at("ipFamilies"), json!(["IPv4"]));
    new.default(&at("serviceCidr"), SERVICE_CIDR);
    new.default(&at("dnsServiceIP"), DNS_SERVICE_IP);
    if matches!(plugin(new), Plugin::Kubenet | Plugin::Overlay) {
        new.default(&at("podCidr"), POD_CIDR);
    }
    for (one, many) in [("serviceCidr", "serviceCidrs"), ("podCidr", "podCidrs")] {
        if let Some(value) = new.at(&at(one)).cloned() {
            new.set(&at(many), json!([value]));
        }
    }
    ways_out(new);
}

/// The profile of the outbound type, completed. Effective addresses are shown, not stored.
fn ways_out(new: &mut Resource) {
    let at = |name: &str| format!("/properties/networkProfile/{name}");
    for profile in ["loadBalancerProfile", "natGatewayProfile"] {
        new.unset(&format!("{}/effectiveOutboundIPs", at(profile)));
    }
    let balanced = new.text(&at("loadBalancerSku")) == Some("standard");
    match new.text(&at("outboundType")) {
        Some("loadBalancer") if balanced => {
            let profile = at("loadBalancerProfile");
            let own = ["outboundIPs", "outboundIPPrefixes", "managedOutboundIPs"];
            if !own
                .iter()
                .any(|name| new.at(&format!("{profile}/{name}")).is_some())
            {
                new.set(&format!("{profile}/managedOutboundIPs/count"), 1);
            }
            // The service answers in its own letters, whatever was sent.
            let backend = format!("{profile}/backendPoolType");
            let by_address = new
                .text(&backend)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("nodeIP"));
            new.set(
                &backend,
                if by_address {
                    "nodeIP"
                } else {
                    "nodeIPConfiguration"
                },
            );
            new.default(&format!("{profile}/allocatedOutboundPorts"), 0);
            new.default(&format!("{profile}/idleTimeoutInMinutes"), 30);
        }
        Some("managedNATGateway") => {
            let profile = at("natGatewayProfile");
            new.default(&format!("{profile}/managedOutboundIPProfile/count"), 1);
            new.default(&format!("{profile}/idleTimeoutInMinutes"), 4);
        }
        Some("userAssignedNATGateway") => {
            new.default(
                &format!("{}/idleTimeoutInMinutes", at("natGatewayProfile")),
                4,
            );
        }
        _ => {}
    }
}

fn api_server(new: &mut Resource) {
    let at = |name: &str| format!("/properties/apiServerAccessProfile/{name}");
    if !on(new, &at("enablePrivateCluster")) {
        return;
    }
    let zone = new.text(&at("privateDNSZone")).unwrap_or("system");
    let zone = if zone.starts_with('/') {
        zone.to_owned()
    } else {
        zone.to_lowercase()
    };
    new.set(&at("privateDNSZone"), zone);
    new.default(&at("enablePrivateClusterPublicFQDN"), true);
}

/// Add-ons by the name that the service shows, whatever the case of the body's.
fn add_ons(new: &mut Resource) {
    const SPELLED: &[&str] = &[
        "azurepolicy",
        "omsagent",
        "azureKeyvaultSecretsProvider",
        "ingressApplicationGateway",
        "httpApplicationRouting",
        "openServiceMesh",
        "aciConnectorLinux",
        "ACCSGXDevicePlugin",
        "gitops",
        "kubeDashboard",
    ];
    let Some(Value::Object(given)) = new.at("/properties/addonProfiles").cloned() else {
        return;
    };
    let mut shown = serde_json::Map::new();
    for (name, mut value) in given {
        let spelled = SPELLED
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&name))
            .map_or(name, |known| (*known).to_owned());
        if let Value::Object(map) = &mut value {
            map.entry("enabled").or_insert(json!(false));
            map.entry("config").or_insert(Value::Null);
        }
        if spelled == "azureKeyvaultSecretsProvider" && value["enabled"] == true {
            let config = &mut value["config"];
            if !config.is_object() {
                *config = json!({});
            }
            for (name, default) in [
                ("enableSecretRotation", "false"),
                ("rotationPollInterval", "2m"),
            ] {
                if config.get(name).is_none() {
                    config[name] = json!(default);
                }
            }
        }
        shown.insert(spelled, value);
    }
    new.set("/properties/addonProfiles", Value::Object(shown));
}
