run "the_token_is_made_and_its_password_is_in_the_vault" {
  assert {
    condition     = fkaks_registry_token.team.id == "${local.registry}/tokens/team-pull"
    error_message = "the id is ${fkaks_registry_token.team.id}"
  }
  assert {
    condition     = fkaks_registry_token.team.scope_map_id == "${local.registry}/scopeMaps/team-pull"
    error_message = "the scope map is ${fkaks_registry_token.team.scope_map_id}"
  }
  assert {
    condition     = fkaks_registry_token.team.user_name == "team-pull" && fkaks_registry_token.team.login_server == "fkacrprivate.azurecr.io"
    error_message = "the login is ${fkaks_registry_token.team.user_name} at ${fkaks_registry_token.team.login_server}"
  }
  assert {
    condition     = fkaks_registry_token.team.active_slot == "password1" && !fkaks_registry_token.team.rotation_due
    error_message = "the slot is ${fkaks_registry_token.team.active_slot}"
  }
  assert {
    condition     = endswith(fkaks_registry_token.team.secrets["dockerconfigjson"].id, "/secrets/team-pull-docker")
    error_message = "the secrets are ${jsonencode(fkaks_registry_token.team.secrets)}"
  }
  assert {
    condition     = fkaks_registry_token.team.password == null
    error_message = "the password is in the state although nobody asked for it"
  }
}
