variable "resource_group_name" {
  description = "The resource group of everything here."
  type        = string
  default     = "images-rg"
}

variable "location" {
  description = "The region of everything here."
  type        = string
  default     = "westeurope"
}

variable "cluster_name" {
  description = "The cluster's name."
  type        = string
  default     = "aks"
}

variable "registry_name" {
  description = "The registry's name, which is unique in all of Azure."
  type        = string
  default     = "acrpeerednetwork"
}

variable "key_vault_name" {
  description = "The vault that keeps the token's password; its name is unique in all of Azure."
  type        = string
  default     = "kv-acrpeerednetwork"
}

variable "rotate_after" {
  description = "After how long the token gets a new password, at the apply that follows."
  type        = string
  default     = "720h"
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
  description = "Whether the cluster, the registry and the vault refuse to be destroyed: what is in them cannot be restored."
  type        = bool
  default     = false
}

variable "tags" {
  description = "The tags of everything here."
  type        = map(string)
  default     = { environment = "example" }
}
