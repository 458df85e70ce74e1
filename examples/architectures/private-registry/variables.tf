variable "resource_group_name" {
  description = "The resource group of everything here."
  type        = string
  default     = "fk-rg"
}

variable "location" {
  description = "The region of everything here."
  type        = string
  default     = "westeurope"
}

variable "registry_name" {
  description = "The registry's name, which is unique in all of Azure."
  type        = string
  default     = "fkacrprivate"
}

variable "deletion_protection" {
  description = "Whether the registry refuses to be destroyed: its images cannot be restored."
  type        = bool
  default     = false
}

variable "tags" {
  description = "The tags of everything here."
  type        = map(string)
  default     = { environment = "example" }
}
