output "login_server" {
  description = "What images are pulled from."
  value       = fkaks_registry.this.login_server
}

output "endpoints" {
  description = "Every name of the registry, and where it leads."
  value       = fkaks_private_registry_link.acr.endpoints
}

output "connection_state" {
  description = "Whether the registry's owner lets the endpoint in."
  value       = fkaks_private_registry_link.acr.connection_state
}

output "zone_id" {
  description = "The zone that answers."
  value       = fkaks_private_registry_link.acr.zone_id
}
