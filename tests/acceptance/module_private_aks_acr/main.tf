# The module as its users call it: with the names of their own, and a subnet more.

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

module "private" {
  source = "../modules/private-aks-acr"

  resource_group_name = "rg-module"
  location            = "westeurope"
  acr_name            = "fkacrmodule"
  aks_name            = "fk-aks-module"
  subnets             = { fk-subnet-bastion = { purpose = "bastion", prefix_length = 26 } }
  georeplications     = { northeurope = {} }
  deletion_protection = false
  tags                = { environment = "test" }
}

output "acr_private_endpoint_ip" {
  value = module.private.acr_private_endpoint_ip
}

output "private_ip_addresses" {
  value = module.private.private_ip_addresses
}

output "subnet_ids" {
  value = module.private.subnet_ids
}

output "kubelet_object_id" {
  value = module.private.kubelet_object_id
}
