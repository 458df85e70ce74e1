//! The kubeconfigs that `listCluster*Credential` answer, base64 as Azure sends them. Their keys are made
//! from the cluster's id: they open nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use uuid::Uuid;

use super::on;
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};

/// The application whose tokens the API server takes with Microsoft Entra integration (arm.md section 8).
const SERVER_APPLICATION: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// `POST .../listClusterUserCredential`: an exec plugin's with Entra integration, else a certificate's.
///
/// # Errors
/// The cluster has no such address.
pub fn user(world: &mut World, cluster: &Resource, request: &Request) -> ArmResult<Answer> {
    let directory = on(cluster, "/properties/aadProfile/managed");
    if !directory && on(cluster, "/properties/disableLocalAccounts") {
        return Err(no_local_accounts());
    }
    answer(world, cluster, request, "clusterUser", directory)
}

/// `POST .../listClusterAdminCredential`.
///
/// # Errors
/// 400 when local accounts are disabled.
pub fn admin(world: &mut World, cluster: &Resource, request: &Request) -> ArmResult<Answer> {
    if on(cluster, "/properties/disableLocalAccounts") {
        return Err(no_local_accounts());
    }
    answer(world, cluster, request, "clusterAdmin", false)
}

/// `POST .../listClusterMonitoringUserCredential`.
///
/// # Errors
/// 400 when local accounts are disabled.
pub fn monitoring(world: &mut World, cluster: &Resource, request: &Request) -> ArmResult<Answer> {
    if on(cluster, "/properties/disableLocalAccounts") {
        return Err(no_local_accounts());
    }
    answer(world, cluster, request, "clusterMonitoringUser", false)
}

fn no_local_accounts() -> ArmError {
    ArmError::bad(
        "BadRequest",
        "Getting static credential is not allowed because this cluster is set to disable local accounts.",
    )
}

fn answer(
    world: &World,
    cluster: &Resource,
    request: &Request,
    role: &str,
    exec: bool,
) -> ArmResult<Answer> {
    let public = cluster.text("/properties/fqdn");
    let private = cluster.text("/properties/privateFQDN");
    let host = match request.param("server-fqdn").as_deref() {
        Some("public") => public,
        Some(_) => private,
        None => private.or(public),
    };
    let host = host.ok_or_else(|| {
        ArmError::bad(
            "BadRequest",
            format!(
                "The cluster {} has no such API server address.",
                cluster.id.name()
            ),
        )
    })?;
    let name = cluster.id.name();
    let user = format!("{role}_{}_{name}", cluster.id.group().unwrap_or_default());
    let secret = |what: &str| {
        let key = Uuid::new_v5(
            &world.seed,
            format!("{} {role} {what}", cluster.id.key()).as_bytes(),
        );
        STANDARD.encode(key.simple().to_string())
    };
    let credentials = if exec {
        format!(
            "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: kubelogin\n      args: [get-token, --environment, AzurePublicCloud, --server-id, {SERVER_APPLICATION}, --tenant-id, {}, --login, devicecode]\n      provideClusterInfo: false\n",
            world.tenant
        )
    } else {
        format!(
            "    client-certificate-data: {}\n    client-key-data: {}\n    token: {}\n",
            secret("certificate"),
            secret("key"),
            secret("token")
        )
    };
    let config = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:\n    certificate-authority-data: {}\n    server: https://{host}:443\ncontexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {user}\ncurrent-context: {name}\nusers:\n- name: {user}\n  user:\n{credentials}preferences: {{}}\n",
        secret("authority")
    );
    Ok(Answer::json(
        200,
        json!({ "kubeconfigs": [{ "name": role, "value": STANDARD.encode(config) }] }),
    ))
}
