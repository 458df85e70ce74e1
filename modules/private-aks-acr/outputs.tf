output "resource_group_id" {
  description = "The resource group."
  value       = local.resource_group_id
}

output "vnet_id" {
  description = "The network."
  value       = fkaks_network.this.id
}

output "vnet_name" {
  description = "The network's name."
  value       = fkaks_network.this.name
}

output "subnet_ids" {
  description = "The subnets, by name."
  value       = fkaks_network.this.subnet_ids
}

output "subnet_address_prefixes" {
  description = "The addresses of the subnets, by name."
  value       = fkaks_network.this.subnet_address_prefixes
}

output "aks_id" {
  description = "The cluster."
  value       = fkaks_cluster.this.id
}

output "aks_name" {
  description = "The cluster's name."
  value       = fkaks_cluster.this.name
}

output "private_fqdn" {
  description = "The private name of the API server."
  value       = fkaks_cluster.this.private_fqdn
}

output "node_resource_group" {
  description = "The name of the nodes' resource group."
  value       = fkaks_cluster.this.node_resource_group
}

output "kubelet_object_id" {
  description = "The identity that pulls."
  value       = fkaks_cluster.this.kubelet_identity.object_id
}

output "egress_ips" {
  description = "The addresses from which the cluster reaches the world."
  value       = fkaks_cluster.this.egress_ips
}

output "acr_id" {
  description = "The registry."
  value       = fkaks_registry.this.id
}

output "acr_login_server" {
  description = "What images are pulled from."
  value       = fkaks_registry.this.login_server
}

output "private_endpoint_id" {
  description = "The registry's endpoint."
  value       = fkaks_private_registry_link.this.id
}

output "acr_private_endpoint_ip" {
  description = "The private address of the login server."
  value       = fkaks_private_registry_link.this.endpoints[fkaks_registry.this.login_server].ip
}

output "private_ip_addresses" {
  description = "The private address of every name of the registry."
  value       = { for name, endpoint in fkaks_private_registry_link.this.endpoints : name => endpoint.ip }
}

output "private_dns_zone_id" {
  description = "The zone that answers."
  value       = fkaks_private_registry_link.this.zone_id
}
