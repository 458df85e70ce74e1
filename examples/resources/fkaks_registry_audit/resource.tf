# The events go to a workspace of someone else's, and what a policy sends there already counts.
resource "fkaks_registry_audit" "example" {
  registry_id  = fkaks_registry.images.id
  workspace_id = azurerm_log_analytics_workspace.security.id
}

# The events go to a workspace of their own, which is kept when others come to use it.
resource "fkaks_registry_audit" "own" {
  registry_id     = fkaks_registry.images.id
  name            = "fkaks-own"
  events          = ["login", "repository"]
  metrics_enabled = true

  workspace = {
    name              = "log-images"
    retention_in_days = 90
  }
}

output "where_queries_go" {
  value = fkaks_registry_audit.own.workspace_customer_id
}
