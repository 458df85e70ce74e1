# The reference cluster: private, in a subnet of its own network, with AKS's own zone.

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

variable "kubernetes_version" {
  type    = string
  default = null
}

variable "automatic_upgrade_channel" {
  type    = string
  default = null
}

variable "service_cidr" {
  type    = string
  default = "10.0.0.0/16"
}

variable "dns_service_ip" {
  type    = string
  default = null
}

variable "network_plugin_mode" {
  type    = string
  default = null
}

variable "network_policy" {
  type    = string
  default = null
}

variable "private_dns_zone_id" {
  type    = string
  default = null
}

variable "api_server_access_profile" {
  type    = object({ authorized_ip_ranges = optional(set(string)) })
  default = null
}

variable "azure_policy" {
  type    = string
  default = "as it is"
}

variable "identity_id" {
  type    = string
  default = null
}

variable "manage_role_assignments" {
  type    = bool
  default = null
}

variable "vm_size" {
  type    = string
  default = "Standard_D4ds_v5"
}

variable "node_count" {
  type    = number
  default = 2
}

variable "max_pods" {
  type    = number
  default = null
}

variable "apps" {
  type    = bool
  default = false
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

resource "fkaks_resource_group" "aks" {
  name     = "rg-aks"
  location = "westeurope"
}

resource "fkaks_network" "aks" {
  name              = "fk-vnet-aks"
  resource_group_id = fkaks_resource_group.aks.id
  location          = "westeurope"
  address_space     = ["10.10.0.0/16"]

  subnets = {
    fk-subnet-aks = { purpose = "aks_nodes", address_prefixes = ["10.10.8.0/22"] }
  }
}

resource "fkaks_cluster" "aks" {
  name              = "fk-aks"
  resource_group_id = fkaks_resource_group.aks.id
  location          = "westeurope"

  kubernetes_version        = var.kubernetes_version
  automatic_upgrade_channel = var.automatic_upgrade_channel
  service_cidr              = var.service_cidr
  dns_service_ip            = var.dns_service_ip
  network_plugin_mode       = var.network_plugin_mode
  network_policy            = var.network_policy
  private_dns_zone_id       = var.private_dns_zone_id
  api_server_access_profile = var.api_server_access_profile
  azure_policy_enabled      = var.azure_policy == "as it is" ? null : var.azure_policy == "on"
  identity_id               = var.identity_id
  manage_role_assignments   = var.manage_role_assignments
  deletion_protection       = var.deletion_protection
  tags                      = var.tags

  node_pools = merge(
    {
      system = {
        mode           = "System"
        vm_size        = var.vm_size
        node_count     = var.node_count
        max_pods       = var.max_pods
        vnet_subnet_id = fkaks_network.aks.subnet_ids["fk-subnet-aks"]
      }
    },
    var.apps ? {
      apps = {
        vm_size              = "Standard_D8ds_v5"
        auto_scaling_enabled = true
        min_count            = 1
        max_count            = 5
        node_labels          = { workload = "apps" }
        vnet_subnet_id       = fkaks_network.aks.subnet_ids["fk-subnet-aks"]
      }
    } : {}
  )
}
