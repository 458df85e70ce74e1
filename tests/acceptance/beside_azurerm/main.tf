# The network, the hub's zone and the registry belong to someone else: azurerm, or a hub team.

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  subscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
  app          = "${local.subscription}/resourceGroups/app/providers"
  network      = "${local.app}/Microsoft.Network/virtualNetworks/vnet"
}

variable "registry" {
  type    = string
  default = "theirregistry"
}

variable "subnet" {
  type    = string
  default = "endpoints"
}

variable "zone_id" {
  type    = string
  default = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
}

variable "records" {
  type    = string
  default = "zone_group"
}

variable "linked" {
  type    = bool
  default = true
}

variable "static_ips" {
  type    = map(string)
  default = null
}

variable "manual" {
  type    = bool
  default = false
}

variable "tags" {
  type    = map(string)
  default = {}
}

resource "fkaks_private_registry_link" "acr" {
  name              = "pe-acr"
  resource_group_id = "${local.subscription}/resourceGroups/app"
  registry_id       = "${local.app}/Microsoft.ContainerRegistry/registries/${var.registry}"
  subnet_id         = "${local.network}/subnets/${var.subnet}"
  static_ips        = var.static_ips
  manual_approval   = var.manual ? { message = "let us in, please" } : null
  tags              = var.tags

  dns = {
    zone_id             = var.zone_id
    records             = var.records
    virtual_network_ids = var.linked ? { aks = local.network } : {}
  }
}

output "endpoints" {
  value = fkaks_private_registry_link.acr.endpoints
}
