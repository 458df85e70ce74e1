terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {
  default_tags = { managed_by = "opentofu" }
  ignore_tags  = { prefixes = ["hidden-"] }
}

variable "name" {
  type    = string
  default = "rg-app"
}

variable "location" {
  type    = string
  default = "West Europe"
}

variable "tags" {
  type    = map(string)
  default = { env = "test" }
}

resource "fkaks_resource_group" "app" {
  name     = var.name
  location = var.location
  tags     = var.tags
}

output "id" {
  value = fkaks_resource_group.app.id
}
