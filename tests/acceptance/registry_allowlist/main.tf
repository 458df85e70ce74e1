terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
}

variable "registry" {
  type    = string
  default = "fkacrpublic"
}

variable "outbound_ip_count" {
  type    = number
  default = 1
}

variable "ranges" {
  type    = set(string)
  default = ["198.51.100.0/24", "203.0.113.7"]
}

variable "temporary" {
  type = map(object({
    ip_ranges     = set(string)
    expires_after = string
  }))
  default = null
}

resource "fkaks_network" "aks" {
  name              = "vnet-allowed"
  resource_group_id = local.group
  location          = "westeurope"
  address_space     = ["10.20.0.0/16"]

  subnets = {
    nodes = {
      purpose       = "aks_nodes"
      prefix_length = 22
    }
  }
}

resource "fkaks_cluster" "aks" {
  name                = "aks-allowed"
  resource_group_id   = local.group
  location            = "westeurope"
  deletion_protection = false

  load_balancer_profile = {
    managed_outbound_ip_count = var.outbound_ip_count
  }

  node_pools = {
    system = {
      mode       = "System"
      vm_size    = "Standard_D4ds_v5"
      node_count = 1

      vnet_subnet_id = fkaks_network.aks.subnet_ids["nodes"]
    }
  }
}

# The addresses of the nodes, and of whoever else works with them.
resource "fkaks_registry_allowlist" "nodes" {
  registry_id = "${local.group}/providers/Microsoft.ContainerRegistry/registries/${var.registry}"
  cluster_ids = [fkaks_cluster.aks.id]
  temporary   = var.temporary
}

# Another team's, on the same registry.
resource "fkaks_registry_allowlist" "office" {
  registry_id = "${local.group}/providers/Microsoft.ContainerRegistry/registries/fkacrpublic"
  ip_ranges   = var.ranges
}
