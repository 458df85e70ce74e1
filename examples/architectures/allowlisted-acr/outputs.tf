output "login_server" {
  description = "What images are pulled from."
  value       = fkaks_registry.acr.login_server
}

output "allowed" {
  description = "Every address that is let in, and for whom."
  value       = merge(fkaks_registry_allowlist.nodes.entries, fkaks_registry_allowlist.others.entries)
}

output "query" {
  description = "The query that tells who called, to be run by hand or made an alert of."
  value       = data.fkaks_registry_callers.acr.query
}
