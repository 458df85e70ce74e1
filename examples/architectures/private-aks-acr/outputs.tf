output "login_server" {
  description = "What images are pulled from."
  value       = fkaks_registry.acr.login_server
}

output "endpoints" {
  description = "Every name of the registry, and where it leads."
  value       = fkaks_private_registry_link.acr.endpoints
}

output "cluster_id" {
  description = "The cluster."
  value       = fkaks_cluster.aks.id
}

output "kubelet_object_id" {
  description = "The identity that pulls."
  value       = fkaks_cluster.aks.kubelet_identity.object_id
}
