# The plan is turned on, unless it is on already, and put back in the end.
resource "fkaks_registry_defender" "example" {
  kubernetes_discovery_enabled = true
}

output "before" {
  value = fkaks_registry_defender.example.previous
}
