//! Terraform and OpenTofu provider for AKS clusters that pull from Azure Container Registry privately.

pub mod arm;
