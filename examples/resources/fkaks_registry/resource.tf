resource "fkaks_registry" "example" {
  name              = "examplecompanyimages"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  location          = "westeurope"

  # Private endpoints alone. Instead: "allowlist" with allowed_ip_ranges, or "public".
  exposure = "private"

  georeplications = {
    northeurope = {}
  }
  retention_policy_in_days = 30
  tags                     = { team = "platform" }
}

output "login_server" {
  value = fkaks_registry.example.login_server
}
