# A container registry that is reached over its private endpoint alone, and the network of a
# cluster that resolves it there.

terraform {
  required_version = ">= 1.6"
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

resource "fkaks_resource_group" "this" {
  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

resource "fkaks_network" "aks" {
  name              = "fk-vnet-aks"
  resource_group_id = fkaks_resource_group.this.id
  location          = var.location
  address_space     = ["10.10.0.0/16"]
  tags              = var.tags

  subnets = {
    fk-subnet-aks = {
      purpose          = "aks_nodes"
      address_prefixes = ["10.10.8.0/22"]
    }
    fk-subnet-private-endpoints = {
      purpose          = "private_endpoints"
      address_prefixes = ["10.10.20.0/24"]
    }
  }
}

resource "fkaks_registry" "this" {
  name                = var.registry_name
  resource_group_id   = fkaks_resource_group.this.id
  location            = var.location
  sku                 = "Premium"
  exposure            = "private"
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

resource "fkaks_private_registry_link" "acr" {
  name              = "fk-acr-pe"
  resource_group_id = fkaks_resource_group.this.id
  registry_id       = fkaks_registry.this.id
  subnet_id         = fkaks_network.aks.subnet_ids["fk-subnet-private-endpoints"]
  tags              = var.tags

  dns = {
    virtual_network_ids = { aks = fkaks_network.aks.id }
  }
}

# The proof: every name of the registry leads into the endpoints' subnet, and the way is open.
check "the_registry_is_private" {
  assert {
    condition = alltrue([
      for endpoint in fkaks_private_registry_link.acr.endpoints :
      startswith(endpoint.ip, "10.10.20.")
    ])
    error_message = "A name of the registry leads out of the endpoints' subnet."
  }
  assert {
    condition     = fkaks_private_registry_link.acr.connection_state == "Approved"
    error_message = "The endpoint's connection is ${fkaks_private_registry_link.acr.connection_state}."
  }
  assert {
    condition     = contains(keys(fkaks_private_registry_link.acr.endpoints), fkaks_registry.this.login_server)
    error_message = "The login server has no private address."
  }
}
