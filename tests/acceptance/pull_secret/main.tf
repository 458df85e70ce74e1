# A private cluster, a token whose password is in a private vault, and the pull secret of it.

terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  vault = "${local.group}/providers/Microsoft.KeyVault/vaults/kv-images"
}

variable "release" {
  type    = string
  default = "1"
}

variable "namespace" {
  type    = string
  default = "apps"
}

variable "name" {
  type    = string
  default = "team-pull"
}

variable "create_namespace" {
  type    = bool
  default = true
}

variable "pinned" {
  type    = bool
  default = true
}

variable "docker_secret" {
  type    = string
  default = "team-pull-docker"
}

variable "run_command_enabled" {
  type    = bool
  default = true
}

variable "manage_role_assignments" {
  type    = bool
  default = true
}

resource "fkaks_registry_token" "team" {
  registry_id = "${local.group}/providers/Microsoft.ContainerRegistry/registries/fkacrprivate"
  name        = "team-pull"
  scope       = { "team/*" = ["content/read"] }

  key_vault_secret = {
    vault_id           = local.vault
    name               = "team-pull"
    docker_config_name = "team-pull-docker"
  }

  rotate_when_changed = { release = var.release }
  overlap             = "0s"
}

resource "fkaks_network" "aks" {
  name              = "vnet-aks"
  resource_group_id = local.group
  location          = "westeurope"
  address_space     = ["10.20.0.0/16"]

  subnets = {
    nodes = {
      purpose       = "aks_nodes"
      prefix_length = 22
    }
  }
}

resource "fkaks_cluster" "aks" {
  name                = "aks-team"
  resource_group_id   = local.group
  location            = "westeurope"
  deletion_protection = false
  kubelet_identity_id = "${local.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-nodes"
  run_command_enabled = var.run_command_enabled

  node_pools = {
    system = {
      mode       = "System"
      vm_size    = "Standard_D4ds_v5"
      node_count = 1

      vnet_subnet_id = fkaks_network.aks.subnet_ids["nodes"]
    }
  }
}

resource "fkaks_pull_secret" "team" {
  cluster_id           = fkaks_cluster.aks.id
  namespace            = var.namespace
  name                 = var.name
  create_namespace     = var.create_namespace
  manage_role_assignments = var.manage_role_assignments
  key_vault_secret_id  = var.docker_secret == "team-pull-docker" ? fkaks_registry_token.team.secrets["dockerconfigjson"].id : "${local.vault}/secrets/${var.docker_secret}"
  key_vault_secret_uri = var.pinned ? fkaks_registry_token.team.secrets["dockerconfigjson"].versioned_uri : null
}
