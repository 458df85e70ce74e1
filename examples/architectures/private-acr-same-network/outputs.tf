output "image" {
  description = "What pods name, with `imagePullSecrets` of that name."
  value = {
    image       = "${fkaks_registry.acr.login_server}/nginx:1.27"
    pull_secret = fkaks_pull_secret.pull.name
  }
}

output "endpoints" {
  description = "Every name of the registry, and where it leads."
  value       = fkaks_private_registry_link.acr.endpoints
}

output "cluster_id" {
  description = "The cluster."
  value       = fkaks_cluster.aks.id
}
