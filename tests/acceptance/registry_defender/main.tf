terraform {
  required_providers {
    fkaks = { source = "fkaks/fkaks" }
  }
}

provider "fkaks" {}

variable "existing" {
  type    = string
  default = "accept"
}

variable "sensor" {
  type    = bool
  default = null
}

resource "fkaks_registry_defender" "containers" {
  existing       = var.existing
  sensor_enabled = var.sensor
}
