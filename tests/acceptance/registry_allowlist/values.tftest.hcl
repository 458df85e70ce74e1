run "each_allows_its_own" {
  assert {
    condition     = fkaks_registry_allowlist.office.entries["198.51.100.0/24"].owned
    error_message = "the entries are ${jsonencode(fkaks_registry_allowlist.office.entries)}"
  }
  assert {
    condition     = toset(keys(fkaks_registry_allowlist.nodes.entries)) == fkaks_cluster.aks.egress_ips
    error_message = "the entries are ${jsonencode(fkaks_registry_allowlist.nodes.entries)}, and the cluster leaves by ${jsonencode(fkaks_cluster.aks.egress_ips)}"
  }
  assert {
    condition     = alltrue([for entry in fkaks_registry_allowlist.nodes.entries : contains(entry.sources, fkaks_cluster.aks.id)])
    error_message = "the entries are ${jsonencode(fkaks_registry_allowlist.nodes.entries)}"
  }
}
