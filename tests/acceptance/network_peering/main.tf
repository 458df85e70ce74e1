terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  # The hub is another team's, in a subscription of its own.
  hub = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub"
}

variable "address_space" {
  type    = list(string)
  default = ["10.10.0.0/16"]
}

variable "hub" {
  type    = string
  default = null
}

variable "manage" {
  type    = string
  default = "both"
}

variable "remote" {
  type    = any
  default = null
}

variable "use_remote_gateways" {
  type    = bool
  default = false
}

resource "fkaks_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}

resource "fkaks_network" "app" {
  name              = "vnet-aks"
  resource_group_id = fkaks_resource_group.app.id
  location          = fkaks_resource_group.app.location
  address_space     = var.address_space

  subnets = {
    nodes = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
  }
}

resource "fkaks_network_peering" "hub" {
  name                      = "to-hub"
  virtual_network_id        = fkaks_network.app.id
  remote_virtual_network_id = coalesce(var.hub, local.hub)
  manage                    = var.manage
  allow_forwarded_traffic   = true
  use_remote_gateways       = var.use_remote_gateways
  remote                    = var.remote

  triggers = {
    space = jsonencode(fkaks_network.app.address_space)
  }
}
