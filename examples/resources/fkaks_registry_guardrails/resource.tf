# New registries must not be open to the internet, and those with an admin user lose it.
resource "fkaks_registry_guardrails" "example" {
  scope_id = fkaks_resource_group.images.id

  unrestricted_network_access = {
    effect  = "Deny"
    message = "Registries here are private or have an allowlist: see the platform's handbook."
  }

  private_link = {}

  admin_account_off = {
    remediate = true
  }

  exemptions = {
    legacy-builds = {
      scope_id   = "${fkaks_resource_group.images.id}/providers/Microsoft.ContainerRegistry/registries/legacybuilds"
      policies   = ["unrestricted_network_access"]
      category   = "Waiver"
      expires_on = "2027-03-31T00:00:00Z"
      reason     = "The build agents move into the network in March."
    }
  }
}

output "not_compliant" {
  value = fkaks_registry_guardrails.example.compliance["unrestricted_network_access"].non_compliant_ids
}
