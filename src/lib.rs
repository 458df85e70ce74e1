//! Terraform and OpenTofu provider for AKS clusters that pull from Azure Container Registry
//! privately.
//!
//! `arm` speaks to Azure, `network` holds the rules, `provider` is what the registry sees.

pub mod arm;
pub mod network;
pub mod provider;
