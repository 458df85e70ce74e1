terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  open  = "${local.group}/providers/Microsoft.ContainerRegistry/registries/fkacropen"
}

variable "effect" {
  type    = string
  default = "Audit"
}

variable "admin_off" {
  type    = bool
  default = false
}

variable "exempt" {
  type    = bool
  default = false
}

resource "fkaks_registry_guardrails" "images" {
  scope_id = local.group

  unrestricted_network_access = {
    effect  = var.effect
    message = "No open registries."
  }
  private_link      = {}
  admin_account_off = var.admin_off ? { remediate = true } : null

  exemptions = var.exempt ? {
    open = {
      scope_id   = local.open
      policies   = ["unrestricted_network_access"]
      category   = "Waiver"
      expires_on = "2099-01-31T00:00:00Z"
      reason     = "It is a mirror."
    }
  } : null
}
