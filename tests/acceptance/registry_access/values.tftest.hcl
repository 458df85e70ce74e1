run "the_role_follows_the_registry_and_the_grant_is_shown" {
  assert {
    condition     = fkaks_registry_access.ci.id == local.registry
    error_message = "the id is ${fkaks_registry_access.ci.id}"
  }
  assert {
    condition     = fkaks_registry_access.ci.role_assignment_mode == "LegacyRegistryPermissions"
    error_message = "the mode is ${fkaks_registry_access.ci.role_assignment_mode}"
  }
  assert {
    condition     = fkaks_registry_access.ci.grants["ci/AcrPull"].owned
    error_message = "the grants are ${jsonencode(fkaks_registry_access.ci.grants)}"
  }
  assert {
    condition     = fkaks_registry_access.ci.objects.grants[0] == fkaks_registry_access.ci.grants["ci/AcrPull"].role_assignment_id
    error_message = "the objects are ${jsonencode(fkaks_registry_access.ci.objects)}"
  }
}
