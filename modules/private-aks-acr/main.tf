# A private AKS cluster and the registry that it pulls from over a private endpoint, as one module.

terraform {
  required_version = ">= 1.6"
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

resource "fkaks_resource_group" "this" {
  count = var.resource_group_id == null ? 1 : 0

  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

locals {
  resource_group_id = var.resource_group_id == null ? fkaks_resource_group.this[0].id : var.resource_group_id
}

resource "fkaks_network" "this" {
  name              = var.vnet_name
  resource_group_id = local.resource_group_id
  location          = var.location
  address_space     = var.address_space
  dns_servers       = var.dns_servers
  tags              = var.tags

  subnets = merge(var.subnets, {
    (var.aks_subnet_name) = {
      purpose          = "aks_nodes"
      address_prefixes = var.aks_subnet_address_prefixes
    }
    (var.private_endpoint_subnet_name) = {
      purpose          = "private_endpoints"
      address_prefixes = var.private_endpoint_subnet_address_prefixes
    }
  })
}

resource "fkaks_cluster" "this" {
  name                = var.aks_name
  resource_group_id   = local.resource_group_id
  location            = var.location
  dns_prefix          = var.dns_prefix
  kubernetes_version  = var.kubernetes_version
  private_dns_zone_id = var.private_dns_zone_id
  network_plugin_mode = var.network_plugin_mode
  network_policy      = var.network_policy
  outbound_type       = var.outbound_type
  deletion_protection = var.deletion_protection
  tags                = var.tags

  node_pools = {
    (var.default_node_pool_name) = {
      mode           = "System"
      vm_size        = var.vm_size
      node_count     = var.node_count
      zones          = var.zones
      vnet_subnet_id = fkaks_network.this.subnet_ids[var.aks_subnet_name]
    }
  }
}

resource "fkaks_registry" "this" {
  name                = var.acr_name
  resource_group_id   = local.resource_group_id
  location            = var.location
  sku                 = "Premium"
  exposure            = "private"
  georeplications     = var.georeplications
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

resource "fkaks_private_registry_link" "this" {
  name              = var.private_endpoint_name
  resource_group_id = local.resource_group_id
  registry_id       = fkaks_registry.this.id
  subnet_id         = fkaks_network.this.subnet_ids[var.private_endpoint_subnet_name]
  tags              = var.tags

  dns = {
    zone_id             = var.registry_dns_zone_id
    virtual_network_ids = merge({ aks = fkaks_network.this.id }, var.virtual_network_ids)
  }
}

resource "fkaks_registry_access" "nodes" {
  registry_id = fkaks_registry.this.id
  cluster_id  = fkaks_cluster.this.id
  permissions = ["pull"]
}
