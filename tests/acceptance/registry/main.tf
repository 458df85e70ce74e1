# A registry by its exposure, and the private way to it (the network is someone else's: foreign.json).

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  network = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.Network/virtualNetworks/vnet-aks"
}

variable "name" {
  type    = string
  default = "fkacrprivate"
}

variable "location" {
  type    = string
  default = "westeurope"
}

variable "sku" {
  type    = string
  default = "Premium"
}

variable "exposure" {
  type    = string
  default = "private"
}

variable "allowed_ip_ranges" {
  type    = set(string)
  default = null
}

variable "tighten_unverified" {
  type    = bool
  default = null
}

variable "export_policy_enabled" {
  type    = bool
  default = null
}

variable "data_endpoint_enabled" {
  type    = bool
  default = null
}

variable "retention_policy_in_days" {
  type    = number
  default = null
}

variable "georeplications" {
  type    = map(object({ regional_endpoint_enabled = optional(bool), tags = optional(map(string)) }))
  default = null
}

variable "identity" {
  type    = object({ type = string })
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

variable "linked" {
  type    = bool
  default = false
}

variable "subnet" {
  type    = string
  default = "endpoints"
}

resource "fkaks_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}

resource "fkaks_registry" "acr" {
  name                     = var.name
  resource_group_id        = fkaks_resource_group.app.id
  location                 = var.location
  sku                      = var.sku
  exposure                 = var.exposure
  allowed_ip_ranges        = var.allowed_ip_ranges
  tighten_unverified       = var.tighten_unverified
  export_policy_enabled    = var.export_policy_enabled
  data_endpoint_enabled    = var.data_endpoint_enabled
  retention_policy_in_days = var.retention_policy_in_days
  georeplications          = var.georeplications
  identity                 = var.identity
  deletion_protection      = var.deletion_protection
  tags                     = var.tags
}

resource "fkaks_private_registry_link" "acr" {
  count = var.linked ? 1 : 0

  name              = "fk-acr-pe"
  resource_group_id = fkaks_resource_group.app.id
  registry_id       = fkaks_registry.acr.id
  subnet_id         = "${local.network}/subnets/${var.subnet}"

  dns = {
    virtual_network_ids = { aks = local.network }
  }
}
