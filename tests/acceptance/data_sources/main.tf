# Everything that the data sources look at: a cluster that pulls from a registry by a private endpoint.

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

resource "fkaks_resource_group" "aks" {
  name     = "rg-aks"
  location = "westeurope"
}

resource "fkaks_network" "aks" {
  name              = "fk-vnet-aks"
  resource_group_id = fkaks_resource_group.aks.id
  location          = "westeurope"
  address_space     = ["10.10.0.0/16"]

  subnets = {
    fk-subnet-aks               = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
    fk-subnet-private-endpoints = { purpose = "private_endpoints", address_prefixes = ["10.10.20.0/24"] }
  }
}

# Tests end with an empty Azure; whoever writes a configuration leaves the default, true.
resource "fkaks_registry" "acr" {
  name                = "fkacrread"
  resource_group_id   = fkaks_resource_group.aks.id
  location            = "westeurope"
  georeplications     = { northeurope = {} }
  deletion_protection = false
}

resource "fkaks_private_registry_link" "acr" {
  name              = "fk-acr-pe"
  resource_group_id = fkaks_resource_group.aks.id
  registry_id       = fkaks_registry.acr.id
  subnet_id         = fkaks_network.aks.subnet_ids["fk-subnet-private-endpoints"]
  dns               = { virtual_network_ids = { aks = fkaks_network.aks.id } }
}

resource "fkaks_cluster" "aks" {
  name                = "fk-aks"
  resource_group_id   = fkaks_resource_group.aks.id
  location            = "westeurope"
  deletion_protection = false

  node_pools = {
    system = {
      mode           = "System"
      vm_size        = "Standard_D4ds_v5"
      node_count     = 2
      vnet_subnet_id = fkaks_network.aks.subnet_ids["fk-subnet-aks"]
    }
  }
}

resource "fkaks_registry_access" "nodes" {
  registry_id = fkaks_registry.acr.id
  cluster_id  = fkaks_cluster.aks.id
  permissions = ["pull"]
}

variable "registry_id" {
  type    = string
  default = ""
}

variable "registry_name" {
  type    = string
  default = null
}

variable "timeout" {
  type    = string
  default = null
}

data "fkaks_registry" "by_id" {
  id         = fkaks_registry.acr.id
  timeouts   = { read = var.timeout }
  depends_on = [fkaks_private_registry_link.acr]
}

data "fkaks_registry" "by_name" {
  id                = var.registry_id == "" ? null : var.registry_id
  name              = coalesce(var.registry_name, fkaks_registry.acr.name)
  resource_group_id = fkaks_resource_group.aks.id
}

data "fkaks_cluster" "by_id" {
  id = fkaks_cluster.aks.id
}

data "fkaks_cluster" "by_name" {
  name              = fkaks_cluster.aks.name
  resource_group_id = fkaks_resource_group.aks.id
}

data "fkaks_cluster_egress" "aks" {
  cluster_id = fkaks_cluster.aks.id
}

data "fkaks_network" "aks" {
  id                             = fkaks_network.aks.id
  private_dns_zone_links_enabled = true
  depends_on                     = [fkaks_private_registry_link.acr, fkaks_cluster.aks]
}

data "fkaks_image_path" "aks" {
  cluster_id  = fkaks_cluster.aks.id
  registry_id = fkaks_registry.acr.id
  depends_on  = [fkaks_private_registry_link.acr, fkaks_registry_access.nodes]
}

# Without a resource that changed, only an output has the new state stored.
output "image_path" {
  value = data.fkaks_image_path.aks.findings
}

data "fkaks_registry_callers" "acr" {
  registry_id  = fkaks_registry.acr.id
  workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/logs"

  expected = {
    cluster_ids      = [fkaks_cluster.aks.id]
    ip_ranges        = ["198.51.100.0/24"]
    trusted_services = ["defender"]
  }
}
