variable "resource_group_name" {
  description = "The resource group of everything here."
  type        = string
  default     = "fk-rg-allowlisted"
}

variable "location" {
  description = "The region of everything here."
  type        = string
  default     = "westeurope"
}

variable "cluster_name" {
  description = "The cluster's name."
  type        = string
  default     = "fk-aks"
}

variable "registry_name" {
  description = "The registry's name, which is unique in all of Azure."
  type        = string
  default     = "fkacrallowlisted"
}

variable "vm_size" {
  description = "The machines of the nodes."
  type        = string
  default     = "Standard_D4ds_v5"
}

variable "node_count" {
  description = "How many nodes there are."
  type        = number
  default     = 2
}

variable "deletion_protection" {
  description = "Whether the cluster and the registry refuse to be destroyed: what is in them cannot be restored."
  type        = bool
  default     = false
}

variable "tags" {
  description = "The tags of everything here."
  type        = map(string)
  default     = { environment = "example" }
}

variable "allowed_ip_ranges" {
  description = "The public addresses of others who may reach the registry, those of the build agents for example."
  type        = set(string)
  default     = ["198.51.100.0/24"]
}

variable "window" {
  description = "How far the check of who called looks back."
  type        = string
  default     = "24h"
}
