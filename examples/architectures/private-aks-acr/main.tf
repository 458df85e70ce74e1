# A private AKS cluster that pulls from a registry which is reached over its private endpoint alone.

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
  address_space     = ["10.10.0.0/16"]
  tags              = var.tags

  subnets = {
    fk-subnet-aks = {
      purpose          = "aks_nodes"
      address_prefixes = ["10.10.8.0/22"]
    }
    fk-subnet-private-endpoints = {
      purpose          = "private_endpoints"
      address_prefixes = ["10.10.20.0/24"]
    }
  }
}

resource "fkaks_cluster" "aks" {
  name                = var.cluster_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  deletion_protection = var.deletion_protection
  tags                = var.tags

  node_pools = {
    system = {
      mode           = "System"
      vm_size        = var.vm_size
      node_count     = var.node_count
      vnet_subnet_id = fkaks_network.aks.subnet_ids["fk-subnet-aks"]
    }
  }
}

resource "fkaks_registry" "acr" {
  name                = var.registry_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  sku                 = "Premium"
  exposure            = "private"
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

resource "fkaks_private_registry_link" "acr" {
  name              = "fk-acr-pe"
  resource_group_id = fkaks_resource_group.this.id
  registry_id       = fkaks_registry.acr.id
  subnet_id         = fkaks_network.aks.subnet_ids["fk-subnet-private-endpoints"]
  tags              = var.tags

  dns = {
    virtual_network_ids = { aks = fkaks_network.aks.id }
  }
}

# The kubelet identity of the nodes is what pulls, not the identity of the cluster.
resource "fkaks_registry_access" "nodes" {
  registry_id = fkaks_registry.acr.id
  cluster_id  = fkaks_cluster.aks.id
  permissions = ["pull"]
}

# The proof: every name of the registry leads into the endpoints' subnet, the cluster's network asks
# the zone that says so, nobody comes in over the internet, and the nodes may pull.
check "pulls_are_private" {
  assert {
    condition = alltrue([
      for endpoint in fkaks_private_registry_link.acr.endpoints :
      startswith(endpoint.ip, "10.10.20.")
    ])
    error_message = "A name of the registry leads out of the endpoints' subnet."
  }
  assert {
    condition     = contains(keys(fkaks_private_registry_link.acr.endpoints), fkaks_registry.acr.login_server)
    error_message = "The login server has no private address."
  }
  assert {
    condition     = contains(values(fkaks_private_registry_link.acr.dns.virtual_network_ids), fkaks_network.aks.id)
    error_message = "The cluster's network does not ask the registry's zone."
  }
  assert {
    condition     = fkaks_private_registry_link.acr.connection_state == "Approved"
    error_message = "The endpoint's connection is ${fkaks_private_registry_link.acr.connection_state}."
  }
  assert {
    condition     = fkaks_registry.acr.exposure == "private"
    error_message = "The registry is reached over the internet."
  }
  assert {
    condition = length(fkaks_registry_access.nodes.grants) > 0 && alltrue([
      for grant in fkaks_registry_access.nodes.grants :
      grant.role_assignment_id != null && grant.principal_id == fkaks_cluster.aks.kubelet_identity.object_id
    ])
    error_message = "No grant is in force for the identity of the nodes."
  }
}
