"""The Python management SDKs against the sandbox. Runs in the SDKs' own environment; see `tools/clients`.

Signs in with the ARM_* variables, creates every type of object, shows it, deletes it, and prints `ok` or `FAILED`
for each step.
"""

import os
import sys
import traceback

from azure.identity import ClientSecretCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

URL = sys.argv[1]
SUBSCRIPTION = os.environ["ARM_SUBSCRIPTION_ID"]
GROUP, REGION, ZONE = "sdk", "westeurope", "privatelink.azurecr.io"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network"


def client(kind):
    credential = ClientSecretCredential(
        os.environ["ARM_TENANT_ID"],
        os.environ["ARM_CLIENT_ID"],
        os.environ["ARM_CLIENT_SECRET"],
        authority=URL,
        disable_instance_discovery=True,
    )
    return kind(credential, SUBSCRIPTION, base_url=URL, credential_scopes=["https://management.azure.com/.default"])


resources = client(ResourceManagementClient)
network = client(NetworkManagementClient)
dns = client(PrivateDnsManagementClient)
registries = client(ContainerRegistryManagementClient)
clusters = client(ContainerServiceClient)
logs = client(LogAnalyticsManagementClient)
vaults = client(KeyVaultManagementClient)


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def group():
    equal(resources.resource_groups.create_or_update(GROUP, {"location": REGION}).properties.provisioning_state, "Succeeded")
    equal(resources.resource_groups.get(GROUP).location, REGION)
    equal(resources.resource_groups.check_existence(GROUP), True)
    equal([each.name for each in resources.resource_groups.list()], [GROUP])


def providers():
    equal(resources.providers.register("Microsoft.Network").namespace, "Microsoft.Network")
    types = {each.resource_type for each in resources.providers.get("Microsoft.Network").resource_types}
    assert {"virtualNetworks", "privateEndpoints"} <= types, types


def security_group():
    network.network_security_groups.begin_create_or_update(GROUP, "nsg", {"location": REGION}).result()
    rule = {
        "properties": {
            "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
            "sourceAddressPrefix": "*", "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "443",
        }
    }
    network.security_rules.begin_create_or_update(GROUP, "nsg", "https", rule).result()
    equal(len(network.network_security_groups.get(GROUP, "nsg").security_rules), 1)


def route_table():
    network.route_tables.begin_create_or_update(GROUP, "routes", {"location": REGION}).result()
    route = {"properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    network.routes.begin_create_or_update(GROUP, "routes", "out", route).result()
    equal(len(network.route_tables.get(GROUP, "routes").routes), 1)


def public_ip():
    body = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    network.public_ip_addresses.begin_create_or_update(GROUP, "outbound", body).result()
    equal(network.public_ip_addresses.get(GROUP, "outbound").provisioning_state, "Succeeded")


def nat_gateway():
    address = {"id": f"{NETWORK}/publicIPAddresses/outbound"}
    body = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [address]}}
    network.nat_gateways.begin_create_or_update(GROUP, "nat", body).result()
    equal(len(network.nat_gateways.get(GROUP, "nat").public_ip_addresses), 1)


def virtual_network():
    body = {"location": REGION, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    network.virtual_networks.begin_create_or_update(GROUP, "net", body).result()
    nodes = {"addressPrefix": "10.0.1.0/24", "natGateway": {"id": f"{NETWORK}/natGateways/nat"}}
    network.subnets.begin_create_or_update(GROUP, "net", "nodes", {"properties": nodes}).result()
    endpoints = {
        "addressPrefix": "10.0.2.0/24",
        "networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/nsg"},
        "routeTable": {"id": f"{NETWORK}/routeTables/routes"},
    }
    network.subnets.begin_create_or_update(GROUP, "net", "endpoints", {"properties": endpoints}).result()
    equal(sorted(subnet.name for subnet in network.virtual_networks.get(GROUP, "net").subnets), ["endpoints", "nodes"])


def network_interface():
    address = {"name": "first", "properties": {"subnet": {"id": f"{NETWORK}/virtualNetworks/net/subnets/nodes"}}}
    body = {"location": REGION, "properties": {"ipConfigurations": [address]}}
    network.network_interfaces.begin_create_or_update(GROUP, "nic", body).result()
    equal(network.network_interfaces.get(GROUP, "nic").ip_configurations[0].private_ip_address, "10.0.1.4")


def cluster():
    subnet = f"{NETWORK}/virtualNetworks/net/subnets/nodes"
    size = "Standard_D4ds_v5"
    body = {
        "location": REGION,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": "sdk",
            "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 1, "vmSize": size, "vnetSubnetID": subnet}],
            "networkProfile": {
                "networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "192.168.0.0/16",
                "serviceCidr": "172.16.0.0/16", "dnsServiceIP": "172.16.0.10",
            },
        },
    }
    made = clusters.managed_clusters.begin_create_or_update(GROUP, "aks", body).result()
    equal((made.provisioning_state, made.node_resource_group), ("Succeeded", f"MC_{GROUP}_aks_{REGION}"))
    equal(len(made.network_profile.load_balancer_profile.effective_outbound_i_ps), 1)
    made.tags = {"purpose": "clients"}
    equal(clusters.managed_clusters.begin_create_or_update(GROUP, "aks", made).result().tags, made.tags)
    pool = {"properties": {"mode": "User", "count": 1, "vmSize": size, "vnetSubnetID": subnet}}
    clusters.agent_pools.begin_create_or_update(GROUP, "aks", "work", pool).result()
    equal([each.name for each in clusters.agent_pools.list(GROUP, "aks")], ["system", "work"])
    clusters.agent_pools.begin_delete(GROUP, "aks", "work").result()
    assert clusters.managed_clusters.list_cluster_user_credentials(GROUP, "aks").kubeconfigs
    result = clusters.managed_clusters.begin_run_command(GROUP, "aks", {"command": "kubectl get namespaces"}).result()
    equal(result.exit_code, 0)
    clusters.managed_clusters.begin_delete(GROUP, "aks").result()
    equal([each.name for each in clusters.managed_clusters.list_by_resource_group(GROUP)], [])


def registry():
    name = {"name": "fkacrsdk", "type": "Microsoft.ContainerRegistry/registries"}
    equal(registries.registries.check_name_availability(name).name_available, True)
    body = {"location": REGION, "sku": {"name": "Premium"}, "properties": {"publicNetworkAccess": "Disabled"}}
    equal(registries.registries.begin_create(GROUP, "fkacrsdk", body).result().login_server, "fkacrsdk.azurecr.io")
    equal(registries.registries.check_name_availability(name).name_available, False)
    equal(registries.registries.get(GROUP, "fkacrsdk").public_network_access, "Disabled")
    update = {"properties": {"dataEndpointEnabled": True}}
    equal(registries.registries.begin_update(GROUP, "fkacrsdk", update).result().data_endpoint_enabled, True)
    assert registries.registries.list_usages(GROUP, "fkacrsdk").value
    equal([each.name for each in registries.registries.list_private_link_resources(GROUP, "fkacrsdk")], ["registry"])


def replication():
    body = {"location": "northeurope"}
    registries.replications.begin_create(GROUP, "fkacrsdk", "northeurope", body).result()
    found = sorted(each.name for each in registries.replications.list(GROUP, "fkacrsdk"))
    equal(found, ["northeurope", "westeurope"])


def scope_map_and_token():
    actions = ["repositories/team/*/content/read"]
    body = {"properties": {"description": "teams", "actions": actions}}
    made = registries.scope_maps.begin_create(GROUP, "fkacrsdk", "team-pull", body).result()
    equal((made.actions, made.properties.type), (actions, "UserDefined"))
    equal(len(list(registries.scope_maps.list(GROUP, "fkacrsdk"))), 6)
    body = {"properties": {"scopeMapId": made.id, "status": "enabled"}}
    token = registries.tokens.begin_create(GROUP, "fkacrsdk", "cluster", body).result()
    equal((token.scope_map_id, token.status), (made.id, "enabled"))
    body = {"tokenId": token.id, "expiry": "2999-01-01T00:00:00Z"}
    both = registries.registries.begin_generate_credentials(GROUP, "fkacrsdk", body).result()
    equal((both.username, [each.name for each in both.passwords]), ("cluster", ["password1", "password2"]))
    assert all(each.value for each in both.passwords)
    body = {"tokenId": token.id, "name": "password1"}
    one = registries.registries.begin_generate_credentials(GROUP, "fkacrsdk", body).result()
    equal([bool(each.value) for each in one.passwords], [True, False])
    slots = registries.tokens.get(GROUP, "fkacrsdk", "cluster").credentials.passwords
    equal([(each.name, each.value, bool(each.expiry)) for each in slots], [("password1", None, False), ("password2", None, True)])
    kept = {"properties": {"credentials": {"passwords": [{"name": "password2"}]}}}
    left = registries.tokens.begin_update(GROUP, "fkacrsdk", "cluster", kept).result()
    equal([each.name for each in left.credentials.passwords], ["password2"])
    source = {"registryUri": "docker.io", "sourceImage": "library/nginx:1.27"}
    registries.registries.begin_import_image(GROUP, "fkacrsdk", {"source": source, "targetTags": ["team/web:1"]}).result()
    registries.tokens.begin_delete(GROUP, "fkacrsdk", "cluster").result()
    registries.scope_maps.begin_delete(GROUP, "fkacrsdk", "team-pull").result()
    equal([each.name for each in registries.tokens.list(GROUP, "fkacrsdk")], [])


def workspace_and_setting():
    made = logs.workspaces.begin_create_or_update(GROUP, "fkaks-logs", {"location": REGION}).result()
    equal((made.provisioning_state, made.retention_in_days), ("Succeeded", 30))
    setting = registries.registries.get(GROUP, "fkacrsdk").id + "/providers/Microsoft.Insights/diagnosticSettings/audit"
    version = {"api_version": "2021-05-01-preview"}
    entry = {"category": "ContainerRegistryLoginEvents", "enabled": True}
    body = {"properties": {"workspaceId": made.id, "logs": [entry]}}
    resources.resources.begin_create_or_update_by_id(setting, body, **version).result()
    equal(resources.resources.get_by_id(setting, **version).properties["workspaceId"], made.id)
    resources.resources.begin_delete_by_id(setting, **version).result()
    logs.workspaces.begin_delete(GROUP, "fkaks-logs", force=True).result()
    equal([each.name for each in logs.workspaces.list_by_resource_group(GROUP)], [])


def vault_and_secret():
    properties = {
        "tenantId": os.environ["ARM_TENANT_ID"], "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True,
    }
    body = {"location": REGION, "properties": properties}
    made = vaults.vaults.begin_create_or_update(GROUP, "fkaks-sdk", body).result()
    equal(made.properties.vault_uri, "https://fkaks-sdk.vault.azure.net/")
    secret = vaults.secrets.create_or_update(GROUP, "fkaks-sdk", "pull", {"properties": {"value": "s3cret"}})
    equal((secret.properties.value, secret.properties.attributes.enabled), (None, True))
    vaults.vaults.delete(GROUP, "fkaks-sdk")
    equal([each.name for each in vaults.vaults.list_deleted()], ["fkaks-sdk"])
    vaults.vaults.begin_purge_deleted("fkaks-sdk", REGION).result()


def private_endpoint():
    connection = {
        "name": "c",
        "properties": {"privateLinkServiceId": registries.registries.get(GROUP, "fkacrsdk").id, "groupIds": ["registry"]},
    }
    subnet = {"id": f"{NETWORK}/virtualNetworks/net/subnets/endpoints"}
    body = {"location": REGION, "properties": {"subnet": subnet, "privateLinkServiceConnections": [connection]}}
    network.private_endpoints.begin_create_or_update(GROUP, "pe", body).result()
    made = network.private_endpoints.get(GROUP, "pe")
    equal(made.private_link_service_connections[0].private_link_service_connection_state.status, "Approved")
    interface = network.network_interfaces.get(GROUP, made.network_interfaces[0].id.rsplit("/", 1)[1])
    members = {each.private_link_connection_properties.required_member_name for each in interface.ip_configurations}
    equal(members, {"registry", "registry_data_northeurope", "registry_data_westeurope"})
    seen = list(registries.private_endpoint_connections.list(GROUP, "fkacrsdk"))
    equal([each.private_endpoint.id.lower() for each in seen], [made.id.lower()])


def private_dns():
    dns.private_zones.begin_create_or_update(GROUP, ZONE, {"location": "global"}).result()
    link = {
        "location": "global",
        "properties": {"registrationEnabled": False, "virtualNetwork": {"id": f"{NETWORK}/virtualNetworks/net"}},
    }
    dns.virtual_network_links.begin_create_or_update(GROUP, ZONE, "link", link).result()
    equal(dns.virtual_network_links.get(GROUP, ZONE, "link").virtual_network_link_state, "Completed")
    record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.0.2.99"}]}}
    dns.record_sets.create_or_update(GROUP, ZONE, "A", "by-hand", record)
    equal(dns.record_sets.get(GROUP, ZONE, "A", "by-hand").a_records[0].ipv4_address, "10.0.2.99")
    assert dns.record_sets.get(GROUP, ZONE, "SOA", "@").soa_record.host
    equal(dns.private_zones.get(GROUP, ZONE).number_of_virtual_network_links, 1)


def zone_group():
    config = {"name": "acr", "properties": {"privateDnsZoneId": f"{NETWORK}/privateDnsZones/{ZONE}"}}
    body = {"properties": {"privateDnsZoneConfigs": [config]}}
    network.private_dns_zone_groups.begin_create_or_update(GROUP, "pe", "default", body).result()
    equal(len(network.private_dns_zone_groups.get(GROUP, "pe", "default").private_dns_zone_configs), 1)
    records = sorted(each.name for each in dns.record_sets.list_by_type(GROUP, ZONE, "A"))
    equal(records, ["by-hand", "fkacrsdk", "fkacrsdk.northeurope.data", "fkacrsdk.westeurope.data"])


def resource_list():
    types = {each.type for each in resources.resources.list_by_resource_group(GROUP)}
    assert {"Microsoft.Network/virtualNetworks", "Microsoft.ContainerRegistry/registries"} <= types, types


def deletion():
    network.private_dns_zone_groups.begin_delete(GROUP, "pe", "default").result()
    equal([each.name for each in dns.record_sets.list_by_type(GROUP, ZONE, "A")], ["by-hand"])
    network.private_endpoints.begin_delete(GROUP, "pe").result()
    dns.record_sets.delete(GROUP, ZONE, "A", "by-hand")
    dns.virtual_network_links.begin_delete(GROUP, ZONE, "link").result()
    dns.private_zones.begin_delete(GROUP, ZONE).result()
    registries.replications.begin_delete(GROUP, "fkacrsdk", "northeurope").result()
    registries.registries.begin_delete(GROUP, "fkacrsdk").result()
    network.network_interfaces.begin_delete(GROUP, "nic").result()
    network.subnets.begin_delete(GROUP, "net", "endpoints").result()
    network.virtual_networks.begin_delete(GROUP, "net").result()
    network.nat_gateways.begin_delete(GROUP, "nat").result()
    network.public_ip_addresses.begin_delete(GROUP, "outbound").result()
    network.route_tables.begin_delete(GROUP, "routes").result()
    network.network_security_groups.begin_delete(GROUP, "nsg").result()
    equal([each.id for each in resources.resources.list_by_resource_group(GROUP)], [])
    resources.resource_groups.begin_delete(GROUP).result()
    equal(resources.resource_groups.check_existence(GROUP), False)


STEPS = [
    group, providers, security_group, route_table, public_ip, nat_gateway, virtual_network, network_interface,
    cluster, registry, replication, scope_map_and_token, workspace_and_setting, vault_and_secret, private_endpoint, private_dns, zone_group, resource_list, deletion,
]

for step in STEPS:
    try:
        step()
        print(f"ok sdk {step.__name__}", flush=True)
    except Exception:  # Whatever a client raises is what this test is about.
        print(f"FAILED sdk {step.__name__}\n{traceback.format_exc(limit=-2)}", flush=True)
