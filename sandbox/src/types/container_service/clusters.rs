//! Microsoft.ContainerService/managedClusters: a Kubernetes cluster. Its pools are resources of their own;
//! what a finished cluster consists of is made when the operation completes.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    VERSIONS, actions, agent_pools, busy, credentials, defaults, identities, kubernetes,
    node_group, on, outbound, pool_defaults, private_cluster, rules, run_command, schema, versions,
};
use crate::errors::ArmResult;
use crate::store::{Resource, World};
use crate::table::{Action, Etags, Patch, Style, Type};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerService/managedClusters";

/// The row.
pub const CLUSTERS: Type = Type {
    put: Style::AsyncOperation,
    patch: Patch::TagsLater(Style::AsyncAccepted),
    delete: Style::AsyncOperation,
    etags: Etags::Mismatch,
    creating: Some("Creating"),
    updating: |old, new| {
        let pointer = "/properties/currentKubernetesVersion";
        if old.at(pointer) == new.at(pointer) {
            "Updating"
        } else {
            "Upgrading"
        }
    },
    members: &["sku", "identity", "extendedLocation", "kind", "eTag"],
    properties: schema::CLUSTER,
    read_only: schema::CLUSTER_READ_ONLY,
    check: rules::check,
    fill,
    settle: actions::settle,
    on_delete: node_group::remove,
    render,
    private_link: Some(private_cluster::LINK),
    busy,
    actions: &[
        Action {
            method: "GET",
            name: "availableAgentPoolVersions",
            style: Style::Immediate,
            run: versions::available_pool_versions,
        },
        Action {
            method: "POST",
            name: "listClusterUserCredential",
            style: Style::Immediate,
            run: credentials::user,
        },
        Action {
            method: "POST",
            name: "listClusterAdminCredential",
            style: Style::Immediate,
            run: credentials::admin,
        },
        Action {
            method: "POST",
            name: "listClusterMonitoringUserCredential",
            style: Style::Immediate,
            run: credentials::monitoring,
        },
        Action {
            method: "POST",
            name: "resolvePrivateLinkServiceId",
            style: Style::Immediate,
            run: actions::private_link_service,
        },
        Action {
            method: "POST",
            name: "runCommand",
            style: Style::Location,
            run: run_command::run,
        },
        Action {
            method: "POST",
            name: "start",
            style: Style::Location,
            run: actions::start,
        },
        Action {
            method: "POST",
            name: "stop",
            style: Style::Location,
            run: actions::stop,
        },
    ],
    ..Type::new(NAME, VERSIONS)
};

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    defaults::complete(new, old);
    if new.at("/properties/resourceUID").is_none() {
        let uid = world.guid().replace('-', "");
        new.set("/properties/resourceUID", uid[..24].to_owned());
    }
    names(new);
    // What lives in the cluster is not of its body.
    if let Some(held) = old.and_then(|old| old.at(kubernetes::STORE)) {
        new.set(kubernetes::STORE, held.clone());
    }
    new.unset("/towards");
    identities::fill(world, new, old);
    private_cluster::fill(new);
    let state = if old.is_some() {
        "Updating"
    } else {
        "Creating"
    };
    let given = new.at("/properties/agentPoolProfiles").is_some();
    if given || old.is_none() {
        for mut pool in pool_defaults::read(new)? {
            let before = world.get(pool.id.as_str()).cloned();
            rules::upgraded_with_cluster(&mut pool, new, old, before.as_ref());
            pool_defaults::complete(&mut pool, new, before.as_ref());
            agent_pools::store(world, pool, state);
        }
    }
    new.unset("/properties/agentPoolProfiles");
    Ok(())
}

/// Eight hexadecimal digits that follow from a cluster's life and a word.
#[must_use]
pub fn hash(cluster: &Resource, word: &str) -> String {
    let seed = cluster.text("/properties/resourceUID").unwrap_or_default();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{seed} {word}").as_bytes())
        .simple()
        .to_string()[..8]
        .to_owned()
}

/// The names of the API server: the prefix, eight digits, and the region's domain.
fn names(new: &mut Resource) {
    let region = new.text("/location").unwrap_or_default().to_owned();
    let prefix = new
        .text("/properties/dnsPrefix")
        .or_else(|| new.text("/properties/fqdnSubdomain"))
        .unwrap_or_default()
        .to_owned();
    let host = format!("{prefix}-{}", hash(new, "public"));
    let private = on(
        new,
        "/properties/apiServerAccessProfile/enablePrivateCluster",
    );
    let public = !private
        || on(
            new,
            "/properties/apiServerAccessProfile/enablePrivateClusterPublicFQDN",
        );
    if public {
        new.set("/properties/fqdn", format!("{host}.hcp.{region}.azmk8s.io"));
        new.set(
            "/properties/azurePortalFQDN",
            format!("{host}.portal.hcp.{region}.azmk8s.io"),
        );
    } else {
        new.unset("/properties/fqdn");
        new.set(
            "/properties/azurePortalFQDN",
            format!("{host}.portal.hcp.{region}.azmk8s.io"),
        );
    }
    if on(new, "/properties/oidcIssuerProfile/enabled") {
        let uid = Uuid::new_v5(&Uuid::NAMESPACE_OID, hash(new, "issuer").as_bytes());
        let tenant = Uuid::new_v5(&Uuid::NAMESPACE_OID, region.as_bytes());
        new.default(
            "/properties/oidcIssuerProfile/issuerURL",
            format!("https://{region}.oic.prod-aks.azure.com/{tenant}/{uid}/"),
        );
    } else {
        new.unset("/properties/oidcIssuerProfile/issuerURL");
    }
}

fn render(world: &World, cluster: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        for hidden in ["kubernetes", "towards"] {
            map.remove(hidden);
        }
        if let Some(etag) = map.remove("etag") {
            map.insert("eTag".to_owned(), etag);
        }
    }
    let profiles: Vec<Value> = agent_pools::of(world, &cluster.id)
        .into_iter()
        .map(|pool| agent_pools::profile(world, pool))
        .collect();
    body["properties"]["agentPoolProfiles"] = json!(profiles);
    identities::render(world, body);
    outbound::render(world, cluster, body);
}
