resource "fkaks_registry_allowlist" "example" {
  registry_id = fkaks_registry.example.id
  cluster_ids = [fkaks_cluster.example.id]
  ip_ranges   = ["198.51.100.0/24"] # the office

  temporary = {
    incident-4711 = {
      ip_ranges     = ["203.0.113.7"]
      expires_after = "8h"
    }
  }
}
