terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  group    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  registry = "${local.group}/providers/Microsoft.ContainerRegistry/registries/fkacrprivate"
  security = "${local.group}/providers/Microsoft.OperationalInsights/workspaces/log-security"
}

variable "own_workspace" {
  type    = bool
  default = false
}

variable "workspace_id" {
  type    = string
  default = null
}

variable "events" {
  type    = set(string)
  default = null
}

variable "metrics" {
  type    = bool
  default = false
}

variable "existing" {
  type    = string
  default = "accept"
}

resource "fkaks_registry_audit" "images" {
  registry_id     = local.registry
  workspace_id    = var.own_workspace ? null : coalesce(var.workspace_id, local.security)
  events          = var.events
  metrics_enabled = var.metrics
  existing        = var.existing

  workspace = var.own_workspace ? {
    name              = "log-images"
    retention_in_days = 90
  } : null
}
