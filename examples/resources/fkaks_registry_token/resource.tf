# A login that pulls what lies below team/, with its password in a key vault: by itself, and in the form of
# a pull secret. It is made anew after thirty days, or when the release changes.
resource "fkaks_registry_token" "example" {
  registry_id = fkaks_registry.images.id
  name        = "team-pull"
  description = "Pulls for the team's clusters"
  scope = {
    "team/*" = ["content/read", "metadata/read"]
    "base"   = ["content/read"]
  }

  key_vault_secret = {
    vault_id           = azurerm_key_vault.apps.id
    name               = "team-pull-password"
    docker_config_name = "team-pull-dockerconfigjson"
  }

  rotate_after        = "720h"
  rotate_when_changed = { release = "2026-11" }
  overlap             = "48h"
}

# A registry's own scope map, and the password in the state.
resource "fkaks_registry_token" "all" {
  registry_id       = fkaks_registry.images.id
  name              = "pull-all"
  scope_map_id      = "${fkaks_registry.images.id}/scopeMaps/_repositories_pull"
  password_in_state = true
}

output "login" {
  value = {
    server    = fkaks_registry_token.example.login_server
    user_name = fkaks_registry_token.example.user_name
    password  = fkaks_registry_token.example.secrets["password"].uri
  }
}
