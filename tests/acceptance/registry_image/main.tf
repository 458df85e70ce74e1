terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

locals {
  registries = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries"
}

variable "image" {
  type    = string
  default = "docker.io/library/nginx:1.27"
}

variable "tags" {
  type    = set(string)
  default = ["nginx:1.27", "base/nginx:stable"]
}

variable "untagged" {
  type    = set(string)
  default = null
}

variable "force" {
  type    = bool
  default = false
}

variable "delete" {
  type    = bool
  default = false
}

resource "fkaks_registry_image" "nginx" {
  registry_id                  = "${local.registries}/fkacrimages"
  source                       = { image = var.image }
  target_tags                  = var.tags
  untagged_target_repositories = var.untagged
  force                        = var.force
  delete_on_destroy            = var.delete
}
