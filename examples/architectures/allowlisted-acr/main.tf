# A registry with a public address that lets in the cluster's outbound addresses, those of the build agents, and
# Microsoft Defender, and nobody else.

terraform {
  required_version = ">= 1.6"
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

resource "fkaks_resource_group" "this" {
  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

resource "fkaks_network" "aks" {
  name              = "fk-vnet-aks"
  resource_group_id = fkaks_resource_group.this.id
  location          = var.location
  address_space     = ["10.30.0.0/16"]
  tags              = var.tags

  subnets = {
    nodes = {
      purpose          = "aks_nodes"
      address_prefixes = ["10.30.8.0/22"]
    }
  }
}

# Azure CNI, and a Standard load balancer by which the nodes leave.
resource "fkaks_cluster" "aks" {
  name                = var.cluster_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  network_plugin      = "azure"
  outbound_type       = "load_balancer"
  deletion_protection = var.deletion_protection
  tags                = var.tags

  node_pools = {
    system = {
      mode           = "System"
      vm_size        = var.vm_size
      node_count     = var.node_count
      vnet_subnet_id = fkaks_network.aks.subnet_ids["nodes"]
    }
  }
}

# Denied by default; trusted services pass, so that Defender scans. No admin user, and no token is made here: whoever
# comes logs in with an identity of Entra ID.
resource "fkaks_registry" "acr" {
  name                     = var.registry_name
  resource_group_id        = fkaks_resource_group.this.id
  location                 = var.location
  sku                      = "Premium"
  exposure                 = "allowlist"
  trusted_services_enabled = true
  admin_enabled            = false
  deletion_protection      = var.deletion_protection
  tags                     = var.tags
}

# In step with the cluster: its addresses come from Azure at every plan. Naming `egress_ips` beside it has a change of
# the cluster followed in the same apply.
resource "fkaks_registry_allowlist" "nodes" {
  registry_id = fkaks_registry.acr.id
  cluster_ids = [fkaks_cluster.aks.id]
  ip_ranges   = fkaks_cluster.aks.egress_ips
}

# A list of its own for everyone else, kept by whoever runs the build agents.
resource "fkaks_registry_allowlist" "others" {
  registry_id = fkaks_registry.acr.id
  ip_ranges   = var.allowed_ip_ranges
}

# The kubelet identity of the nodes is what pulls, not the identity of the cluster.
resource "fkaks_registry_access" "nodes" {
  registry_id = fkaks_registry.acr.id
  cluster_id  = fkaks_cluster.aks.id
  permissions = ["pull"]
}

# No registry of this group is open to everyone, and none keeps an admin user.
resource "fkaks_registry_guardrails" "this" {
  scope_id = fkaks_resource_group.this.id
  location = var.location

  unrestricted_network_access = {
    effect  = "Deny"
    message = "Registries here are private or have an allowlist."
  }

  admin_account_off = {
    remediate = true
  }
}

# Defender for Containers, for the whole subscription: a plan that is on already counts, and stays.
resource "fkaks_registry_defender" "this" {
  existing = "accept"
}

# Who logs in, and what they do, is collected.
resource "fkaks_registry_audit" "acr" {
  registry_id = fkaks_registry.acr.id

  workspace = {
    name              = "fk-log-acr"
    retention_in_days = 90
  }
}

# Who called, and who of them nobody expected.
data "fkaks_registry_callers" "acr" {
  registry_id  = fkaks_registry.acr.id
  workspace_id = fkaks_registry_audit.acr.workspace_id
  window       = var.window

  expected = {
    cluster_ids      = [fkaks_cluster.aks.id]
    ip_ranges        = var.allowed_ip_ranges
    trusted_services = ["defender"]
  }
}

# The proof: the registry denies by default, each of the cluster's addresses is on its list, the nodes may pull, and
# nobody called whom nobody expected.
check "only_the_allowed_come_in" {
  assert {
    condition     = fkaks_registry.acr.exposure == "allowlist"
    error_message = "The registry's exposure is ${fkaks_registry.acr.exposure}."
  }
  assert {
    condition     = fkaks_registry.acr.trusted_services_enabled
    error_message = "Defender cannot reach the registry, and so scans nothing."
  }
  assert {
    condition = alltrue([
      for address in fkaks_cluster.aks.egress_ips :
      contains(keys(fkaks_registry_allowlist.nodes.entries), address)
    ])
    error_message = "The cluster leaves by an address that the registry does not let in."
  }
  assert {
    condition = length(fkaks_registry_access.nodes.grants) > 0 && alltrue([
      for grant in fkaks_registry_access.nodes.grants :
      grant.role_assignment_id != null && grant.principal_id == fkaks_cluster.aks.kubelet_identity.object_id
    ])
    error_message = "No grant is in force for the identity of the nodes."
  }
  assert {
    condition     = length(data.fkaks_registry_callers.acr.unexpected) == 0
    error_message = "Somebody called whom nobody expected: ${jsonencode(data.fkaks_registry_callers.acr.unexpected)}"
  }
}
