terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

# Logs in as azurerm does: from this block or the ARM_* environment, with a service principal,
# a federated token, a managed identity or the Azure CLI.
provider "fkaks" {
  subscription_id = "00000000-0000-0000-0000-000000000000"

  default_tags = { managed_by = "opentofu" }
  ignore_tags  = { prefixes = ["hidden-"] }
}
