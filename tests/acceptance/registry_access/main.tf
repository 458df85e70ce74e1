terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  registry = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/fkacrprivate"
}

variable "principal" {
  type    = string
  default = "5d2c1a7e-0b1f-4c55-9d3c-0c5f3b5a7a01"
}

variable "permissions" {
  type    = set(string)
  default = ["pull"]
}

variable "repositories" {
  type    = set(string)
  default = null
}

variable "existing" {
  type    = string
  default = "accept"
}

# Stands for an identity that is made anew when its name changes: its object id is not known in that plan.
resource "terraform_data" "identity" {
  input            = var.principal
  triggers_replace = [var.principal]
}

resource "fkaks_registry_access" "ci" {
  registry_id   = local.registry
  principal_ids = { ci = terraform_data.identity.output }
  permissions   = var.permissions
  repositories  = var.repositories
  existing      = var.existing
}
