# Who called in the last day? The workspace is the one that the registry's diagnostic settings name.
data "fkaks_registry_callers" "example" {
  registry_id = fkaks_registry.images.id
  window      = "24h"

  expected = {
    cluster_ids      = [fkaks_cluster.apps.id]
    ip_ranges        = ["203.0.113.0/28"]
    trusted_services = ["defender"]
  }
}

check "nobody_else_calls" {
  assert {
    condition     = length(data.fkaks_registry_callers.example.unexpected) == 0
    error_message = jsonencode(data.fkaks_registry_callers.example.unexpected)
  }
}
