terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  hub = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub"
}

variable "prefix" {
  type    = string
  default = "10.0.0.64/27"
}

variable "name" {
  type    = string
  default = "endpoints"
}

resource "fkaks_subnet" "endpoints" {
  name               = var.name
  virtual_network_id = local.hub
  purpose            = "private_endpoints"
  address_prefixes   = [var.prefix]
}

# Placed at the same time, and so each around the others.
resource "fkaks_subnet" "placed" {
  for_each = toset(["a", "b", "c"])

  name               = each.key
  virtual_network_id = local.hub
  purpose            = "agents"
  prefix_length      = 28

  depends_on = [fkaks_subnet.endpoints]
}
