terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

variable "address_space" {
  type    = list(string)
  default = ["10.10.0.0/16"]
}

variable "subnets" {
  type = map(object({
    purpose                   = string
    name                      = optional(string)
    address_prefixes          = optional(list(string))
    prefix_length             = optional(number)
    service_endpoints         = optional(set(string))
    network_security_group_id = optional(string)
  }))
  default = {
    fk-subnet-aks               = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
    fk-subnet-private-endpoints = { purpose = "private_endpoints", prefix_length = 24 }
    bastion                     = { purpose = "bastion", prefix_length = 26 }
    api                         = { purpose = "aks_api_server", prefix_length = 28 }
  }
}

variable "tags" {
  type    = map(string)
  default = { env = "test" }
}

resource "fkaks_resource_group" "app" {
  name     = "rg-app"
  location = "westeurope"
}

resource "fkaks_network" "aks" {
  name              = "fk-vnet"
  resource_group_id = fkaks_resource_group.app.id
  location          = "West Europe"
  address_space     = var.address_space
  dns_servers       = ["10.10.0.5", "10.10.0.4"]
  reserved_prefixes = ["10.10.0.0/22"]
  subnets           = var.subnets
  tags              = var.tags
}

output "id" {
  value = fkaks_network.aks.id
}

output "subnet_ids" {
  value = fkaks_network.aks.subnet_ids
}

output "subnet_address_prefixes" {
  value = fkaks_network.aks.subnet_address_prefixes
}
