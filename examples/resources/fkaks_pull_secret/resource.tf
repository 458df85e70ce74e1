# The login of a token in a namespace of a private cluster. A pod in the cluster fetches it from the vault,
# with a role on this one secret that the nodes get; an apply that rotates the token writes it, too.
resource "fkaks_pull_secret" "example" {
  cluster_id       = fkaks_cluster.aks.id
  namespace        = "apps"
  name             = "team-pull"
  create_namespace = true

  key_vault_secret_id  = fkaks_registry_token.team.secrets["dockerconfigjson"].id
  key_vault_secret_uri = fkaks_registry_token.team.secrets["dockerconfigjson"].versioned_uri
}

# A login of another registry, whose value is in no state.
resource "fkaks_pull_secret" "partner" {
  cluster_id = fkaks_cluster.aks.id
  namespace  = "apps"
  name       = "partner-pull"

  docker_config_json_wo = jsonencode({
    auths = {
      "registry.partner.example" = {
        username = "fkaks"
        password = var.partner_password
      }
    }
  })
  docker_config_json_wo_version = 1
}
