terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  group    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  registry = "${local.group}/providers/Microsoft.ContainerRegistry/registries/${var.registry}"
}

variable "registry" {
  type    = string
  default = "fkacrprivate"
}

variable "vault" {
  type    = string
  default = "kv-images"
}

variable "secret" {
  type    = string
  default = "team-pull"
}

variable "scope" {
  type    = map(set(string))
  default = { "team/*" = ["content/read"] }
}

variable "release" {
  type    = string
  default = "1"
}

variable "rotate_after" {
  type    = string
  default = null
}

variable "overlap" {
  type    = string
  default = "24h"
}

variable "status" {
  type    = string
  default = "enabled"
}

variable "password_in_state" {
  type    = bool
  default = false
}

resource "fkaks_registry_token" "team" {
  registry_id = local.registry
  name        = "team-pull"
  scope       = var.scope
  status      = var.status

  key_vault_secret = {
    vault_id           = "${local.group}/providers/Microsoft.KeyVault/vaults/${var.vault}"
    name               = var.secret
    docker_config_name = "team-pull-docker"
  }
  password_in_state = var.password_in_state

  rotate_when_changed = { release = var.release }
  rotate_after        = var.rotate_after
  overlap             = var.overlap
}
