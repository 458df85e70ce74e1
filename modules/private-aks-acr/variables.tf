variable "resource_group_id" {
  description = "The resource group of everything here. Unless given, one named `resource_group_name` is made."
  type        = string
  default     = null
}

variable "resource_group_name" {
  description = "The name of the resource group that is made when none is given."
  type        = string
  default     = "fk-rg"
}

variable "location" {
  description = "The region of everything here."
  type        = string
}

variable "vnet_name" {
  description = "The network's name."
  type        = string
  default     = "fk-vnet-aks"
}

variable "address_space" {
  description = "The network's address space."
  type        = list(string)
  default     = ["10.10.0.0/16"]
}

variable "dns_servers" {
  description = "The network's own DNS servers, which must forward to Azure's. Unless given, Azure's."
  type        = list(string)
  default     = null
}

variable "subnets" {
  description = "Further subnets of the network, as `subnets` of `fkaks_network`."
  type        = any
  default     = {}
}

variable "aks_subnet_name" {
  description = "The name of the nodes' subnet."
  type        = string
  default     = "fk-subnet-aks"
}

variable "aks_subnet_address_prefixes" {
  description = "The addresses of the nodes' subnet."
  type        = list(string)
  default     = ["10.10.8.0/22"]
}

variable "private_endpoint_subnet_name" {
  description = "The name of the endpoints' subnet."
  type        = string
  default     = "fk-subnet-private-endpoints"
}

variable "private_endpoint_subnet_address_prefixes" {
  description = "The addresses of the endpoints' subnet."
  type        = list(string)
  default     = ["10.10.20.0/24"]
}

variable "aks_name" {
  description = "The cluster's name."
  type        = string
  default     = "fk-aks"
}

variable "dns_prefix" {
  description = "How the host of the API server begins. Unless given, the cluster's name."
  type        = string
  default     = null
}

variable "kubernetes_version" {
  description = "The version of Kubernetes. Unless given, Azure decides."
  type        = string
  default     = null
}

variable "private_dns_zone_id" {
  description = "The zone of the API server: `system`, `none`, or an id."
  type        = string
  default     = "system"
}

variable "network_plugin_mode" {
  description = "Where pods get their addresses: `overlay`, `node_subnet` or `pod_subnet`."
  type        = string
  default     = "overlay"
}

variable "network_policy" {
  description = "Who enforces network policies: `azure`, `calico`, `cilium` or `none`."
  type        = string
  default     = "none"
}

variable "outbound_type" {
  description = "How nodes reach the world: `load_balancer`, `nat_gateway`, `user_defined_routing` or `none`."
  type        = string
  default     = "load_balancer"
}

variable "default_node_pool_name" {
  description = "The name of the node pool."
  type        = string
  default     = "system"
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

variable "zones" {
  description = "The availability zones of the nodes."
  type        = set(string)
  default     = null
}

variable "acr_name" {
  description = "The registry's name, which is unique in all of Azure."
  type        = string
}

variable "georeplications" {
  description = "The registry's replicas, as `georeplications` of `fkaks_registry`."
  type        = any
  default     = null
}

variable "private_endpoint_name" {
  description = "The name of the registry's endpoint."
  type        = string
  default     = "fk-acr-pe"
}

variable "registry_dns_zone_id" {
  description = "An existing zone `privatelink.azurecr.io`, such as a hub's. Unless given, one is made."
  type        = string
  default     = null
}

variable "virtual_network_ids" {
  description = "Further networks that resolve the registry privately, by a key of your own."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether the cluster and the registry refuse to be destroyed: what is in them cannot be restored."
  type        = bool
  default     = true
}

variable "tags" {
  description = "The tags of everything here."
  type        = map(string)
  default     = {}
}
