run "the_secret_is_in_the_cluster" {
  assert {
    condition     = fkaks_pull_secret.team.id == "${fkaks_cluster.aks.id}/namespaces/apps/secrets/team-pull"
    error_message = "the id is ${fkaks_pull_secret.team.id}"
  }
  assert {
    condition     = fkaks_pull_secret.team.source == fkaks_registry_token.team.secrets["dockerconfigjson"].versioned_uri
    error_message = "it was written from ${fkaks_pull_secret.team.source}"
  }
  assert {
    condition     = length(fkaks_pull_secret.team.checksum) == 64 && length(fkaks_pull_secret.team.uid) == 36
    error_message = "the checksum is ${fkaks_pull_secret.team.checksum}"
  }
}

run "another_secret_replaces_it" {
  variables {
    name = "team-pull-2"
  }
  assert {
    condition     = endswith(fkaks_pull_secret.team.id, "/namespaces/apps/secrets/team-pull-2")
    error_message = "the id is ${fkaks_pull_secret.team.id}"
  }
}
