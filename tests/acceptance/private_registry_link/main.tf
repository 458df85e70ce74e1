# The flagship on a network and a registry that someone else made (foreign.json).

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  shared   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers"
  networks = { for name in var.networks : name => "${local.shared}/Microsoft.Network/virtualNetworks/${name}" }
}

variable "name" {
  type    = string
  default = "fk-acr-pe"
}

variable "registry" {
  type    = string
  default = "fkacrlink"
}

variable "networks" {
  type    = set(string)
  default = ["vnet-aks"]
}

variable "records" {
  type    = string
  default = "zone_group"
}

variable "subnet" {
  type    = string
  default = "endpoints"
}

variable "static_ips" {
  type    = map(string)
  default = null
}

variable "manual_approval" {
  type    = object({ message = optional(string) })
  default = null
}

resource "fkaks_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}

resource "fkaks_private_registry_link" "acr" {
  name              = var.name
  resource_group_id = fkaks_resource_group.app.id
  registry_id       = "${local.shared}/Microsoft.ContainerRegistry/registries/${var.registry}"
  subnet_id         = "${local.shared}/Microsoft.Network/virtualNetworks/vnet-aks/subnets/${var.subnet}"
  static_ips        = var.static_ips
  manual_approval   = var.manual_approval

  dns = {
    virtual_network_ids = local.networks
    records             = var.records
  }
}

output "endpoints" {
  value = fkaks_private_registry_link.acr.endpoints
}
