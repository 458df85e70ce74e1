# A vault by its exposure, and the network that is allowed to reach it (someone else's: foreign.json).

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  subnets = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.Network/virtualNetworks/vnet-aks/subnets"
}

variable "name" {
  type    = string
  default = "kv-pull"
}

variable "location" {
  type    = string
  default = "westeurope"
}

variable "sku" {
  type    = string
  default = null
}

variable "exposure" {
  type    = string
  default = null
}

variable "allowed_ip_ranges" {
  type    = set(string)
  default = null
}

variable "allowed_subnets" {
  type    = set(string)
  default = []
}

variable "trusted_services_enabled" {
  type    = bool
  default = null
}

variable "soft_delete_retention_days" {
  type    = number
  default = null
}

variable "purge_protection_enabled" {
  type    = bool
  default = null
}

variable "recover_deleted" {
  type    = bool
  default = null
}

# Tests end with an empty Azure; whoever writes a configuration leaves the default, true.
variable "deletion_protection" {
  type    = bool
  default = false
}

variable "tags" {
  type    = map(string)
  default = null
}

resource "fkaks_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}

resource "fkaks_key_vault" "pull" {
  name                       = var.name
  resource_group_id          = fkaks_resource_group.app.id
  location                   = var.location
  sku                        = var.sku
  exposure                   = var.exposure
  allowed_ip_ranges          = var.allowed_ip_ranges
  allowed_subnet_ids         = length(var.allowed_subnets) == 0 ? null : [for name in var.allowed_subnets : "${local.subnets}/${name}"]
  trusted_services_enabled   = var.trusted_services_enabled
  soft_delete_retention_days = var.soft_delete_retention_days
  purge_protection_enabled   = var.purge_protection_enabled
  recover_deleted            = var.recover_deleted
  deletion_protection        = var.deletion_protection
  tags                       = var.tags
}
