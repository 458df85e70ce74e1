# An image of Docker Hub, by its digest, under two tags. The registry needs no public access for it.
resource "fkaks_registry_image" "example" {
  registry_id = fkaks_registry.images.id

  source = {
    image = "docker.io/library/nginx@sha256:6af79ae5de407283dcea8b00d5c37ace95441fd58a8b1d2aa1ed93f5511bb18c"
  }

  target_tags = ["nginx:1.27", "base/nginx:stable"]
}

# An image of another Azure Container Registry, with the caller's own rights there.
resource "fkaks_registry_image" "app" {
  registry_id = fkaks_registry.images.id

  source = {
    registry_id = azurerm_container_registry.hub.id
    image       = "team/app:2.1"
  }

  target_tags       = ["team/app:2.1"]
  delete_on_destroy = true
}

# An image of a private registry. The password is sent with the import and stored nowhere.
resource "fkaks_registry_image" "agent" {
  registry_id = fkaks_registry.images.id

  source = {
    image       = "ghcr.io/contoso/agent:7"
    username    = "robot"
    password_wo = var.ghcr_token
  }

  target_tags = ["agent:7"]
}

variable "ghcr_token" {
  type      = string
  ephemeral = true
}

output "image" {
  value = "${fkaks_registry_image.example.login_server}/nginx@${fkaks_registry_image.example.images["nginx:1.27"].digest}"
}
