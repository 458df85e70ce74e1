resource "fkaks_key_vault" "example" {
  name              = "kv-example-images"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  location          = "westeurope"

  # Private endpoints alone. Instead: "allowlist" with allowed_ip_ranges and allowed_subnet_ids, or "public".
  exposure = "private"

  soft_delete_retention_days = 30
  tags                       = { team = "platform" }
}

# The password is written through Azure Resource Manager, which a private vault lets in.
resource "fkaks_registry_token" "pull" {
  registry_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/examplecompanyimages"
  name        = "pull"

  scope = {
    "team/*" = ["content/read"]
  }
  key_vault_secret = {
    vault_id = fkaks_key_vault.example.id
    name     = "registry-password"
  }
}
